"""One attempt at one message, wherever its handler runs."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from immersiverse.auth.events.errors import RegistryError
from immersiverse.auth.events.kafka.failure import Failure, Gone

if TYPE_CHECKING:
    from immersiverse.auth.events.kafka.handling import Handling
    from immersiverse.auth.events.kafka.job import Job, Reading
    from immersiverse.auth.events.kafka.tally import Tally
    from immersiverse.auth.events.kafka.workers import Workers


class Attempts:
    """Tries messages, and says how they failed.

    Args:
        handling: how a message is handled.
        workers: where plain functions run; None for the event loop's own thread.
        tally: counts what was handled; None if nobody listens.

    Attributes:
        registry_away: whether the registry did not answer when last asked, so that asking may take long.
        stopped: whether nothing may be tried any more.
    """

    def __init__(self, handling: Handling, workers: Workers | None, tally: Tally | None) -> None:
        self._handling = handling
        self._workers = workers
        self._tally = tally
        self.registry_away = False
        self.stopped = False

    async def attempt(self, job: Job) -> Failure | None:
        """Why it failed; None if it did not.

        Raises:
            Gone: if it may not be tried any more.
        """
        if self.stopped or job.assignment.released.is_set():
            raise Gone
        job.assignment.enter()
        try:
            return await self._read_and_handle(job)
        finally:
            job.assignment.leave()

    def unread(self, error: Exception) -> Failure:
        """The failure of a message that was not read."""
        if isinstance(error, RegistryError):
            self.registry_away = True
        return Failure(error, while_reading=True)

    async def _read_and_handle(self, job: Job) -> Failure | None:
        try:
            reading, job.reading = job.reading or await self._read(job), None
        except Exception as error:  # noqa: BLE001 - whatever reading raises
            return self.unread(error)
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

    async def _read(self, job: Job) -> Reading:
        """Aside, while reading may wait for the registry."""
        if not self.registry_away:
            return self._handling.read(job.record)
        reading = await asyncio.to_thread(self._handling.read, job.record)
        self.registry_away = False
        return reading

    async def _handle(self, reading: Reading, job: Job) -> None:
        handler, attempt = reading.handler, job.failures + 1
        if handler is None:
            return
        if handler.is_async:
            await self._handling.call_async(reading, job.record, attempt)
        elif self._workers is None:
            self._handling.call(handler, reading.event, reading.arm, job.record, attempt)
        else:
            call, event, arm = self._handling.call, reading.event, reading.arm
            await self._workers.run(lambda: call(handler, event, arm, job.record, attempt))
