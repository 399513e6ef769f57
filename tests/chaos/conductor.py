"""Lets things go wrong, one after the other and at the same time, and puts each right again."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Generic, Protocol, TypeVar

from chaos.worker import Worker

_TICK = 0.1  # seconds


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that went wrong.

    Attributes:
        kind: what it was.
        victim: whom it befell; nothing else befalls it until it is undone.
        seconds: how long it lasts.
        undo: puts it right.
    """

    kind: str
    victim: str
    seconds: float
    undo: Callable[[], None]


class Workplace(Protocol):
    """Where things go wrong."""

    @property
    def lasting(self) -> Sequence[Worker]:
        """Who is there from the beginning to the end, unless it is killed."""
        ...


W = TypeVar("W", bound=Workplace)
Strike = Callable[[W, Random, set[str]], Fault | None]
"""Does something bad to a process that is not among the busy; None if there is no such process."""


class Conductor(Generic[W]):
    """Conducts one run.

    Args:
        stage: where.
        random: chance, with a seed.
        once: each happens as soon as it can, so that no run is without it.
        later: of what one is chosen after that.
        beside: is done after each.

    Attributes:
        faults: how often what went wrong.
    """

    def __init__(
        self,
        stage: W,
        random: Random,
        once: Sequence[Strike[W]],
        later: Sequence[Strike[W]],
        beside: Callable[[], None] = lambda: None,
    ) -> None:
        self.faults: Counter[str] = Counter()
        self._stage = stage
        self._random = random
        self._later = later
        self._beside = beside
        self._under_way: list[tuple[float, Fault]] = []
        self._to_come = list(once)

    def run(self, seconds: float) -> None:
        """Let things go wrong for so long, then put everything right.

        Raises:
            Trouble: if something goes wrong that was not staged, such as a process that dies by itself.
        """
        end = time.monotonic() + seconds
        next_strike = time.monotonic() + 2
        try:
            while (now := time.monotonic()) < end:
                self._undo(until=now)
                self._require_alive()
                if now >= next_strike:
                    self._strike()
                    self._beside()
                    next_strike = now + self._random.uniform(0.3, 2.5)
                time.sleep(_TICK)
        finally:
            self._undo(until=float("inf"))

    def _strike(self) -> None:
        """Let one thing go wrong, if what is chosen can."""
        busy = {fault.victim for _, fault in self._under_way}
        for strike in (*self._to_come, self._random.choice(self._later)):
            fault = strike(self._stage, self._random, busy)
            if fault is not None:
                self._to_come = [other for other in self._to_come if other is not strike]
                self.faults[fault.kind] += 1
                self._under_way.append((time.monotonic() + fault.seconds, fault))
                return

    def _undo(self, until: float) -> None:
        due = [entry for entry in self._under_way if entry[0] <= until]
        self._under_way = [entry for entry in self._under_way if entry[0] > until]
        for _, fault in due:
            fault.undo()

    def _require_alive(self) -> None:
        victims = {fault.victim for _, fault in self._under_way}
        for worker in self._stage.lasting:
            if worker.name not in victims:
                worker.require_alive()
