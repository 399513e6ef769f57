"""Ranges of numbers that are asked many times."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Ranges:
    """Ranges that include both of their ends; asking costs the logarithm of their count."""

    def __init__(self, ranges: Iterable[tuple[int, int]]) -> None:
        self._ranges = sorted(ranges)
        self._starts = [start for start, _ in self._ranges]

    def find(self, number: int) -> tuple[int, int] | None:
        """The range that holds a number, if one does; ranges must not overlap."""
        index = bisect_right(self._starts, number) - 1
        return self._ranges[index] if index >= 0 and number <= self._ranges[index][1] else None

    def overlap(self) -> tuple[int, int] | None:
        """The first range that begins before the one before it ends."""
        neighbours = zip(self._ranges, self._ranges[1:], strict=False)
        return next((second for first, second in neighbours if second[0] <= first[1]), None)
