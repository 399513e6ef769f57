"""A guard in memory: bounded, quick, and forgotten with the process."""

from __future__ import annotations

import threading
from collections import OrderedDict
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

from immersiverse.auth.events.errors import GuardUnavailable
from immersiverse.auth.events.guards.guard import Admission, Verdict, judge

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from immersiverse.auth.events.v1.events_pb2 import AuthEvent

    User = tuple[str, bytes]


class MemoryGuard:
    """Remembers the latest ids and versions of this process. After a restart repeats pass once more.

    Args:
        ids: how many event ids to remember, about 150 bytes each.
        users: how many last versions to remember, about 200 bytes each.
    """

    def __init__(self, *, ids: int = 100_000, users: int = 100_000) -> None:
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._versions: OrderedDict[User, int] = OrderedDict()
        self._in_hand: set[str] = set()
        self._max_ids = ids
        self._max_users = users
        self._lock = threading.Lock()

    @contextmanager
    def admit(self, event: AuthEvent, topic: str, key: bytes | None) -> Iterator[Admission]:
        """See `Guard.admit`.

        Raises:
            GuardUnavailable: if the same event is being handled at this moment, and may still fail.
        """
        user = None if key is None else (topic, key)
        admission = self._ask(event, user)
        if admission.verdict is not Verdict.FRESH:
            yield admission
            return
        try:
            yield admission
            self._remember(event, user)
        finally:
            with self._lock:
                self._in_hand.discard(event.event_id)

    @asynccontextmanager
    async def admit_async(self, event: AuthEvent, topic: str, key: bytes | None) -> AsyncIterator[Admission]:
        """See `Guard.admit`."""
        with self.admit(event, topic, key) as admission:
            yield admission

    def _ask(self, event: AuthEvent, user: User | None) -> Admission:
        event_id = event.event_id
        with self._lock:
            last = self._versions.get(user, 0) if user else 0
            verdict = judge(seen=event_id in self._ids, version=event.version, last=last)
            if verdict is Verdict.FRESH and event_id:
                if event_id in self._in_hand:
                    raise GuardUnavailable(f"event {event_id} is being handled at this moment")
                self._in_hand.add(event_id)
        return Admission(verdict, last)

    def _remember(self, event: AuthEvent, user: User | None) -> None:
        with self._lock:
            if event.event_id:
                self._ids[event.event_id] = None
                if len(self._ids) > self._max_ids:
                    self._ids.popitem(last=False)
            if event.version > 0 and user:
                self._versions[user] = max(event.version, self._versions.get(user, 0))
                self._versions.move_to_end(user)
                if len(self._versions) > self._max_users:
                    self._versions.popitem(last=False)
