"""Lets things go wrong, one after the other and at the same time, and puts each right again."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from random import Random

from chaos.faults import (
    Fault,
    Strike,
    freeze_leader,
    freeze_subscriber,
    kill_leader,
    kill_publisher,
    kill_subscriber,
    visit,
)
from chaos.stage import Stage

_FIRST: tuple[Strike, ...] = (kill_leader, kill_subscriber, kill_publisher)
_LATER: tuple[Strike, ...] = (*_FIRST, *_FIRST, freeze_leader, freeze_subscriber, visit)
_TICK = 0.1  # seconds


class Conductor:
    """Conducts one run.

    Args:
        stage: where.
        random: chance, with a seed.

    Attributes:
        faults: how often what went wrong.
    """

    def __init__(self, stage: Stage, random: Random) -> None:
        self.faults: Counter[str] = Counter()
        self._stage = stage
        self._random = random
        self._under_way: list[tuple[float, Fault]] = []

    def run(self, seconds: float) -> None:
        """Let things go wrong for so long, then put everything right.

        Raises:
            Trouble: if something goes wrong that was not staged, such as a process that dies by itself.
        """
        end = time.monotonic() + seconds
        strikes, next_strike = self._strikes(), time.monotonic() + 2
        while (now := time.monotonic()) < end:
            self._undo(until=now)
            self._require_alive()
            if now >= next_strike:
                self._strike(next(strikes))
                self._stage.poison.sprinkle()
                next_strike = now + self._random.uniform(0.3, 2.5)
            time.sleep(_TICK)
        self._undo(until=float("inf"))

    def _strikes(self) -> Iterator[Strike]:
        yield from _FIRST
        while True:
            yield self._random.choice(_LATER)

    def _strike(self, strike: Strike) -> None:
        fault = strike(self._stage, self._random, {fault.victim for _, fault in self._under_way})
        if fault is not None:
            self.faults[fault.kind] += 1
            self._under_way.append((time.monotonic() + fault.seconds, fault))

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
