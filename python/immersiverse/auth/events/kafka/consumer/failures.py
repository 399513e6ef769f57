"""What follows a failed attempt: the next one, a dead letter, or the end of the subscriber."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from immersiverse.auth.events.errors import (
    AuthEventsError,
    ConfigurationError,
    InboxUnavailable,
    MissingExtra,
    RegistryError,
    SchemaRefused,
)
from immersiverse.auth.events.events import type_name
from immersiverse.auth.events.kafka.consumer.metrics import envelope_of
from immersiverse.auth.events.kafka.record import position_of
from immersiverse.auth.events.logs import get_logger
from immersiverse.auth.events.observability.hooks import DeadLettered, DecodeFailed, Retried, Stubbed
from immersiverse.auth.events.printable import capped, error_text, printable

if TYPE_CHECKING:
    from immersiverse.auth.events.kafka.consumer.options import Policy
    from immersiverse.auth.events.kafka.consumer.records import InFlightRecord
    from immersiverse.auth.events.kafka.instrumentation import HookDispatcher
    from immersiverse.auth.events.kafka.record import Record
    from immersiverse.auth.events.serialization.unknown import Decoded

_log = get_logger(__name__)
_MAX_ID = 100  # characters of an event id in a log line


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed attempt at a record.

    Attributes:
        record: the record.
        error: what was raised.
        event: the event whose handler raised it; None if the record could not be decoded.
        while_decoding: whether the record could not be decoded, so that no handler was called.
    """

    record: Record
    error: BaseException
    event: Decoded | None = None
    while_decoding: bool = False

    @property
    def is_outage(self) -> bool:
        """Whether it says nothing about the record: the registry or the inbox did not answer."""
        if self.while_decoding:
            return isinstance(self.error, RegistryError) and not self.is_refused
        return isinstance(self.error, InboxUnavailable)

    @property
    def is_refused(self) -> bool:
        """Whether the registry refuses the record's schema while it answers for others."""
        return self.while_decoding and isinstance(self.error, SchemaRefused)

    @property
    def is_unreadable(self) -> bool:
        """Whether the record can never be decoded."""
        return self.while_decoding and isinstance(self.error, AuthEventsError) and not self.is_outage

    def is_fatal(self, kinds: tuple[type[BaseException], ...]) -> bool:
        """Whether the subscriber must stop: for these kinds, exits, and errors that only a person can fix."""
        if isinstance(self.error, (*kinds, MissingExtra, ConfigurationError)):
            return True
        # A handler that awaits something cancelled has failed like any other.
        return not isinstance(self.error, Exception | asyncio.CancelledError)

    @property
    def subject(self) -> str:
        """The record and its event for a log line."""
        position = position_of(self.record)
        if self.event is None:
            return position
        event_id = printable(capped(envelope_of(self.event).event_id, _MAX_ID))
        return f"{type_name(self.event)} {event_id} at {position}"


class DeadLetterSink(Protocol):
    """Where records go that cannot be processed."""

    async def send(self, record: Record, error: BaseException, attempts: int) -> bool:
        """Return when a broker has acknowledged the dead letter: whether with its value, or as a stub."""


class FailurePolicy:
    """Decides between the next attempt and a dead letter, as a policy says."""

    def __init__(self, policy: Policy, dead_letters: DeadLetterSink, notify: HookDispatcher) -> None:
        self._policy = policy
        self._dead_letters = dead_letters
        self._notify = notify

    async def retry_or_dead_letter(self, item: InFlightRecord, failure: Failure) -> bool:
        """Return True when a record is safe on the dead letter topic, False when its next attempt is due.

        Raises:
            BaseException: the error of a fatal failure.
        """
        if failure.is_fatal(self._policy.fatal):
            raise failure.error
        if self._is_exhausted(item, failure):
            await self._dead_letter(item, failure)
            return True
        await self._back_off(item, failure)
        return False

    def _is_exhausted(self, item: InFlightRecord, failure: Failure) -> bool:
        """Count a failure; whether to give up: never while only the registry or the inbox is unavailable."""
        if failure.is_outage:
            item.outages += 1
            return False
        if failure.is_refused:
            item.refusals += 1
            return self._policy.retry.exhausted(item.refusals)
        item.failures += 1
        return failure.is_unreadable or self._policy.retry.exhausted(item.failures)

    async def _back_off(self, item: InFlightRecord, failure: Failure) -> None:
        count = _count(item, failure)
        delay = self._policy.retry.delay(count)
        if self._notify:
            self._notify(Retried(item.record.topic(), count, delay, failure.error))
        _log.warning(
            "%s: attempt %d failed, next in %.1f s: %s",
            failure.subject, count, delay, error_text(failure.error),
        )  # fmt: skip
        await item.assignment.back_off(delay)

    async def _dead_letter(self, item: InFlightRecord, failure: Failure) -> None:
        """Dead-letter a record; return when a broker has acknowledged it."""
        topic, name = item.record.topic(), type(failure.error).__name__
        unread = failure.is_unreadable or failure.is_refused
        attempts = 0 if unread else item.failures
        if self._notify and unread:
            self._notify(DecodeFailed(topic, name))
        item.assignment.enter(item.record.offset())
        try:
            is_whole = await self._dead_letters.send(item.record, failure.error, attempts)
        finally:
            item.assignment.leave(item.record.offset())
        _log.error(
            "%s: dead-lettered after %d attempts: %s",
            failure.subject, attempts, error_text(failure.error),
            exc_info=None if unread else failure.error,  # the traceback of the handler; ours says nothing
        )  # fmt: skip
        if self._notify:
            self._notify(DeadLettered(topic, name, attempts))
            if not is_whole:
                self._notify(Stubbed(topic, name, len(item.record.value() or b"")))


def _count(item: InFlightRecord, failure: Failure) -> int:
    """How often a record has failed like this."""
    if failure.is_refused:
        return item.refusals
    return item.outages if failure.is_outage else item.failures
