"""One attempt at one message, wherever its handler runs."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from immersiverse.auth.events.kafka.failure import Failure, Gone
from immersiverse.auth.events.kafka.workers import Workers

if TYPE_CHECKING:
    from immersiverse.auth.events.kafka.handling import Handling
    from immersiverse.auth.events.kafka.job import Job, Reading
    from immersiverse.auth.events.kafka.tally import Tally

_READERS = 4  # messages whose schemas are asked for at the same time


class Attempts:
    """Tries messages, and says how they failed.

    Args:
        handling: how a message is handled.
        workers: where plain functions run; None for the event loop's own thread.
        tally: counts what was handled; None if nobody listens.

    Attributes:
        stopping: whether the subscriber stops; set from any thread.
        stopped: whether nothing may be tried any more, since an error stops the subscriber.
    """

    def __init__(self, handling: Handling, workers: Workers | None, tally: Tally | None) -> None:
        self._handling = handling
        self._workers = workers
        self._tally = tally
        self._readers = Workers(_READERS, "auth-events-reader")
        self.may_wait = handling.deserializer.may_wait
        self.stopping = False
        self.stopped = False

    def must_read_aside(self, job: Job) -> bool:
        """Whether reading a message may take long, so that the event loop should go on meanwhile."""
        return job.reading is None and not self._is_over(job) and self.may_wait(job.record)

    async def read_aside(self, job: Job) -> Failure | None:
        """Read a message in a thread if its schema must be asked for.

        Why it failed; None if the message was read, or needs no asking.
        """
        if not self.must_read_aside(job):
            return None

        def read() -> None:
            if not self._is_over(job):  # which it may be by the time that a thread is free
                job.reading = self._handling.read(job.record)

        try:
            await self._readers.run(read)
        except Exception as error:  # noqa: BLE001 - whatever reading raises
            return Failure(error, while_reading=True)
        return None

    async def attempt(self, job: Job) -> Failure | None:
        """Why it failed; None if it did not.

        Raises:
            Gone: if it may not be tried any more.
        """
        if self.stopping:
            job.assignment.release()
        if self._is_over(job):
            job.assignment.abandon(job.record.offset())
            raise Gone
        job.assignment.enter(job.record.offset())
        try:
            return await self._read_and_handle(job)
        finally:
            job.assignment.leave(job.record.offset())

    def close(self) -> None:
        """End the threads that read, each when it has an answer."""
        self._readers.close()

    def _is_over(self, job: Job) -> bool:
        return self.stopped or not job.assignment.may_begin(job.record.offset(), has_failed=job.has_failed)

    async def _read_and_handle(self, job: Job) -> Failure | None:
        try:
            reading, job.reading = job.reading or self._handling.read(job.record), None
        except Exception as error:  # noqa: BLE001 - whatever reading raises
            return Failure(error, while_reading=True)
        begun = time.perf_counter()
        try:
            await self._handle(reading, job)
        except asyncio.CancelledError as error:
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise
            return Failure(error)  # the handler awaited something that was cancelled; we were not
        except BaseException as error:  # noqa: BLE001 - whatever a handler raises
            return Failure(error)
        if self._tally:
            self._tally.add(job.record.topic(), reading, time.perf_counter() - begun)
        return None

    async def _handle(self, reading: Reading, job: Job) -> None:
        handler, attempt = reading.handler, job.failures + 1
        if handler is None:
            return
        if handler.is_async:
            await self._handling.call_async(reading, job.record, attempt)
        elif self._workers is None:
            self._handling.call(handler, reading.event, reading.payload_field, job.record, attempt)
        else:
            call, event, payload_field = self._handling.call, reading.event, reading.payload_field
            await self._workers.run(lambda: call(handler, event, payload_field, job.record, attempt))
