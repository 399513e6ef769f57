"""The newest of many dead letters, in memory for those few. Pure."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from immersiverse.auth.events.operations.dead_letters import DeadLetter


class Newest:
    """Keeps the newest letters of any number.

    Args:
        limit: how many.

    Attributes:
        seen: how many there were.
    """

    def __init__(self, limit: int) -> None:
        self.seen = 0
        self._limit = limit
        self._heap: list[tuple[int, int, int, DeadLetter]] = []

    def add(self, letter: DeadLetter) -> None:
        """Take a letter, and let go of the oldest if there are too many."""
        self.seen += 1
        entry = (letter.timestamp, letter.id.partition, letter.id.offset, letter)
        if len(self._heap) < self._limit:
            heapq.heappush(self._heap, entry)
        else:
            heapq.heappushpop(self._heap, entry)

    def oldest_first(self) -> tuple[DeadLetter, ...]:
        """Those that are kept."""
        return tuple(letter for *_, letter in sorted(self._heap, key=lambda entry: entry[:3]))
