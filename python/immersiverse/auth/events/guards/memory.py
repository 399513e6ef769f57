"""A guard in memory: bounded, quick, and forgotten with the process."""

from __future__ import annotations

import threading
from collections import OrderedDict
from contextlib import contextmanager
from typing import TYPE_CHECKING

from immersiverse.auth.events.guards.guard import Admission, Verdict, judge

if TYPE_CHECKING:
    from collections.abc import Iterator

    from immersiverse.auth.events.v1.events_pb2 import AuthEvent


class MemoryGuard:
    """Remembers the latest ids and versions of this process. After a restart repeats pass once more.

    Args:
        ids: how many event ids to remember, about 150 bytes each.
        users: how many last versions to remember, about 200 bytes each.
    """

    def __init__(self, *, ids: int = 100_000, users: int = 100_000) -> None:
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._versions: OrderedDict[tuple[str, bytes | None], int] = OrderedDict()
        self._max_ids = ids
        self._max_users = users
        self._lock = threading.Lock()

    @contextmanager
    def admit(self, event: AuthEvent, topic: str, key: bytes | None) -> Iterator[Admission]:
        """See `Guard.admit`."""
        user = (topic, key)
        with self._lock:
            last = self._versions.get(user, 0)
            verdict = judge(seen=event.event_id in self._ids, version=event.version, last=last)
        yield Admission(verdict, last)
        if verdict is Verdict.FRESH:
            with self._lock:
                self._remember(event, user)

    def _remember(self, event: AuthEvent, user: tuple[str, bytes | None]) -> None:
        if event.event_id:
            self._ids[event.event_id] = None
            if len(self._ids) > self._max_ids:
                self._ids.popitem(last=False)
        if event.version:
            self._versions[user] = event.version
            self._versions.move_to_end(user)
            if len(self._versions) > self._max_users:
                self._versions.popitem(last=False)
