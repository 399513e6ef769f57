"""What happens to a message after its first failure: it is tried again, put aside, or stops everything."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

from immersiverse.auth.events.observability.hooks import DeadLettered, DecodeFailed, Retried, Stubbed
from immersiverse.auth.events.printable import error_text

if TYPE_CHECKING:
    from immersiverse.auth.events.kafka.failure import Failure
    from immersiverse.auth.events.kafka.instrumentation import HookDispatcher
    from immersiverse.auth.events.kafka.job import Job
    from immersiverse.auth.events.kafka.policy import Policy
    from immersiverse.auth.events.kafka.record import Record

_log = logging.getLogger(__name__)


class PutsAside(Protocol):
    """Where messages go that cannot be processed."""

    async def send(self, record: Record, error: BaseException, attempts: int) -> bool:
        """Put one aside; return when it is safe there: whether with its value, or as a stub."""
        ...


class Recovery:
    """Decides what becomes of a message after a failure.

    Args:
        policy: how often, how soon, and what is fatal.
        dead_letters: where what cannot be processed goes.
        tell: what hears of it.
    """

    def __init__(self, policy: Policy, dead_letters: PutsAside, tell: HookDispatcher) -> None:
        self._policy = policy
        self._dead_letters = dead_letters
        self._tell = tell

    async def is_put_aside(self, job: Job, failure: Failure) -> bool:
        """True when a message is safe among the dead letters, False when it is time for its next attempt.

        Raises:
            BaseException: the error of a fatal failure.
        """
        if failure.is_fatal(self._policy.fatal):
            raise failure.error
        if self._is_hopeless(job, failure):
            await self._condemn(job, failure)
            return True
        await self._pause(job, failure)
        return False

    def _is_hopeless(self, job: Job, failure: Failure) -> bool:
        """Count a failure; whether to give up: never while only the registry or the inbox is away."""
        if failure.is_outage:
            job.outages += 1
            return False
        if failure.is_refused:
            job.refusals += 1
            return self._policy.retry.exhausted(job.refusals)
        job.failures += 1
        return failure.is_unreadable or self._policy.retry.exhausted(job.failures)

    async def _pause(self, job: Job, failure: Failure) -> None:
        count = _count(job, failure)
        delay = self._policy.retry.delay(count)
        if self._tell:
            self._tell(Retried(job.record.topic(), count, delay, failure.error))
        _log.warning(
            "%s: attempt %d failed, next in %.1f s: %s", job.place, count, delay, error_text(failure.error)
        )
        await job.assignment.pause(delay)

    async def _condemn(self, job: Job, failure: Failure) -> None:
        """Dead-letter a message; return when a broker has the letter."""
        topic, name = job.record.topic(), type(failure.error).__name__
        unread = failure.is_unreadable or failure.is_refused
        attempts = 0 if unread else job.failures
        if self._tell and unread:
            self._tell(DecodeFailed(topic, name))
        job.assignment.enter(job.record.offset())
        try:
            is_whole = await self._dead_letters.send(job.record, failure.error, attempts)
        finally:
            job.assignment.leave(job.record.offset())
        _log.error("%s: dead-lettered after %d attempts: %s", job.place, attempts, error_text(failure.error))
        if self._tell:
            self._tell(DeadLettered(topic, name, attempts))
            if not is_whole:
                self._tell(Stubbed(topic, name, len(job.record.value() or b"")))


def _count(job: Job, failure: Failure) -> int:
    """How often a message has failed like this."""
    if failure.is_refused:
        return job.refusals
    return job.outages if failure.is_outage else job.failures
