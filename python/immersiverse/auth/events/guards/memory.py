"""A guard in memory: bounded, quick, and forgotten with the process."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from immersiverse.auth.events.errors import GuardUnavailable
from immersiverse.auth.events.guards.guard import (
    MAX_VERSION_JUMP,
    Admission,
    Forgotten,
    Verdict,
    erases,
    judge,
    jumps,
    require_limit,
)

if TYPE_CHECKING:
    from immersiverse.auth.events.v1.events_pb2 import AuthEvent

    User = tuple[str, bytes]

_FRESH = Verdict.FRESH


class MemoryGuard:
    """Remembers the latest ids and versions of this process. After a restart repeats pass once more.

    It is the memory of one consumer: what one has handled, another that shares it would miss.

    Args:
        ids: how many event ids to remember, about 150 bytes each.
        users: how many last versions to remember, about 200 bytes each.
        max_version_jump: how far a version may be beyond the last one of its user and still be remembered. An
            event further beyond is handled and reported, and its version does not count. None: no limit.

    Raises:
        ConfigurationError: if the limit is not positive.
    """

    def __init__(
        self,
        *,
        ids: int = 100_000,
        users: int = 100_000,
        max_version_jump: int | None = MAX_VERSION_JUMP,
    ) -> None:
        require_limit(max_version_jump)
        self._limit = max_version_jump
        self._topics: set[str] = set()
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._versions: OrderedDict[User, int] = OrderedDict()
        self._in_hand: set[str] = set()
        self._max_ids = ids
        self._max_users = users
        self._lock = threading.Lock()

    def admit(self, event: AuthEvent, topic: str, key: bytes | None) -> _Asked:
        """See `Guard.admit`.

        Raises:
            GuardUnavailable: if the same event is being handled at this moment, and may still fail.
        """
        user = None if key is None else (topic, key)
        return _Asked(self, event.event_id, event.version, user, erases=erases(event))

    def admit_async(self, event: AuthEvent, topic: str, key: bytes | None) -> _Asked:
        """See `Guard.admit`."""
        return self.admit(event, topic, key)

    def forget(self, key: bytes) -> Forgotten:
        """Forget the last versions of one user, on all topics: its next event is fresh, whatever its version.

        Args:
            key: the user's, as its messages have it.
        """
        with self._lock:
            return Forgotten(versions=self._forget(key))

    def forget_all(self) -> Forgotten:
        """Forget all that was handled."""
        with self._lock:
            forgotten = Forgotten(len(self._ids), len(self._versions))
            self._ids.clear()
            self._versions.clear()
        return forgotten

    def _forget(self, key: bytes) -> int:
        return sum(self._versions.pop((topic, key), None) is not None for topic in self._topics)

    def _ask(self, event_id: str, version: int, user: User | None) -> Admission:
        with self._lock:
            last = self._versions.get(user, 0) if user else 0
            verdict = judge(seen=event_id in self._ids, version=version, last=last)
            if verdict is _FRESH and event_id:
                if event_id in self._in_hand:
                    raise GuardUnavailable(f"event {event_id} is being handled at this moment")
                self._in_hand.add(event_id)
        return Admission(verdict, last, jumped=verdict is _FRESH and jumps(version, last, self._limit))

    def _let_go(self, event_id: str) -> None:
        with self._lock:
            self._in_hand.discard(event_id)

    def _remember(self, event_id: str, version: int, user: User | None, *, erases: bool) -> None:
        with self._lock:
            self._in_hand.discard(event_id)
            if event_id:
                self._ids[event_id] = None
                if len(self._ids) > self._max_ids:
                    self._ids.popitem(last=False)
            if erases and user:
                self._forget(user[1])
            elif version > 0 and user:
                self._topics.add(user[0])
                self._versions[user] = max(version, self._versions.get(user, 0))
                self._versions.move_to_end(user)
                if len(self._versions) > self._max_users:
                    self._versions.popitem(last=False)


class _Asked:
    """An event that was asked for, as it was then: a handler may change it.

    A class and no generator, since every event of a subscriber goes through it.
    """

    __slots__ = ("_erases", "_event_id", "_is_fresh", "_memory", "_user", "_version")

    def __init__(
        self, memory: MemoryGuard, event_id: str, version: int, user: User | None, *, erases: bool
    ) -> None:
        self._memory = memory
        self._event_id = event_id
        self._version = version
        self._user = user
        self._erases = erases

    def __enter__(self) -> Admission:
        admission = self._memory._ask(self._event_id, self._version, self._user)  # noqa: SLF001 - its own
        self._is_fresh = admission.verdict is _FRESH
        if admission.jumped:
            self._version = 0
        return admission

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if not self._is_fresh:
            return
        if kind is None:
            self._memory._remember(  # noqa: SLF001 - its own
                self._event_id, self._version, self._user, erases=self._erases
            )
        else:
            self._memory._let_go(self._event_id)  # noqa: SLF001 - its own

    async def __aenter__(self) -> Admission:
        return self.__enter__()

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.__exit__(kind)
