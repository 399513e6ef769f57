"""One partition while it is ours."""

from __future__ import annotations

import asyncio

from immersiverse.auth.events.kafka.progress import Progress


class Assignment:
    """A partition that the group gave us: its progress, and what of it is under way.

    Attributes:
        progress: what is finished.
        running: how many of its events are being handled this moment.
        released: set when the partition is taken away, so that nothing of it begins or is tried again.
    """

    __slots__ = ("progress", "released", "running")

    def __init__(self) -> None:
        self.progress = Progress()
        self.running = 0
        self.released = asyncio.Event()

    async def pause(self, seconds: float) -> bool:
        """Wait; whether the partition is still ours after that."""
        try:
            await asyncio.wait_for(self.released.wait(), seconds)
        except TimeoutError:
            return True
        return False

    async def idle(self, seconds: float) -> None:
        """Wait until nothing of it is being handled, at most this long."""
        end = asyncio.get_running_loop().time() + seconds
        while self.running and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(0.005)
