"""One key's events one after the other, many keys side by side.

A lane is one key's queue and the task that empties it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING, Any

from immersiverse.auth.events.kafka.failure import Failure, Gone

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Hashable

    from immersiverse.auth.events.kafka.attempts import Attempts
    from immersiverse.auth.events.kafka.job import Job
    from immersiverse.auth.events.kafka.recovery import Recovery
    from immersiverse.auth.events.kafka.slots import Slots

_log = logging.getLogger(__name__)
_GRACE = 1.0  # seconds for cancelled handlers to clean up


class Lanes:
    """Handles messages that cannot be handled at once, in one event loop.

    Args:
        attempts: tries a message.
        recovery: decides after a failure.
        slots: how many lanes may be handling at the same time.
        lets_pass: whether later messages of a key go on while a failed one waits for its next attempt.
        finish: is called with each message that was finished.
        fail: is called with an error that must stop the subscriber.

    Attributes:
        queues: what waits in each lane, by key.
        finished: how many messages are done with here, handled or not.
    """

    def __init__(  # noqa: PLR0913 - what it is made of
        self,
        attempts: Attempts,
        recovery: Recovery,
        slots: Slots,
        *,
        lets_pass: bool,
        finish: Callable[[Job], None],
        fail: Callable[[BaseException], None],
    ) -> None:
        self._attempts = attempts
        self._recovery = recovery
        self._slots = slots
        self._lets_pass = lets_pass
        self._on_finish = finish
        self._fail = fail
        self._tasks: set[asyncio.Task[None]] = set()
        self.queues: dict[Hashable, deque[Job]] = {}
        self.finished = 0

    def open(self, job: Job, failure: Failure | None = None) -> None:
        """Handle a message whose key has no lane yet. There must be a free slot.

        Args:
            job: the message.
            failure: how its first attempt failed, if there was one.
        """
        self._slots.take()
        self._open(job, failure)

    async def close(self) -> None:
        """Give up what still runs or waits."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            _, immortal = await asyncio.wait(self._tasks, timeout=_GRACE)
            if immortal:
                _log.warning("%d handlers do not heed their cancellation, and are left behind", len(immortal))

    def _open(self, job: Job, failure: Failure | None) -> None:
        """Takes over a slot."""
        self.queues[job.key] = deque((job,))
        self._spawn(self._run(job.key, failure))

    async def _run(self, key: Hashable, failure: Failure | None) -> None:
        queue, has_slot = self.queues[key], True
        try:
            while queue:
                job = queue.popleft()
                if failure is None and self._attempts.must_read_aside(job):
                    self._slots.release()
                    has_slot = False
                    failure = await self._attempts.read_aside(job)
                    await self._slots.acquire()
                    has_slot = True
                failure = failure or await self._attempt(job)
                if failure is None:
                    continue
                if self._lets_pass and not failure.is_outage:
                    self._spawn(self._come_back(job, failure))
                else:
                    self._slots.release()
                    has_slot = False
                    await self._see_through(job, failure)
                    await self._slots.acquire()
                    has_slot = True
                failure = None
        finally:
            del self.queues[key]
            if has_slot:
                self._slots.release()

    async def _see_through(self, job: Job, failure: Failure) -> None:
        """Hold a key back until its failed message ends."""
        last: Failure | None = failure
        while last is not None:
            if await self._is_settled(job, last):
                return
            if (last := await self._attempts.read_aside(job)) is not None:
                continue
            await self._slots.acquire()
            try:
                last = await self._attempt(job)
            finally:
                self._slots.release()

    async def _come_back(self, job: Job, failure: Failure) -> None:
        """Take a failed message to the end of its key's queue when it is time."""
        if await self._is_settled(job, failure):
            return
        await self._slots.acquire()
        if (queue := self.queues.get(job.key)) is None:
            self._open(job, None)
        else:
            queue.append(job)
            self._slots.release()

    async def _is_settled(self, job: Job, failure: Failure) -> bool:
        """Whether a failed message is done with; else it is time for the next attempt."""
        settled = await self._recovery.is_put_aside(job, failure)
        if settled:
            self._finish(job)
        return settled

    async def _attempt(self, job: Job) -> Failure | None:
        """Why it failed; None if it is done with."""
        try:
            failure = await self._attempts.attempt(job)
        except Gone:
            self.finished += 1
            return None
        if failure is None:
            self._finish(job)
        return failure

    def _finish(self, job: Job) -> None:
        job.assignment.finish(job.record.offset())
        self.finished += 1
        self._on_finish(job)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(self._or_stop(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _or_stop(self, work: Coroutine[Any, Any, None]) -> None:
        """An error that nobody may pass over stops everything, with offsets uncommitted."""
        try:
            await work
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - fatal errors of the user's choice, exits, and ours
            self._attempts.stopped = True
            self._fail(error)
