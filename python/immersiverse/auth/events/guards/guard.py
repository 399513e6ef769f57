"""The one interface of all guards, in its two forms."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from immersiverse.auth.events.errors import ConfigurationError

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager, AbstractContextManager

    from immersiverse.auth.events.v1.events_pb2 import AuthEvent


MAX_VERSION_JUMP: Final = 1_000_000
"""By how much a version may pass the last one by default: more changes than any user has."""


class Verdict(Enum):
    """What a guard thinks of an event."""

    FRESH = "fresh"
    """Handle it."""
    DUPLICATE = "duplicate"
    """Its id was handled before: drop it."""
    STALE = "stale"
    """A later version of the same user was handled before: drop it."""


class Admission(NamedTuple):
    """A guard's answer. A tuple, which is made in half the time: there is one for every event.

    Attributes:
        verdict: whether to handle the event.
        last: the last version of the same user on the same topic that was handled; 0 for none.
        transaction: where a handler's effects belong, so that they and the guard's memory are kept or lost
            together; None if the guard has none.
        jumped: whether the version is further beyond the last one than the guard allows: the event is fresh,
            and its version will not be remembered.
    """

    verdict: Verdict
    last: int = 0
    transaction: Any = None
    jumped: bool = False


class Forgotten(NamedTuple):
    """How much a guard has forgotten.

    Attributes:
        ids: how many ids of events.
        versions: how many last versions, of which a user has one on each topic.
    """

    ids: int = 0
    versions: int = 0


class Guard(Protocol):
    """Remembers what was handled, for plain handlers. It may block, and serves any number of threads.

    Versions count within a topic and key, where Kafka keeps the order: events of one user on two topics may
    arrive in any order. An event without a key belongs to no user: only its id counts.
    """

    def admit(self, event: AuthEvent, topic: str, key: bytes | None) -> AbstractContextManager[Admission]:
        """Ask for an event, and hold the answer while it is handled.

        Leaving without an exception remembers a fresh event; leaving with one forgets that it was asked.

        Raises:
            GuardUnavailable: on entering, if it cannot be asked now; on leaving, if it cannot remember: then
                the event counts as not handled.
        """
        ...


class AsyncGuard(Protocol):
    """`Guard` for ``async`` handlers: it never blocks their event loop."""

    def admit_async(
        self, event: AuthEvent, topic: str, key: bytes | None
    ) -> AbstractAsyncContextManager[Admission]:
        """See `Guard.admit`."""
        ...


def judge(*, seen: bool, version: int, last: int) -> Verdict:
    """The verdict on an event: an exact repeat first, then a version at or below the last.

    Args:
        seen: whether its id was handled before.
        version: its version; 0 for unversioned, which is never stale.
        last: the last version of its user that was handled; 0 for none.
    """
    if seen:
        return Verdict.DUPLICATE
    if 0 < version <= last:
        return Verdict.STALE
    return Verdict.FRESH


def jumps(version: int, last: int, limit: int | None) -> bool:
    """Whether a version is so far beyond the last one that to remember it would make all others stale.

    Args:
        version: an event's; 0 for unversioned.
        last: the last one of its user, 0 for none: the limit holds for a user's first event too.
        limit: how far it may be; None for no limit.
    """
    return limit is not None and version - last > limit


def require_limit(limit: int | None) -> None:
    """Look at a guard's ``max_version_jump``.

    Raises:
        ConfigurationError: if no version could pass it.
    """
    if limit is not None and limit < 1:
        raise ConfigurationError("max_version_jump", f"must be 1 or more, or None for no limit, not {limit}")


def erases(event: AuthEvent) -> bool:
    """Whether an event asks that what is held about its user is erased."""
    return event.HasField("user_deleted") and event.user_deleted.erasure_required
