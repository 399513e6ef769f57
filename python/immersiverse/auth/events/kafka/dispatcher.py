"""Decides what is handled when: one user's events in order, many users at a time, failures aside.

Runs in an event loop and does no I/O of its own. A plain handler on an untroubled key is called at once,
without a task; everything else goes to a lane.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING

from immersiverse.auth.events.events import type_name
from immersiverse.auth.events.kafka.assignment import Assignment
from immersiverse.auth.events.kafka.attempts import Attempts
from immersiverse.auth.events.kafka.failure import Failure
from immersiverse.auth.events.kafka.handling import refuse_awaitable
from immersiverse.auth.events.kafka.job import Job, Reading
from immersiverse.auth.events.kafka.lanes import Lanes
from immersiverse.auth.events.kafka.paused import PausedPartitions
from immersiverse.auth.events.kafka.recovery import Recovery
from immersiverse.auth.events.kafka.run import runs
from immersiverse.auth.events.kafka.slots import Slots
from immersiverse.auth.events.partition import Partition

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from immersiverse.auth.events.kafka.handling import Handling
    from immersiverse.auth.events.kafka.policy import Policy
    from immersiverse.auth.events.kafka.record import Record
    from immersiverse.auth.events.kafka.recovery import PutsAside
    from immersiverse.auth.events.kafka.run import Run
    from immersiverse.auth.events.kafka.tally import Tally
    from immersiverse.auth.events.kafka.workers import Workers
    from immersiverse.auth.events.serialization.unknown import Decoded
    from immersiverse.auth.events.v1.events_pb2 import AuthEvent

_SLICE = 0.02  # seconds of handling before the event loop gets a turn


class Dispatcher:
    """Handles the messages of the partitions that are ours.

    Args:
        handling: how one message is handled.
        policy: what happens on failure, and how much at a time.
        dead_letters: where what cannot be processed goes.
        workers: where plain functions run; None for the event loop's own thread.
        tally: counts what was handled; None if nobody listens.
        share: how many of a partition's events may be unfinished before it is paused.
        fail: is called with an error that must stop the subscriber.
    """

    def __init__(  # noqa: PLR0913 - what it is made of, by keyword
        self,
        handling: Handling,
        policy: Policy,
        *,
        dead_letters: PutsAside,
        workers: Workers | None,
        tally: Tally | None,
        share: int,
        fail: Callable[[BaseException], None],
    ) -> None:
        self._handling = handling
        self._tally = tally
        self._workers = workers
        self._fail = fail
        self._loop = asyncio.get_running_loop()
        self._slots = Slots(policy.concurrency, self._schedule)
        self._attempts = Attempts(handling, workers, tally)
        self._lanes = Lanes(
            self._attempts,
            Recovery(policy, dead_letters, handling.tell),
            self._slots,
            lets_pass=policy.after_failure == "let-pass",
            finish=self._resume,
            fail=fail,
        )
        self._paused = PausedPartitions(share)
        self._read_known = handling.deserializer.read_known
        self._direct = handling.direct(aside=workers is not None)
        self._assignments: dict[Partition, Assignment] = {}
        self._waiting: deque[Run] = deque()
        self._queues = self._lanes.queues
        self._scheduled = False
        self._finished = 0

    @property
    def finished(self) -> int:
        """How many of the delivered messages are done with here, handled or not."""
        return self._finished + self._lanes.finished

    @property
    def waiting(self) -> int:
        """How many of them nobody has looked at yet."""
        return sum(len(run) for run in tuple(self._waiting))

    @property
    def held(self) -> dict[Partition, int]:
        """How many of them are of partitions that are paused, by partition."""
        return self._paused.held

    def assign(self, partitions: Iterable[Partition]) -> None:
        """Partitions became ours."""
        for partition in partitions:
            notes = self._tally.notes(partition[0]) if self._tally else None
            self._assignments[partition] = Assignment(notes)

    def look_at(self, records: list[Record]) -> list[Run]:
        """Read what can be read at once. From any thread, best one whose processor has just touched them."""
        return runs(records, *self._read_known(records))

    def deliver(self, fetched: list[Run]) -> None:
        """Messages arrived, each partition's in order."""
        self._waiting.extend(run for run in fetched if not self._paused.keeps(run))
        self._schedule()

    def withdraw(self, partitions: Iterable[Partition]) -> dict[Partition, Assignment]:
        """Partitions are given away: begin nothing more of them. What was ours of them."""
        leaving = {partition: self._assignments.pop(partition, None) for partition in partitions}
        self._finished += sum(len(run) for run in self._waiting if run.partition in leaving)
        self._waiting = deque(run for run in self._waiting if run.partition not in leaving)
        self._finished += self._paused.withdraw(leaving)
        ours = {partition: assignment for partition, assignment in leaving.items() if assignment}
        for assignment in ours.values():
            assignment.release()
        return ours

    def lose(self, partitions: Iterable[Partition]) -> None:
        """Partitions belong to others already: not even what waits behind running events is begun."""
        for assignment in self.withdraw(partitions).values():
            assignment.abandon(-1)

    async def drained(self, leaving: Mapping[Partition, Assignment], seconds: float) -> dict[Partition, int]:
        """Let finish what runs of partitions that were withdrawn.

        Args:
            leaving: what `withdraw` gave.
            seconds: how long to wait; what runs longer will be handled again by whoever gets the partition.

        Returns:
            The offsets to commit, also those that were taken before: their commit may not have been accepted.
        """
        await asyncio.gather(*(assignment.idle(seconds) for assignment in leaving.values()))
        return _known({partition: a.progress.last_commit for partition, a in leaving.items()})

    def take_commits(self) -> dict[Partition, int]:
        """The offsets that can be committed now and were not taken before."""
        return _known({partition: a.progress.take_commit() for partition, a in self._assignments.items()})

    def commit_failed(self, partitions: Iterable[Partition]) -> None:
        """What was taken last was not committed."""
        for partition in partitions:
            if assignment := self._assignments.get(partition):
                assignment.progress.commit_failed()

    def stop(self) -> None:
        """Begin nothing new; what runs may finish. From any thread: `release` follows in the event loop."""
        self._attempts.stopping = True

    def release(self) -> None:
        """Handle no more than what keeps finished events from being committed."""
        self.stop()
        for assignment in self._assignments.values():
            assignment.release()

    def abort(self) -> None:
        """Begin nothing more at all: an error stops the subscriber."""
        self.stop()
        self._attempts.stopped = True

    async def close(self) -> None:
        """Give up what still runs or waits."""
        self.abort()
        try:
            await self._lanes.close()
        finally:
            self._attempts.close()
        if self._tally:
            self._tally.report()

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._work)

    def _work(self) -> None:
        """Handle what waits, until nothing does, all slots are taken, or others should have a turn."""
        self._scheduled = False
        now = begun = time.monotonic()
        until = begun + _SLICE
        try:
            while (now := time.monotonic()) < until and self._may_begin:
                if self._is_through(self._waiting[0], until):
                    self._waiting.popleft()
        except BaseException as error:  # noqa: BLE001 - a signal's, between two events
            self.abort()  # what was taken from its run may not have been handled: nothing may pass it
            self._fail(error)
        if self._tally:
            self._tally.report(now - begun)
        if self._may_begin:
            self._schedule()

    @property
    def _may_begin(self) -> bool:
        return bool(self._waiting) and self._slots.free > 0 and not self._attempts.stopping

    def _is_through(self, run: Run, until: float) -> bool:
        """Handle a run's messages one after the other; those that take more than a call go to a lane.

        Whether none is left: time, slots, or the subscriber's life may come to an end before. Every event
        goes through this loop, so what most of them need stands in it, not behind a call.
        """
        assignment = self._assignments.get(run.partition)
        if assignment is None:  # given away since it was fetched
            self._finished += len(run)
            return True
        queues, direct, slots, attempts = self._queues, self._direct, self._slots, self._attempts
        progress, notes, done = assignment.progress, assignment.notes, 0
        if progress.unfinished >= self._paused.share:
            self._pause(run.partition, assignment)
            return False
        now = time.monotonic()
        try:
            for record, event, payload_field in run.left:
                begun = now
                function = direct.get(payload_field)
                if function is None or (queues and record.key() in queues):
                    self._take(record, assignment, event, payload_field)
                    now = time.monotonic()
                    if slots.free <= 0 or progress.unfinished >= self._paused.share:
                        return False
                else:
                    try:
                        if (returned := function(event, getattr(event, payload_field))) is not None:
                            refuse_awaitable(function, returned)
                    except BaseException as error:  # noqa: BLE001 - whatever a handler raises
                        self._open_lane(Job(record, assignment), Failure(error))
                        return False
                    now = time.monotonic()
                    progress.seen = record.offset() + 1
                    done += 1
                    if notes is not None:
                        notes.add(payload_field, event, now - begun)
                if now > until or attempts.stopping:
                    return False
        finally:
            self._finished += done
        return True

    def _take(
        self, record: Record, assignment: Assignment, event: AuthEvent | None, payload_field: str
    ) -> None:
        """Handle a message that may take more than a call."""
        key = record.key()
        if key in self._queues:
            assignment.progress.begin(record.offset())
            self._queues[key].append(Job(record, assignment))
        elif event is None and self._attempts.may_wait(record):
            self._open_lane(Job(record, assignment))
        else:
            self._begin(record, assignment, event, payload_field)

    def _begin(
        self, record: Record, assignment: Assignment, event: Decoded | None, payload_field: str
    ) -> None:
        """Handle a message at once if that needs no waiting, else in a lane."""
        try:
            if event is None:
                reading = self._handling.read(record)
                event, payload_field, handler = reading.event, reading.payload_field, reading.handler
            else:
                handler = self._handling.handler_of(event, payload_field)
        except Exception as error:  # noqa: BLE001 - whatever reading raises
            self._open_lane(Job(record, assignment), Failure(error, while_reading=True))
            return
        if handler is not None and (handler.is_async or self._workers is not None):
            self._open_lane(Job(record, assignment, Reading(event, payload_field, handler)))
            return
        begun = time.monotonic()
        try:
            if handler is not None:
                self._handling.call(handler, event, payload_field, record, 1)
        except BaseException as error:  # noqa: BLE001 - whatever a handler raises
            self._open_lane(Job(record, assignment), Failure(error))
            return
        assignment.progress.seen = record.offset() + 1
        self._finished += 1
        if assignment.notes is not None:
            assignment.notes.add(payload_field or type_name(event), event, time.monotonic() - begun)

    def _pause(self, partition: Partition, assignment: Assignment) -> None:
        """Fetch and begin no more of a partition, so that others have the rest of the backlog."""
        fetched = [run for run in self._waiting if run.partition == partition]
        self._paused.pause(partition, assignment, fetched)
        self._waiting = deque(run for run in self._waiting if run.partition != partition)

    def _resume(self, job: Job) -> None:
        """An event in a lane has finished: perhaps its partition can go on."""
        if runs := self._paused.resume(Partition(job.record.topic(), job.record.partition())):
            self._waiting.extend(runs)
            self._schedule()

    def _open_lane(self, job: Job, failure: Failure | None = None) -> None:
        job.assignment.progress.begin(job.record.offset())
        self._lanes.open(job, failure)


def _known(offsets: Mapping[Partition, int | None]) -> dict[Partition, int]:
    return {partition: offset for partition, offset in offsets.items() if offset is not None}
