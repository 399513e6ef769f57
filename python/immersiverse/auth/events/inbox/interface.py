"""What every inbox does, for plain and for ``async`` handlers, and the rules that all of them share."""

from __future__ import annotations

from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from immersiverse.auth.events.catalog import DEFAULT_SOURCE
from immersiverse.auth.events.errors import ConfigurationError, InvalidEvent

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager, AbstractContextManager

    from immersiverse.auth.events.v1.events_pb2 import AuthEvent

MAX_VERSION_JUMP: Final = 1_000_000
"""Default limit of the step between two versions of a user: more changes than any user makes."""
REMEMBER: Final = timedelta(days=15)
"""Default time that ids and versions are remembered: a day more than topics of 14 days keep events."""


class Verdict(Enum):
    """Whether an event is to be handled."""

    FRESH = "fresh"
    """Not handled before: handle it."""
    DUPLICATE = "duplicate"
    """An event with this source and id was handled before: drop it."""
    STALE = "stale"
    """This version of the user, or a newer one, was handled before: drop it."""


class Admission(NamedTuple):
    """An inbox's answer for one event: a tuple, since a dataclass takes twice the time to make.

    Attributes:
        verdict: whether to handle it.
        last: the last handled version of the same user on the same topic; 0 for none.
        transaction: the transaction in which a handler should write, so that its effects and the inbox's
            record are committed or rolled back together; None if the inbox has none.
        jumped: whether the version is further beyond the last one than ``max_version_jump``: the event is
            fresh, but its version is not recorded.
    """

    verdict: Verdict
    last: int = 0
    transaction: Any = None
    jumped: bool = False


class Forgotten(NamedTuple):
    """How many event ids and versions an inbox deleted; a user has a version on each topic."""

    ids: int = 0
    versions: int = 0


class Inbox(Protocol):
    """Records handled events, for plain handlers. It may block and is safe to use from many threads.

    Versions count per topic and key, where Kafka keeps the order: events of one user on two topics may
    arrive in any order. An event without a key belongs to no user, so only its id counts.
    """

    def admit(self, event: AuthEvent, topic: str, key: bytes | None) -> AbstractContextManager[Admission]:
        """Ask whether to handle an event; enter the context for as long as it is handled.

        Leaving without an exception records a fresh event as handled; leaving with one does not.

        Raises:
            InboxUnavailable: on entering, if the inbox cannot answer now; on leaving, if it cannot record:
                then the event counts as not handled.
        """
        ...


class AsyncInbox(Protocol):
    """`Inbox` for ``async`` handlers: it never blocks the event loop."""

    def admit_async(
        self, event: AuthEvent, topic: str, key: bytes | None
    ) -> AbstractAsyncContextManager[Admission]:
        """See `Inbox.admit`."""
        ...


def identity(event: AuthEvent) -> str:
    """What tells an event from all others: its source and id together (CloudEvents 1.0); empty without an id.

    It is the id alone for events of the contract's default source.

    Raises:
        InvalidEvent: if it is no event.
    """
    try:
        if not event.event_id or event.source in ("", DEFAULT_SOURCE):
            return event.event_id
    except AttributeError:
        raise InvalidEvent(type(event).__name__, "", "is not an AuthEvent") from None
    return f"{event.event_id}\n{event.source}"


def jumps(version: int, last: int, limit: int | None) -> bool:
    """Whether a version is too far beyond the last one (0 for none) to be recorded: others would be stale."""
    return limit is not None and version - last > limit


def erases(event: AuthEvent) -> bool:
    """Whether an event asks that personal data of its user be erased."""
    return event.HasField("user_deleted") and event.user_deleted.erasure_required


def require_settings(max_version_jump: int | None, **times: timedelta | None) -> None:
    """Check an inbox's settings; None stands for no limit.

    Raises:
        ConfigurationError: if the limit lets no version pass, or a time is shorter than a millisecond.
    """
    if max_version_jump is not None and max_version_jump < 1:
        reason = f"must be 1 or more, or None for no limit, not {max_version_jump}"
        raise ConfigurationError("max_version_jump", reason)
    for setting, time in times.items():
        if time is not None and time < timedelta(milliseconds=1):
            raise ConfigurationError(setting, f"must be a millisecond or more, not {time}")
