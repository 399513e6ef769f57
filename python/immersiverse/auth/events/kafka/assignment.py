"""One partition while it is ours."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from immersiverse.auth.events.kafka.progress import Progress

if TYPE_CHECKING:
    from immersiverse.auth.events.kafka.tally import Notes


class Assignment:
    """A partition that the group gave us: its progress, and what of it is under way.

    Attributes:
        progress: what is finished.
        released: set when the partition is taken away, so that nothing of it begins or is tried again.
        notes: where what was handled at once is noted, for hooks; None if nobody listens.
    """

    __slots__ = ("_idle", "_running", "notes", "progress", "released")

    def __init__(self, notes: Notes | None = None) -> None:
        self.notes = notes
        self.progress = Progress()
        self.released = asyncio.Event()
        self._running = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def enter(self) -> None:
        """One of its events is being handled."""
        self._running += 1
        self._idle.clear()

    def leave(self) -> None:
        """It no longer is."""
        self._running -= 1
        if not self._running:
            self._idle.set()

    async def pause(self, seconds: float) -> None:
        """Wait, no longer than the partition is ours."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.released.wait(), seconds)

    async def idle(self, seconds: float) -> None:
        """Wait until nothing of it is being handled, at most this long."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), seconds)
