"""One key's events one after the other, many keys side by side.

Belongs to the event loop's thread, except for `StopState`. Each key with events has a queue and a task that
works it off; the task holds a permit while a handler runs, and gives it back while it waits for a registry,
for the next attempt or for a dead letter.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from immersiverse.auth.events.kafka.consumer.failures import Failure
from immersiverse.auth.events.kafka.consumer.invocation import run_handlers
from immersiverse.auth.events.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Hashable

    from immersiverse.auth.events.kafka.consumer.decoding import RecordDecoder
    from immersiverse.auth.events.kafka.consumer.failures import FailurePolicy
    from immersiverse.auth.events.kafka.consumer.records import InFlightRecord

_log = get_logger(__name__)
_GRACE = 1.0  # seconds for cancelled handlers to clean up


@dataclass(slots=True)
class StopState:
    """How far a subscriber has stopped.

    Attributes:
        stopping: whether it begins nothing new; set from any thread.
        aborted: whether an error stops it, so that not even events before finished ones are begun.
    """

    stopping: bool = False
    aborted: bool = False


class ConcurrencyLimiter:
    """How many handlers may run at the same time. A permit given back goes to the longest waiting task.

    Args:
        permits: how many.
        on_free: is called when a permit is given back that no task waits for.

    Attributes:
        free: how many permits are free.
    """

    def __init__(self, permits: int, on_free: Callable[[], None]) -> None:
        self.free = permits
        self._on_free = on_free
        self._waiting: deque[asyncio.Future[None]] = deque()

    def permit(self) -> Permit:
        """Take a free permit; `free` must be more than 0."""
        self.free -= 1
        return Permit(self, is_held=True)

    async def acquire(self) -> None:
        """Take a permit as soon as one is free."""
        if self.free > 0:
            self.free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # it got the permit before it was cancelled
                self.release()
            raise

    def release(self) -> None:
        """Give a permit back."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self.free += 1
        self._on_free()


class Permit:
    """A task's permit to call a handler, which it gives back and takes again; in the end it is given back.

    Attributes:
        is_held: whether the task has it now.
    """

    __slots__ = ("_limiter", "is_held")

    def __init__(self, limiter: ConcurrencyLimiter, *, is_held: bool) -> None:
        self._limiter = limiter
        self.is_held = is_held

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    async def acquire(self) -> None:
        """Take it, when it is not held."""
        await self._limiter.acquire()
        self.is_held = True

    def release(self) -> None:
        """Give it back, if it is held."""
        if self.is_held:
            self.is_held = False
            self._limiter.release()


class KeyedQueues:
    """Handles records that take more than one step.

    Args:
        decoder: decodes records.
        failures: decides after a failed attempt.
        limiter: how many handlers may run at the same time.
        state: how far the subscriber has stopped.
        lets_pass: whether later records of a key go on while a failed one waits for its next attempt.
        on_finish: is called with each finished record.
        on_error: is called with an error that must stop the subscriber.

    Attributes:
        by_key: what waits in each key's queue; a key is here as long as one of its events is in flight.
        finished: how many records are finished or were abandoned.
    """

    def __init__(  # noqa: PLR0913 - its parts, by keyword
        self,
        *,
        decoder: RecordDecoder,
        failures: FailurePolicy,
        limiter: ConcurrencyLimiter,
        state: StopState,
        lets_pass: bool,
        on_finish: Callable[[InFlightRecord], None],
        on_error: Callable[[BaseException], None],
    ) -> None:
        self._decoder = decoder
        self._failures = failures
        self._limiter = limiter
        self._state = state
        self._lets_pass = lets_pass
        self._on_finish = on_finish
        self._on_error = on_error
        self._tasks: set[asyncio.Task[None]] = set()
        self.by_key: dict[Hashable, deque[InFlightRecord]] = {}
        self.finished = 0

    def add(self, item: InFlightRecord, failure: Failure | None = None) -> None:
        """Handle a record after those of its key. If the key has no queue, there must be a free permit.

        Args:
            item: the record.
            failure: how its first attempt failed, if there was one; then the key has no queue.
        """
        item.assignment.offsets.begin(item.record.offset())
        queue = self.by_key.get(item.key)
        if queue is None:
            self._open(item, self._limiter.permit(), failure)
        else:
            queue.append(item)

    async def close(self) -> None:
        """Cancel what still runs or waits."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            _, stuck = await asyncio.wait(self._tasks, timeout=_GRACE)
            if stuck:
                _log.warning("%d handlers ignored cancellation and were abandoned", len(stuck))

    def _open(self, item: InFlightRecord, permit: Permit, failure: Failure | None = None) -> None:
        self.by_key[item.key] = deque((item,))
        self._spawn(self._work_off(item.key, permit, failure))

    async def _work_off(self, key: Hashable, permit: Permit, failure: Failure | None) -> None:
        queue = self.by_key[key]
        with permit:
            try:
                while queue:
                    await self._see_through(queue.popleft(), permit, failure)
                    failure = None
            finally:
                del self.by_key[key]

    async def _see_through(self, item: InFlightRecord, permit: Permit, failure: Failure | None) -> None:
        """Attempt a record until it is finished or abandoned; only once if its key's later ones may pass."""
        while (failure := failure or await self._attempt(item, permit)) is not None:
            if self._lets_pass and not failure.is_outage:
                self._spawn(self._come_back(item, failure))
                return
            permit.release()
            if await self._is_settled(item, failure):
                return
            failure = None

    async def _come_back(self, item: InFlightRecord, failure: Failure) -> None:
        """Put a failed record at the end of its key's queue when its next attempt is due."""
        if await self._is_settled(item, failure):
            return
        permit = Permit(self._limiter, is_held=False)
        await permit.acquire()
        if (queue := self.by_key.get(item.key)) is None:
            self._open(item, permit)
        else:
            queue.append(item)
            permit.release()

    async def _is_settled(self, item: InFlightRecord, failure: Failure) -> bool:
        """Whether a failed record was dead-lettered; else its next attempt is due."""
        settled = await self._failures.retry_or_dead_letter(item, failure)
        if settled:
            self._finish(item)
        return settled

    async def _attempt(self, item: InFlightRecord, permit: Permit) -> Failure | None:
        """Why an attempt failed; None if the record is finished or abandoned."""
        if self._needs_registry(item):
            permit.release()  # others may be handled meanwhile
            decoded = await self._decoder.decode_in_thread(item.record, lambda: not self._is_revoked(item))
            if isinstance(decoded, Failure):
                return decoded
            item.decoded = decoded
        if not permit.is_held:
            await permit.acquire()
        assignment, offset = item.assignment, item.record.offset()
        if self._state.stopping:
            assignment.release()
        if self._is_revoked(item):
            assignment.abandon(offset)
            self.finished += 1
            return None
        assignment.enter(offset)
        try:
            decoded, item.decoded = item.decoded or self._decoder.decode(item.record), None
            if isinstance(decoded, Failure):
                return decoded
            event, field, invocation = decoded
            ready = (event, field, item.record, item.failures + 1, invocation.call)
            failure = await run_handlers((ready,), assignment.stats)
        finally:
            assignment.leave(offset)
        if failure is None:
            self._finish(item)
        return failure

    def _needs_registry(self, item: InFlightRecord) -> bool:
        return item.decoded is None and not self._is_revoked(item) and self._decoder.may_wait(item.record)

    def _is_revoked(self, item: InFlightRecord) -> bool:
        if self._state.aborted:
            return True
        return not item.assignment.may_begin(item.record.offset(), has_failed=item.has_failed)

    def _finish(self, item: InFlightRecord) -> None:
        item.assignment.finish(item.record.offset())
        self.finished += 1
        self._on_finish(item)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(self._or_stop(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _or_stop(self, work: Coroutine[Any, Any, None]) -> None:
        """Stop everything on an error that must not be passed over, with the offset uncommitted."""
        try:
            await work
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - fatal errors of the user's choice, exits, and ours
            self._on_error(error)
