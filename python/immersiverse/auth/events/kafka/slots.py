"""How many events may be handled at the same time."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Slots:
    """Slots in one event loop. A freed slot goes to whoever waits for one first, then to new events.

    Args:
        count: how many there are.
        on_free: is called when a slot is left that nobody waits for.

    Attributes:
        free: how many are free; `take` wants one.
    """

    def __init__(self, count: int, on_free: Callable[[], None]) -> None:
        self.free = count
        self._on_free = on_free
        self._waiting: deque[asyncio.Future[None]] = deque()

    def take(self) -> None:
        """Take a free slot."""
        self.free -= 1

    async def acquire(self) -> None:
        """Take a slot as soon as there is one."""
        if self.free > 0:
            self.free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # it was given a slot in the same moment
                self.release()
            raise

    def release(self) -> None:
        """Give a slot back."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self.free += 1
        self._on_free()
