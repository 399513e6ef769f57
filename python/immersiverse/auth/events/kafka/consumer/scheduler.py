"""Decides what is handled when: one user's events in order, many users at a time, failures aside.

Owns a task in the event loop, and is used in that loop's thread; other threads may call `stop` and read
`finished`, `waiting` and `held`. A plain handler of a key without a queue is called at once, without a task
of its own; every other record goes to its key's queue.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from contextlib import closing
from typing import TYPE_CHECKING

from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME

from immersiverse.auth.events.kafka.consumer.backpressure import PausedPartitions
from immersiverse.auth.events.kafka.consumer.failures import Failure, FailurePolicy
from immersiverse.auth.events.kafka.consumer.invocation import run_handlers
from immersiverse.auth.events.kafka.consumer.keyed_queues import ConcurrencyLimiter, KeyedQueues, StopState
from immersiverse.auth.events.kafka.consumer.records import (
    Assignment,
    DecodedRecord,
    InFlightRecord,
)
from immersiverse.auth.events.kafka.record import REDRIVE_TIMESTAMP_UNIT
from immersiverse.auth.events.partition import Partition

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping

    from immersiverse.auth.events.kafka.consumer.decoding import RecordDecoder
    from immersiverse.auth.events.kafka.consumer.failures import DeadLetterSink
    from immersiverse.auth.events.kafka.consumer.metrics import ConsumeMetrics
    from immersiverse.auth.events.kafka.consumer.offsets import OffsetTracker
    from immersiverse.auth.events.kafka.consumer.options import Policy
    from immersiverse.auth.events.kafka.consumer.other_groups import OtherGroups
    from immersiverse.auth.events.kafka.consumer.records import Ready, RecordBatch
    from immersiverse.auth.events.kafka.instrumentation import HookDispatcher
    from immersiverse.auth.events.kafka.record import Record
    from immersiverse.auth.events.v1.events_pb2 import AuthEvent

_SLICE = 0.02  # seconds of handling before the event loop gets a turn


class Scheduler:
    """Handles the records of the assigned partitions.

    Args:
        decoder: decodes records.
        others: the consumer groups whose redriven records are passed by.
        policy: what happens on failure, and how much is handled at a time.
        dead_letters: where records go that cannot be processed.
        notify: the hooks.
        metrics: counts what was handled; None without hooks.
        share: how many of a partition's events may be unfinished before it is paused.
        on_error: is called with an error that must stop the subscriber.
    """

    def __init__(  # noqa: PLR0913 - its parts, by keyword
        self,
        decoder: RecordDecoder,
        others: OtherGroups,
        policy: Policy,
        *,
        dead_letters: DeadLetterSink,
        notify: HookDispatcher,
        metrics: ConsumeMetrics | None,
        share: int,
        on_error: Callable[[BaseException], None],
    ) -> None:
        self._decoder = decoder
        self._others = others
        self._metrics = metrics
        self._on_error = on_error
        self._inline = {
            field: invocation.call for field, invocation in decoder.by_field.items() if not invocation.waits
        }
        self._state = StopState()
        self._wake = asyncio.Event()
        self._limiter = ConcurrencyLimiter(policy.concurrency, self._wake.set)
        self._queues = KeyedQueues(
            decoder=decoder,
            failures=FailurePolicy(policy, dead_letters, notify),
            limiter=self._limiter,
            state=self._state,
            lets_pass=policy.after_failure == "let-pass",
            on_finish=self._resume,
            on_error=self._abort_with,
        )
        self._paused = PausedPartitions(share)
        self._assignments: dict[Partition, Assignment] = {}
        self._waiting: deque[RecordBatch] = deque()
        self._finished = 0
        self._task = asyncio.get_running_loop().create_task(self._run(), name="auth-events-scheduler")

    @property
    def finished(self) -> int:
        """How many of the delivered records are finished or were abandoned."""
        return self._finished + self._queues.finished

    @property
    def waiting(self) -> int:
        """How many of them wait for their first step."""
        return sum(len(batch) for batch in tuple(self._waiting))

    @property
    def held(self) -> dict[Partition, int]:
        """How many of them are of partitions that are paused, by partition."""
        return self._paused.held

    @property
    def asks_registry(self) -> bool:
        """Whether a thread asks a registry for a schema."""
        return self._decoder.is_asking

    def assign(self, partitions: Iterable[Partition]) -> None:
        """Partitions were assigned to this member."""
        for partition in partitions:
            stats = self._metrics.topic(partition[0]) if self._metrics else None
            self._assignments[partition] = Assignment(stats)

    def deliver(self, batches: list[RecordBatch]) -> None:
        """Records arrived, each partition's in order."""
        self._waiting.extend(batch for batch in batches if not self._paused.keeps(batch))
        self._wake.set()

    def withdraw(self, partitions: Iterable[Partition]) -> dict[Partition, Assignment]:
        """Partitions are revoked: begin nothing more of them. Returns their assignments."""
        leaving = {partition: self._assignments.pop(partition, None) for partition in partitions}
        self._finished += sum(len(batch) for batch in self._waiting if batch.partition in leaving)
        self._waiting = deque(batch for batch in self._waiting if batch.partition not in leaving)
        self._finished += self._paused.withdraw(leaving)
        revoked = {partition: assignment for partition, assignment in leaving.items() if assignment}
        for assignment in revoked.values():
            assignment.release()
        return revoked

    def lose(self, partitions: Iterable[Partition]) -> None:
        """Partitions belong to others already: not even events before finished ones are begun."""
        for assignment in self.withdraw(partitions).values():
            assignment.abandon(-1)

    async def drained(self, revoked: Mapping[Partition, Assignment], seconds: float) -> dict[Partition, int]:
        """Wait until the handlers of revoked partitions have finished.

        Args:
            revoked: what `withdraw` returned.
            seconds: how long to wait; events that run longer will be redelivered to the next owner.

        Returns:
            The offsets to commit, also those that were taken before: their commit may not have been accepted.
        """
        await asyncio.gather(*(assignment.idle(seconds) for assignment in revoked.values()))
        return _known({partition: a.offsets.last_commit for partition, a in revoked.items()})

    def take_commits(self) -> dict[Partition, int]:
        """The offsets that can be committed now and were not taken before."""
        return _known({partition: a.offsets.take_commit() for partition, a in self._assignments.items()})

    def commit_failed(self, partitions: Iterable[Partition]) -> None:
        """What was taken last was not committed."""
        for partition in partitions:
            if assignment := self._assignments.get(partition):
                assignment.offsets.commit_failed()

    def stop(self) -> None:
        """Begin nothing new; what runs may finish. From any thread: `release` follows in the event loop."""
        self._state.stopping = True

    def release(self) -> None:
        """Begin no more than what keeps finished events from being committed."""
        self.stop()
        for assignment in self._assignments.values():
            assignment.release()

    def abort(self) -> None:
        """Begin nothing at all any more: an error stops the subscriber."""
        self.stop()
        self._state.aborted = True

    async def close(self) -> None:
        """Cancel what still runs or waits."""
        self.abort()
        self._task.cancel()
        try:
            await self._queues.close()
        finally:
            self._decoder.close()
        if self._metrics:
            self._metrics.report()

    async def _run(self) -> None:
        """Handle what waits whenever something does, and give other tasks a turn now and then."""
        while await self._wake.wait():
            self._wake.clear()
            try:
                await self._handle_waiting(time.monotonic() + _SLICE)
            except asyncio.CancelledError:
                raise
            except BaseException as error:  # noqa: BLE001 - a signal's, between two events
                self._abort_with(error)  # the event that was taken may not have been handled
            if self._metrics:
                self._metrics.report()
            if self._may_begin:
                self._wake.set()
                await asyncio.sleep(0)

    async def _handle_waiting(self, until: float) -> None:
        """Handle what waits, until nothing does, all permits are taken, or others should have a turn."""
        while self._may_begin and time.monotonic() < until:
            batch = self._waiting[0]
            assignment = self._assignments.get(batch.partition)
            if assignment is None:  # revoked since it was fetched
                self._finished += len(batch)
                self._waiting.popleft()
            elif assignment.offsets.unfinished >= self._paused.share:
                self._pause(batch.partition, assignment)
            else:
                await self._handle(batch, assignment, until)
                if not len(batch):
                    self._waiting.popleft()

    @property
    def _may_begin(self) -> bool:
        return bool(self._waiting) and self._limiter.free > 0 and not self._state.stopping

    async def _handle(self, batch: RecordBatch, assignment: Assignment, until: float) -> None:
        with closing(self._inline_attempts(batch, assignment, until)) as ready:
            failure = await run_handlers(ready, assignment.stats)
        if failure is not None:
            self._queues.add(InFlightRecord(failure.record, assignment), failure)

    def _inline_attempts(self, batch: RecordBatch, assignment: Assignment, until: float) -> Generator[Ready]:
        """The records of a batch that are handled at once, in order; others go to their key's queue.

        To ask for the next one is to say that the last one was handled. Most events take this way and no
        other, so what each of them needs stands here and not behind a call.
        """
        inline, by_key, state, offsets = self._inline, self._queues.by_key, self._state, assignment.offsets
        others, unit, clock, finished = self._others, REDRIVE_TIMESTAMP_UNIT, time.monotonic, 0
        try:
            for record, known, field in self._decoder.read_known(batch.left):
                call = inline.get(field)
                kind, sent_at = record.timestamp()
                if (not sent_at % unit or kind == TIMESTAMP_LOG_APPEND_TIME) and others.own(record):
                    yield known, field, record, 1, others.pass_by
                elif call is None or (by_key and record.key() in by_key):
                    decoded = self._decoded_or_queued(record, known, field, assignment)
                    if decoded is None:
                        if not self._may_go_on(offsets) or clock() > until:
                            return
                        continue
                    yield decoded.event, decoded.field, record, 1, decoded.invocation.call
                else:
                    yield known, field, record, 1, call
                offsets.position = record.offset() + 1
                finished += 1
                if state.stopping or clock() > until:
                    return
        finally:
            self._finished += finished

    def _may_go_on(self, offsets: OffsetTracker) -> bool:
        """Whether more records of a partition may be begun after one went to its key's queue."""
        return self._limiter.free > 0 and offsets.unfinished < self._paused.share and not self._state.stopping

    def _decoded_or_queued(
        self, record: Record, event: AuthEvent | None, field: str, assignment: Assignment
    ) -> DecodedRecord | None:
        """What a record holds, if it can be handled at once; None if it went to its key's queue."""
        item, failure = InFlightRecord(record, assignment), None
        if event is not None:
            item.decoded = self._decoder.known(event, field)
        elif item.key not in self._queues.by_key and not self._decoder.may_wait(record):
            decoded = self._decoder.decode(record)
            if isinstance(decoded, Failure):
                failure = decoded
            elif not decoded.invocation.waits:
                return decoded
            else:
                item.decoded = decoded
        self._queues.add(item, failure)
        return None

    def _pause(self, partition: Partition, assignment: Assignment) -> None:
        """Fetch and begin no more of a partition, so that others have the rest of the backlog."""
        fetched = [batch for batch in self._waiting if batch.partition == partition]
        self._paused.pause(partition, assignment, fetched)
        self._waiting = deque(batch for batch in self._waiting if batch.partition != partition)

    def _resume(self, item: InFlightRecord) -> None:
        """A record of a queue has finished: perhaps its partition can go on."""
        if batches := self._paused.resume(Partition(item.record.topic(), item.record.partition())):
            self._waiting.extend(batches)
            self._wake.set()

    def _abort_with(self, error: BaseException) -> None:
        self.abort()
        self._on_error(error)


def _known(offsets: Mapping[Partition, int | None]) -> dict[Partition, int]:
    return {partition: offset for partition, offset in offsets.items() if offset is not None}
