"""When to fetch: not much further ahead than is handled, and never beyond the backlog.

`Backpressure` is used in the poller's thread; it reads `WorkAccount`, which the event loop's thread changes.
`PausedPartitions` is used in the event loop's thread.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from immersiverse.auth.events.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from confluent_kafka import Consumer

    from immersiverse.auth.events.kafka.consumer.records import Assignment, RecordBatch
    from immersiverse.auth.events.partition import Partition

_log = get_logger(__name__)
_TICK = 0.0005  # seconds between looks whether there is room again
_BATCH = 500  # messages; each time the two threads take turns costs a few dozen microseconds
_SHORT_WAIT = 0.01  # seconds; slower handlers need messages of other keys more than warm ones
_LONGEST_WAIT = 0.5  # seconds without a poll, which a rebalance waits for
_IDLE_POLL = 0.1  # seconds for a poll when there is room
_BRIEF_PAUSE = 1.0  # seconds; a user with many events may pause a partition for less, and often
_PAUSED_POLL = 0.02  # seconds for a poll that brings no message


class WorkAccount(Protocol):
    """How far the messages are that were handed over."""

    @property
    def finished(self) -> int:
        """How many are finished."""

    @property
    def waiting(self) -> int:
        """How many wait for their first step."""

    @property
    def held(self) -> Mapping[Partition, int]:
        """How many are in flight of each partition that must be paused."""


class Backpressure:
    """Decides when to fetch.

    A pause discards what was fetched ahead, so a full backlog that drains soon is only waited for.

    Args:
        backlog: how many messages may be in flight; those of paused partitions are not counted, up to as
            many again.

    Attributes:
        batch: how many messages to hand over at a time.
        handed: how many messages were handed over so far.
        assigned_anew: set when partitions were assigned, which may be paused or not: librdkafka remembers
            that from an earlier assignment.
    """

    def __init__(self, backlog: int) -> None:
        self._backlog = backlog
        self.batch = max(min(_BATCH, backlog // 10), 2)
        self._paused = False
        self._held: frozenset[Partition] = frozenset()
        self._waiting_since: float | None = None
        self.handed = 0
        self.assigned_anew = False

    def poll_timeout(self, consumer: Consumer, account: WorkAccount) -> float | None:
        """How long to poll for messages now, in seconds; None to not poll.

        Args:
            consumer: is paused and resumed.
            account: how far the messages are that were handed over.
        """
        held = account.held
        if self.assigned_anew or held.keys() != self._held:
            self._held, self.assigned_anew = frozenset(held), False
            self._pause_and_resume(consumer)
        timeout = self._timeout(consumer, account)
        if timeout is not None:
            self._waiting_since = None
        return timeout

    def _timeout(self, consumer: Consumer, account: WorkAccount) -> float | None:
        in_flight = self.handed - account.finished - min(sum(account.held.values()), self._backlog)
        if self._paused:
            return self._while_paused(consumer, in_flight)
        if in_flight < self._backlog:
            return _IDLE_POLL if account.waiting < self.batch or self._has_waited(_SHORT_WAIT) else None
        if not self._has_waited(_LONGEST_WAIT):
            return None
        self._paused = True
        self._pause_and_resume(consumer)
        return _PAUSED_POLL

    def _has_waited(self, seconds: float) -> bool:
        """Wait a little; whether there was no poll for this long."""
        now = time.monotonic()
        self._waiting_since = self._waiting_since or now
        if now - self._waiting_since < seconds:
            time.sleep(_TICK)
            return False
        return True

    def _pause_and_resume(self, consumer: Consumer) -> None:
        assigned = consumer.assignment()
        paused = [p for p in assigned if self._paused or (p.topic, p.partition) in self._held]
        consumer.pause(paused)
        consumer.resume([p for p in assigned if p not in paused])

    def _while_paused(self, consumer: Consumer, in_flight: int) -> float:
        if in_flight <= self._backlog // 2:
            self._paused = False
            self._pause_and_resume(consumer)
            return _IDLE_POLL
        return _PAUSED_POLL


@dataclass(slots=True, eq=False)
class _Paused:
    assignment: Assignment
    batches: list[RecordBatch]
    warning: asyncio.TimerHandle
    is_logged: bool = False


class PausedPartitions:
    """Partitions that are paused since too many of their events are unfinished, while others go on.

    Keeps what was fetched of them already, in order. `held` is read in another thread too, which is why the
    dictionary is replaced and not changed.

    Args:
        share: how many of a partition's events may be unfinished.
    """

    def __init__(self, share: int) -> None:
        self.share = share
        self._paused: dict[Partition, _Paused] = {}

    @property
    def held(self) -> dict[Partition, int]:
        """How many records are in flight of each paused partition."""
        return {
            partition: paused.assignment.offsets.unfinished + sum(map(len, tuple(paused.batches)))
            for partition, paused in self._paused.items()
        }

    def keeps(self, batch: RecordBatch) -> bool:
        """Whether a batch's partition is paused; the batch waits here then."""
        if (paused := self._paused.get(batch.partition)) is not None:
            paused.batches.append(batch)
        return paused is not None

    def pause(self, partition: Partition, assignment: Assignment, batches: list[RecordBatch]) -> None:
        """Keep what was fetched of a partition until half of its share is finished."""
        warning = asyncio.get_running_loop().call_later(_BRIEF_PAUSE, self._warn, partition)
        self._paused = {**self._paused, partition: _Paused(assignment, batches, warning)}

    def resume(self, partition: Partition) -> Sequence[RecordBatch]:
        """What waits here of a partition, if half of its share is finished."""
        paused = self._paused.get(partition)
        if paused is None or paused.assignment.offsets.unfinished > self.share // 2:
            return ()
        self.withdraw((partition,))
        if paused.is_logged:
            _log.warning("%s[%d] is resumed", *partition)
        return paused.batches

    def withdraw(self, partitions: Iterable[Partition]) -> int:
        """Partitions are revoked, or go on: how many records waited here of them."""
        leaving = [self._paused[partition] for partition in partitions if partition in self._paused]
        self._paused = {partition: kept for partition, kept in self._paused.items() if kept not in leaving}
        for paused in leaving:
            paused.warning.cancel()
        return sum(len(batch) for paused in leaving for batch in paused.batches)

    def _warn(self, partition: Partition) -> None:
        paused = self._paused[partition]
        paused.is_logged = True
        _log.warning(
            "%s[%d] is paused: %d of its events are unfinished, behind one that fails or takes long; "
            "other partitions go on, this one once half of them have finished",
            *partition,
            paused.assignment.offsets.unfinished,
        )
