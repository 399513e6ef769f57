"""How long many things took, in a few numbers."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import accumulate
from typing import Final

BOUNDS: Final = (
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0,
)  # fmt: skip
"""In seconds: from a handler that only counts to a publisher that waits for a broker."""


class Durations:
    """A histogram that costs next to nothing to fill. Not for several threads at once.

    Attributes:
        counts: how many took at most each of the `BOUNDS` and more than the one before; last, more than all.
        seconds: what all of them took together.
    """

    __slots__ = ("counts", "seconds")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        self.seconds = 0.0

    def add(self, seconds: float, times: int = 1) -> None:
        """This many took so long each."""
        self.counts[bisect_left(BOUNDS, seconds)] += times
        self.seconds += seconds * times

    def extend(self, seconds: list[float]) -> None:
        """Each of these took so long; cheaper than one by one. They get sorted."""
        seconds.sort()
        below = 0
        for place, bound in enumerate(BOUNDS):
            at_most = bisect_right(seconds, bound)
            self.counts[place] += at_most - below
            below = at_most
        self.counts[-1] += len(seconds) - below
        self.seconds += sum(seconds)

    def merge(self, other: Durations) -> None:
        """Count what another has counted."""
        self.counts = [mine + theirs for mine, theirs in zip(self.counts, other.counts, strict=True)]
        self.seconds += other.seconds

    @property
    def count(self) -> int:
        """How many there were."""
        return sum(self.counts)

    @property
    def cumulative(self) -> list[int]:
        """How many took at most each of the `BOUNDS`; last, all of them."""
        return list(accumulate(self.counts))
