"""Measures statements side by side: in short batches, in turn, so that a busy time slows them all alike."""

from __future__ import annotations

import gc
import time
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from timeit import Timer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_BATCH_SECONDS = 0.002
_TRIAL = 200


@dataclass(frozen=True)
class Measurements:
    """CPU seconds per run of each statement, a figure a repeat."""

    by_name: Mapping[str, list[float]]

    def microseconds(self, name: str) -> float:
        """The median of a statement."""
        return median(self.by_name[name]) * 1e6

    def ratio(self, above: str, below: str) -> float:
        """The median of the ratios of two statements, each taken within one repeat."""
        return median(a / b for a, b in zip(self.by_name[above], self.by_name[below], strict=True))


def measure(statements: Mapping[str, str], names: Mapping[str, Any], repeats: int) -> Measurements:
    """Measure statements, Python source compiled into the loop that times it: no call of ours is in a figure.

    Args:
        statements: Python by name.
        names: what it refers to.
        repeats: how often each gets its turn.
    """
    timers = {
        name: Timer(source, timer=time.thread_time, globals=dict(names))
        for name, source in statements.items()
    }
    counts = {name: _batch(timer) for name, timer in timers.items()}
    taken: dict[str, list[float]] = {name: [] for name in timers}
    with _no_collector():
        for _ in range(repeats):
            for name, timer in timers.items():
                taken[name].append(timer.timeit(counts[name]) / counts[name])
    return Measurements(taken)


def _batch(timer: Timer) -> int:
    """How many runs take about one batch; the trial is the warm-up too."""
    return max(1, int(_BATCH_SECONDS / (timer.timeit(_TRIAL) / _TRIAL)))


@contextmanager
def _no_collector() -> Iterator[None]:
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()
