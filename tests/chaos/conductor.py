"""Lets things go wrong, one after the other and at the same time, and puts each right again."""

from __future__ import annotations

import time
from collections import Counter
from random import Random

from chaos.faults import (
    Fault,
    Strike,
    fill_disk,
    freeze_leader,
    freeze_registry,
    freeze_subscriber,
    jump_clock,
    kill_leader,
    kill_publisher,
    kill_subscriber,
    stop_registry,
    visit,
)
from chaos.stage import Stage

_KILLS: tuple[Strike, ...] = (kill_leader, kill_subscriber, kill_publisher)
_ONCE: tuple[Strike, ...] = (*_KILLS, stop_registry, jump_clock, fill_disk)
"""Each happens as soon as it can, so that no run is without it."""
_RARE: tuple[Strike, ...] = (
    *(freeze_leader, freeze_registry, freeze_subscriber),
    *(fill_disk, jump_clock, stop_registry, visit),
)
_LATER: tuple[Strike, ...] = (*_KILLS, *_KILLS, *_RARE)
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
        self._to_come = list(_ONCE)

    def run(self, seconds: float) -> None:
        """Let things go wrong for so long, then put everything right.

        Raises:
            Trouble: if something goes wrong that was not staged, such as a process that dies by itself.
        """
        end = time.monotonic() + seconds
        next_strike = time.monotonic() + 2
        while (now := time.monotonic()) < end:
            self._undo(until=now)
            self._require_alive()
            if now >= next_strike:
                self._strike()
                self._stage.poison.sprinkle()
                next_strike = now + self._random.uniform(0.3, 2.5)
            time.sleep(_TICK)
        self._undo(until=float("inf"))

    def _strike(self) -> None:
        """Let one thing go wrong, if what is chosen can."""
        busy = {fault.victim for _, fault in self._under_way}
        for strike in (*self._to_come, self._random.choice(_LATER)):
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
