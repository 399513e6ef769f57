"""One partition while it is assigned to this member, and how it ends."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from immersiverse.auth.events.kafka.progress import Progress

if TYPE_CHECKING:
    from immersiverse.auth.events.kafka.tally import Notes

CATCH_UP: Final = 5.0
"""Seconds for events that wait behind a running one to be handled too when a partition is revoked.

Later events of other keys may have finished already. They would be redelivered with the first that has not.
"""


class Assignment:
    """An assigned partition: its progress, and which of its events run.

    Attributes:
        progress: what is finished.
        released: set when the partition is revoked or the subscriber stops.
        notes: where what was handled at once is noted, for hooks; None if nobody listens.
    """

    __slots__ = ("_abandoned", "_idle", "_last", "_running", "notes", "progress", "released")

    def __init__(self, notes: Notes | None = None) -> None:
        self.notes = notes
        self.progress = Progress()
        self.released = asyncio.Event()
        self._running: set[int] = set()
        self._last = 0  # events before this offset may still begin after the release
        self._abandoned = False
        self._idle = asyncio.Event()

    def may_begin(self, offset: int, *, has_failed: bool) -> bool:
        """Whether an event may be handled.

        After the release only if it has not failed, and a later event of the partition finished or runs.
        """
        if not self.released.is_set():
            return True
        return not self._abandoned and not has_failed and offset < self._last

    def enter(self, offset: int) -> None:
        """An event is being handled or dead-lettered."""
        self._running.add(offset)

    def leave(self, offset: int) -> None:
        """It no longer is."""
        self._running.discard(offset)
        self._look()

    def finish(self, offset: int) -> None:
        """An event has finished."""
        self.progress.finish(offset)
        self._look()

    def release(self) -> None:
        """Begin no more events than those that keep later, finished ones from being committed."""
        if not self.released.is_set():
            self._last = self.progress.reach(self._running)
            self.released.set()
            self._look()

    def abandon(self, offset: int) -> None:
        """An event stays unfinished. Those after it will be redelivered, so none of them need begin."""
        if offset < self._last or not self.released.is_set():
            self._abandoned = True
            self._look()

    async def pause(self, seconds: float) -> None:
        """Wait before the next attempt, no longer than until the release."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.released.wait(), seconds)

    async def idle(self, seconds: float) -> None:
        """Wait until nothing runs after the release, at most this long."""
        until = time.monotonic() + seconds
        with suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), min(seconds, CATCH_UP))
        self.abandon(-1)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), until - time.monotonic())

    def _look(self) -> None:
        is_complete = self._abandoned or self.progress.committable >= self._last
        if self.released.is_set() and is_complete and not self._running:
            self._idle.set()
