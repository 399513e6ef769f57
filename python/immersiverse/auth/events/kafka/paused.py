"""Partitions that are paused since too many of their events are unfinished, while others go on."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from immersiverse.auth.events.kafka.assignment import Assignment
    from immersiverse.auth.events.kafka.run import Run
    from immersiverse.auth.events.partition import Partition

_log = logging.getLogger(__name__)
_BRIEFLY = 1.0  # seconds; a user with many events may pause a partition for less, and often


@dataclass(slots=True, eq=False)
class _Paused:
    assignment: Assignment
    runs: list[Run]
    warning: asyncio.TimerHandle
    is_logged: bool = False


class PausedPartitions:
    """Keeps the messages of such partitions that were fetched already, in order.

    Used in the event loop; `held` also in another thread, which is why the dictionary is replaced, not
    changed.

    Args:
        share: how many of a partition's events may be unfinished.
    """

    def __init__(self, share: int) -> None:
        self.share = share
        self._paused: dict[Partition, _Paused] = {}

    @property
    def held(self) -> dict[Partition, int]:
        """How many messages are under way of each paused partition."""
        return {
            partition: paused.assignment.progress.unfinished + sum(map(len, tuple(paused.runs)))
            for partition, paused in self._paused.items()
        }

    def keeps(self, run: Run) -> bool:
        """Whether a run's partition is paused; the run waits here then."""
        if (paused := self._paused.get(run.partition)) is not None:
            paused.runs.append(run)
        return paused is not None

    def pause(self, partition: Partition, assignment: Assignment, runs: list[Run]) -> None:
        """Keep what was fetched of a partition until half of its share is finished."""
        warning = asyncio.get_running_loop().call_later(_BRIEFLY, self._warn, partition)
        self._paused = {**self._paused, partition: _Paused(assignment, runs, warning)}

    def resume(self, partition: Partition) -> Sequence[Run]:
        """What waits here of a partition, if half of its share is finished."""
        paused = self._paused.get(partition)
        if paused is None or paused.assignment.progress.unfinished > self.share // 2:
            return ()
        self.withdraw((partition,))
        if paused.is_logged:
            _log.warning("%s[%d] is resumed", *partition)
        return paused.runs

    def withdraw(self, partitions: Iterable[Partition]) -> int:
        """Partitions are given away: how many messages waited here of them."""
        leaving = [self._paused[partition] for partition in partitions if partition in self._paused]
        self._paused = {partition: kept for partition, kept in self._paused.items() if kept not in leaving}
        for paused in leaving:
            paused.warning.cancel()
        return sum(len(run) for paused in leaving for run in paused.runs)

    def _warn(self, partition: Partition) -> None:
        paused = self._paused[partition]
        paused.is_logged = True
        _log.warning(
            "%s[%d] is paused: %d of its events are unfinished, behind one that fails or takes long; "
            "other partitions go on, this one once half of them have finished",
            *partition,
            paused.assignment.progress.unfinished,
        )
