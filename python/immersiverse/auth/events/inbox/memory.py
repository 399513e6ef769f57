"""An inbox in memory: fast and bounded; the process's end empties it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from immersiverse.auth.events.errors import InboxUnavailable
from immersiverse.auth.events.inbox.interface import (
    MAX_VERSION_JUMP,
    Admission,
    Forgotten,
    Verdict,
    erases,
    identity,
    jumps,
    require_settings,
)

if TYPE_CHECKING:
    from immersiverse.auth.events.v1.events_pb2 import AuthEvent

    User = tuple[str, bytes]


class MemoryInbox:
    """Remembers the latest event ids and versions of this process, for plain and ``async`` handlers.

    After a restart duplicates are handled once more. Consumers that shared one inbox would drop each other's
    events as duplicates.

    Args:
        ids: how many event ids to remember, about 150 bytes each.
        users: how many versions to remember, about 200 bytes each.
        max_version_jump: longest step between two versions of a user. An event beyond it is handled and
            reported, but its version is not recorded. None for no limit.

    Raises:
        ConfigurationError: if ``max_version_jump`` is not positive.
    """

    def __init__(
        self,
        *,
        ids: int = 100_000,
        users: int = 100_000,
        max_version_jump: int | None = MAX_VERSION_JUMP,
    ) -> None:
        require_settings(max_version_jump)
        self._max_ids = ids
        self._max_users = users
        self._max_version_jump = max_version_jump
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._versions: OrderedDict[User, int] = OrderedDict()
        self._topics: set[str] = set()
        self._leased: set[str] = set()
        self._lock = threading.Lock()  # for all of the above; never held while a handler runs

    def admit(self, event: AuthEvent, topic: str, key: bytes | None) -> _MemoryLease:
        """See `Inbox.admit`; it is unavailable for an event that is being handled now and may still fail."""
        return _MemoryLease(self, event, None if key is None else (topic, key))

    admit_async = admit

    def forget(self, key: bytes) -> Forgotten:
        """Forget the versions of a user (its message key): its next event is fresh, whatever its version."""
        with self._lock:
            return Forgotten(versions=self._forget(key))

    def forget_all(self) -> Forgotten:
        """Forget all ids and versions."""
        with self._lock:
            forgotten = Forgotten(len(self._ids), len(self._versions))
            self._ids.clear()
            self._versions.clear()
        return forgotten

    def _acquire(self, lease: _MemoryLease) -> Admission:
        with self._lock:
            last = self._versions.get(lease.user, 0) if lease.user else 0
            if lease.identity in self._ids:
                return Admission(Verdict.DUPLICATE, last)
            if 0 < lease.version <= last:
                return Admission(Verdict.STALE, last)
            if lease.identity in self._leased:
                raise InboxUnavailable(f"event {lease.identity!r} is being handled now")
            if lease.identity:
                self._leased.add(lease.identity)
        return Admission(Verdict.FRESH, last, jumped=jumps(lease.version, last, self._max_version_jump))

    def _release(self, lease: _MemoryLease, *, handled: bool) -> None:
        with self._lock:
            self._leased.discard(lease.identity)
            if handled:
                self._record(lease)

    def _record(self, lease: _MemoryLease) -> None:
        user = lease.user
        if lease.identity:
            self._ids[lease.identity] = None
            if len(self._ids) > self._max_ids:
                self._ids.popitem(last=False)
        if lease.erases and user:
            self._forget(user[1])
        elif lease.version > 0 and user:
            self._topics.add(user[0])
            self._versions[user] = max(lease.version, self._versions.get(user, 0))
            self._versions.move_to_end(user)
            if len(self._versions) > self._max_users:
                self._versions.popitem(last=False)

    def _forget(self, key: bytes) -> int:
        return sum(self._versions.pop((topic, key), None) is not None for topic in self._topics)


class _MemoryLease:
    """An event while it is handled, as it was when it came: a handler may change the message.

    A class instead of a generator, since every event of a subscriber passes here.
    """

    __slots__ = ("_inbox", "_is_fresh", "erases", "identity", "user", "version")

    def __init__(self, inbox: MemoryInbox, event: AuthEvent, user: User | None) -> None:
        self.identity = identity(event)
        self.version = event.version
        self.user = user
        self.erases = erases(event)
        self._inbox = inbox

    def __enter__(self) -> Admission:
        admission = self._inbox._acquire(self)  # noqa: SLF001 - its own
        self._is_fresh = admission.verdict is Verdict.FRESH
        if admission.jumped:
            self.version = 0
        return admission

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._is_fresh:
            self._inbox._release(self, handled=kind is None)  # noqa: SLF001 - its own

    async def __aenter__(self) -> Admission:
        return self.__enter__()

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.__exit__(kind)
