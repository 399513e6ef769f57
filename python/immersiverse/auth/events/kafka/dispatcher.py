"""Decides what is handled when: one user's events in order, many users at a time, failures aside.

Runs in an event loop and does no I/O of its own. A plain handler on an untroubled key is called at once, without a
task; everything else runs in a lane, which is one key's queue and the task that empties it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from immersiverse.auth.events.errors import DecodeError, RegistryUnavailable
from immersiverse.auth.events.kafka.assignment import Assignment
from immersiverse.auth.events.kafka.job import Job
from immersiverse.auth.events.observability.hooks import DeadLettered, DecodeFailed, Retried

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Hashable, Iterable

    from confluent_kafka import Message

    from immersiverse.auth.events.kafka.dead_letters import DeadLetters
    from immersiverse.auth.events.kafka.handling import Handling
    from immersiverse.auth.events.kafka.policy import Policy
    from immersiverse.auth.events.kafka.tally import Tally
    from immersiverse.auth.events.observability.hooks import Detail

    Partition = tuple[str, int]

_log = logging.getLogger(__name__)
_SLICE = 0.02  # seconds of handling before the event loop gets a turn


class Dispatcher:
    """Handles the messages of the partitions that are ours.

    Args:
        handling: how one event is handled.
        policy: what happens on failure, and how much at a time.
        dead_letters: where what cannot be processed goes.
        tell: what hears of it; None if nobody listens.
        tally: counts what was handled; None if nobody listens.
        fail: is called with an error that must stop the subscriber.
    """

    def __init__(
        self,
        handling: Handling,
        policy: Policy,
        dead_letters: DeadLetters,
        *,
        tell: Callable[[Detail], None] | None,
        tally: Tally | None,
        fail: Callable[[BaseException], None],
    ) -> None:
        self._handling = handling
        self._policy = policy
        self._dead_letters = dead_letters
        self._tell = tell
        self._tally = tally
        self._fail = fail
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Message] = deque()
        self._lanes: dict[Hashable, deque[Job]] = {}
        self._running = 0
        self._scheduled = False
        self._stopped = False
        self._tasks: set[asyncio.Task[None]] = set()
        # Plain handlers run here and now, unless they run in an executor.
        self._at_once = handling.executor is None
        self.assignments: dict[Partition, Assignment] = {}
        self.finished = 0

    def assign(self, partitions: Iterable[Partition]) -> None:
        """Partitions became ours."""
        for partition in partitions:
            self.assignments[partition] = Assignment()

    def deliver(self, messages: list[Message]) -> None:
        """Messages arrived, each partition's in order."""
        self._waiting.extend(messages)
        self._schedule()

    async def release(self, partitions: Iterable[Partition], seconds: float) -> dict[Partition, int]:
        """Partitions are to be given away: begin nothing more of them, and let what runs finish.

        Args:
            partitions: which ones.
            seconds: how long to wait; what runs longer will be handled again by whoever gets the partition.

        Returns:
            The offsets to commit.
        """
        leaving = {partition: self.assignments.pop(partition, None) for partition in partitions}
        going = {partition: assignment for partition, assignment in leaving.items() if assignment}
        for assignment in going.values():
            assignment.released.set()
        await asyncio.gather(*(assignment.idle(seconds) for assignment in going.values()))
        offsets = {partition: assignment.progress.take_commit() for partition, assignment in going.items()}
        return {partition: offset for partition, offset in offsets.items() if offset is not None}

    def take_commits(self) -> dict[Partition, int]:
        """The offsets that can be committed now and were not before."""
        offsets = {partition: a.progress.take_commit() for partition, a in self.assignments.items()}
        return {partition: offset for partition, offset in offsets.items() if offset is not None}

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._work)

    def _work(self) -> None:
        """Handle what waits, until nothing does, all slots are taken, or others should have a turn."""
        self._scheduled = False
        waiting, limit, end = self._waiting, self._policy.concurrency, time.monotonic() + _SLICE
        while waiting and self._running < limit and not self._stopped:
            self._take(waiting.popleft())
            if time.monotonic() > end:
                break
        if self._tally:
            self._tally.report()
        if waiting and self._running < limit:
            self._schedule()

    def _take(self, message: Message) -> None:
        assignment = self.assignments.get((message.topic(), message.partition()))
        if assignment is None:  # given away since it was fetched
            self.finished += 1
        elif (key := message.key()) in self._lanes:
            assignment.progress.begin(message.offset())
            self._lanes[key].append(Job(message, assignment))
        elif self._at_once:
            try:
                done = self._handled_at_once(message, assignment)
            except Exception as error:  # noqa: BLE001 - whatever a handler raises
                self._open_lane(message, assignment, error)
            else:
                if done:
                    assignment.progress.seen = message.offset() + 1
                    self.finished += 1
                else:
                    self._open_lane(message, assignment, None)
        else:
            self._open_lane(message, assignment, None)

    def _handled_at_once(self, message: Message, assignment: Assignment) -> bool:
        """Whether no task is needed; raises what the handler raises."""
        handling = self._handling
        event, arm = handling.deserializer.read(message)
        handler = handling.handler_of(event, arm)
        if handler is not None and event is not None:
            if handler.is_async:
                return False
            if handling.guard is None and arm and not handler.wants_context:
                handler.call(event, getattr(event, arm))
            else:
                handling.call(handler, event, arm, Job(message, assignment))
        if self._tally:
            self._tally.count(message.topic(), arm, event)
        return True

    def _open_lane(self, message: Message, assignment: Assignment, failed: BaseException | None) -> None:
        job = Job(message, assignment)
        assignment.progress.begin(message.offset())
        key = message.key()
        # A message without a key is nobody's: it holds nobody back.
        lane_key: Hashable = (
            key if key is not None else (message.topic(), message.partition(), message.offset())
        )
        self._lanes[lane_key] = deque()
        self._running += 1
        self._spawn(self._run_lane(lane_key, job, failed))

    async def _run_lane(self, key: Hashable, job: Job, failed: BaseException | None) -> None:
        lane = self._lanes[key]
        try:
            await self._see_through(job, failed)
            while lane:
                await self._see_through(lane.popleft(), None)
        finally:
            del self._lanes[key]
            self._running -= 1
            self._schedule()

    async def _see_through(self, job: Job, failed: BaseException | None) -> None:
        """Handle one message to its end, or let it go with its partition."""
        error = failed or await self._attempt(job)
        if error is None or error is _GONE:
            self._finish(job, handled=error is None)
        elif self._policy.after_failure == "let-pass":
            self._spawn(self._recover(job, error, in_lane=False))
        else:
            await self._recover(job, error, in_lane=True)

    async def _attempt(self, job: Job) -> BaseException | None:
        """Why it failed; None if it did not."""
        if self._stopped or job.assignment.released.is_set():
            return _GONE
        job.assignment.running += 1
        try:
            event, arm = await self._handling.attempt(job)
        except Exception as error:  # noqa: BLE001 - whatever a handler raises
            return error
        finally:
            job.assignment.running -= 1
        if self._tally:
            self._tally.count(job.message.topic(), arm, event)
        return None

    async def _recover(self, job: Job, error: BaseException | None, *, in_lane: bool) -> None:
        """Try until it succeeds, is condemned, or its partition goes."""
        while error is not None and error is not _GONE:
            if isinstance(error, self._policy.fatal):
                raise error
            job.failures += 1
            if self._is_hopeless(job, error):
                await self._condemn(job, error)
                break
            await self._pause(job, error, in_lane=in_lane)
            error = await self._attempt(job)
        self._finish(job, handled=error is not _GONE)

    def _is_hopeless(self, job: Job, error: BaseException) -> bool:
        """Whether to give up: at once on what can never be read, never while only the registry is away."""
        if isinstance(error, DecodeError):
            return True
        return not isinstance(error, RegistryUnavailable) and self._policy.retry.exhausted(job.failures)

    async def _pause(self, job: Job, error: BaseException, *, in_lane: bool) -> None:
        """Wait for the next attempt; a lane takes no slot meanwhile."""
        delay = self._policy.retry.delay(job.failures)
        if self._tell:
            self._tell(Retried(job.message.topic(), job.failures, delay, error))
        _log.warning("%s: attempt %d failed, next in %.1f s: %r", _place(job), job.failures, delay, error)
        if in_lane:
            self._running -= 1
            self._schedule()
        try:
            await job.assignment.pause(delay)
        finally:
            if in_lane:
                self._running += 1

    async def _condemn(self, job: Job, error: BaseException) -> None:
        """Dead-letter a message; return when a broker has the letter."""
        unreadable = isinstance(error, DecodeError)
        attempts = 0 if unreadable else job.failures
        topic, name = job.message.topic(), type(error).__name__
        if self._tell and unreadable:
            self._tell(DecodeFailed(topic, name))
        job.assignment.running += 1
        try:
            await self._dead_letters.send(job.message, error, attempts)
        finally:
            job.assignment.running -= 1
        _log.error("%s: dead-lettered after %d attempts: %r", _place(job), attempts, error)
        if self._tell:
            self._tell(DeadLettered(topic, name, attempts))

    def _finish(self, job: Job, *, handled: bool) -> None:
        """It is done with here; only if it was handled may its offset be committed."""
        if handled:
            job.assignment.progress.finish(job.message.offset())
        self.finished += 1

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(self._or_stop(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _or_stop(self, work: Coroutine[Any, Any, None]) -> None:
        """An error that nobody may pass over stops everything, with offsets uncommitted."""
        try:
            await work
        except Exception as error:  # noqa: BLE001 - fatal errors of the user's choice, and ours
            self._stopped = True
            self._fail(error)


class _Gone(Exception):
    """Instead of an outcome: the partition was given away, or the subscriber stops."""


_GONE = _Gone()


def _place(job: Job) -> str:
    message = job.message
    return f"{message.topic()}[{message.partition()}]@{message.offset()}"
