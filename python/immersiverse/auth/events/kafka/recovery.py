"""What happens to a message after its first failure: it is tried again, put aside, or stops everything."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from immersiverse.auth.events.observability.hooks import DeadLettered, DecodeFailed, Retried

if TYPE_CHECKING:
    from immersiverse.auth.events.kafka.attempts import Attempts
    from immersiverse.auth.events.kafka.dead_letters import DeadLetters
    from immersiverse.auth.events.kafka.failure import Failure
    from immersiverse.auth.events.kafka.job import Job
    from immersiverse.auth.events.kafka.policy import Policy
    from immersiverse.auth.events.kafka.slots import Slots
    from immersiverse.auth.events.kafka.telling import Telling

_log = logging.getLogger(__name__)


class Recovery:
    """Sees failed messages through. It takes a slot for each attempt only, not while it waits.

    Args:
        attempts: tries a message.
        policy: how often, how soon, and what is fatal.
        dead_letters: where what cannot be processed goes.
        slots: how much may be tried at the same time.
        tell: what hears of it.
    """

    def __init__(
        self, attempts: Attempts, policy: Policy, dead_letters: DeadLetters, slots: Slots, tell: Telling
    ) -> None:
        self._attempts = attempts
        self._policy = policy
        self._dead_letters = dead_letters
        self._slots = slots
        self._tell = tell

    async def see_through(self, job: Job, failure: Failure) -> None:
        """Return when the message was handled, or is safe among the dead letters.

        Raises:
            Gone: if it may not be tried any more.
            BaseException: the error of a fatal failure.
        """
        last: Failure | None = failure
        while last is not None:
            if last.is_fatal(self._policy.fatal):
                raise last.error
            if self._is_hopeless(job, last):
                await self._condemn(job, last)
                return
            await self._pause(job, last)
            last = await self._attempt(job)

    def _is_hopeless(self, job: Job, failure: Failure) -> bool:
        """Count a failure; whether to give up: never while only the registry or the guard is away."""
        if failure.is_outage:
            job.outages += 1
            return False
        job.failures += 1
        return failure.is_unreadable or self._policy.retry.exhausted(job.failures)

    async def _attempt(self, job: Job) -> Failure | None:
        await self._slots.acquire()
        try:
            return await self._attempts.attempt(job)
        finally:
            self._slots.release()

    async def _pause(self, job: Job, failure: Failure) -> None:
        count = job.outages if failure.is_outage else job.failures
        delay = self._policy.retry.delay(count)
        if self._tell and not failure.is_outage:
            self._tell(Retried(job.record.topic(), count, delay, failure.error))
        _log.warning("%s: attempt %d failed, next in %.1f s: %r", job.place, count, delay, failure.error)
        await job.assignment.pause(delay)

    async def _condemn(self, job: Job, failure: Failure) -> None:
        """Dead-letter a message; return when a broker has the letter."""
        topic, name = job.record.topic(), type(failure.error).__name__
        attempts = 0 if failure.is_unreadable else job.failures
        if self._tell and failure.is_unreadable:
            self._tell(DecodeFailed(topic, name))
        job.assignment.enter()
        try:
            await self._dead_letters.send(job.record, failure.error, attempts)
        finally:
            job.assignment.leave()
        _log.error("%s: dead-lettered after %d attempts: %r", job.place, attempts, failure.error)
        if self._tell:
            self._tell(DeadLettered(topic, name, attempts))
