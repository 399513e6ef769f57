"""Put aside what cannot be processed, exactly as it came, with where it came from and why."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final

from confluent_kafka import KafkaError, KafkaException, Producer

from immersiverse.auth.events import catalog
from immersiverse.auth.events.kafka.acknowledgements import Acknowledgements
from immersiverse.auth.events.kafka.dead_letter_headers import (
    ATTEMPTS_HEADER,
    PREFIX,
    REDRIVES_HEADER,
    dead_letter_headers,
    without_texts,
)
from immersiverse.auth.events.kafka.record import headers_of
from immersiverse.auth.events.kafka.refusals import refused_setting
from immersiverse.auth.events.kafka.retry import Retry
from immersiverse.auth.events.kafka.settings import connection_settings, producer_settings
from immersiverse.auth.events.kafka.telling import Telling
from immersiverse.auth.events.observability.hooks import Unconfirmed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from confluent_kafka import Message

    from immersiverse.auth.events.kafka.record import Record, RecordHeaders
    from immersiverse.auth.events.observability.hooks import Hook

__all__ = ["ATTEMPTS_HEADER", "PREFIX", "REDRIVES_HEADER", "DeadLetters", "dead_letter_headers"]

_log = logging.getLogger(__name__)
_TICK = 0.002  # seconds; how late an acknowledgement may be noticed
_PATIENCE: Final = Retry(first=0.5, longest=30.0)
_TOO_LARGE = (KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE)
_DEFAULTS: Mapping[str, Any] = {
    "linger.ms": 0,
    "message.max.bytes": 1_000_000_000,  # how large a letter may be is the broker's word
}


class DeadLetters:
    """Sends dead letters and waits for their acknowledgement, however long their topic takes none.

    It belongs to one subscriber, which closes it in the end.

    Args:
        config: a consumer's settings: how to reach the brokers is taken from them.
        topic: where dead letters go.
        producer_config: more settings of the producer, over those.
        patience: how soon a letter that was refused is sent again; how often is not limited.
        hooks: what is told of deliveries without proof.

    Raises:
        ConfigurationError: if a setting is wrong or breaks a guarantee.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        *,
        topic: str = catalog.DEAD_LETTER_TOPIC,
        producer_config: Mapping[str, Any] | None = None,
        patience: Retry = _PATIENCE,
        hooks: Sequence[Hook] = (),
    ) -> None:
        self._settings = producer_settings(
            {**connection_settings(config), **_DEFAULTS, **(producer_config or {})}
        )
        self._group = str(config.get("group.id", ""))
        self._topic = topic
        self._patience = patience
        self._tell = Telling(hooks)
        self._producer: Producer | None = None  # most subscribers never need it
        self._acknowledgements = Acknowledgements()
        self._fatal: KafkaError | None = None  # why letters are being given back
        self._pending = 0
        self._settler: asyncio.Task[None] | None = None

    async def send(self, record: Record, error: BaseException, attempts: int) -> None:
        """Put a message aside; return when a broker has acknowledged it. It never gives up: cancel it.

        Args:
            record: the message.
            error: why it cannot be processed.
            attempts: how often its handler was tried; 0 if it could not be read.
        """
        headers = dead_letter_headers(record, error, attempts, self._group)
        failures = 0
        while (refusal := await self._produce(record, headers)) is not None:
            if refusal.code() in _TOO_LARGE and (lean := without_texts(headers)) != headers:
                headers = lean
                continue
            failures += 1
            delay = self._patience.delay(failures)
            _log.error(
                "%s does not take a dead letter (%s); its event stays uncommitted, again in %.1f s",
                self._topic, refusal.str(), delay,
            )  # fmt: skip
            await asyncio.sleep(delay)

    def close(self) -> None:
        """Let go of the producer; every letter was acknowledged, or its offset was not committed."""
        if self._settler is not None:
            self._settler.cancel()
            self._settler = None
        self._let_go()

    async def _produce(self, record: Record, headers: RecordHeaders) -> KafkaError | None:
        """Why it failed; None if it was acknowledged."""
        outcome: asyncio.Future[KafkaError | None] = asyncio.get_running_loop().create_future()

        def report(error: KafkaError | None, message: Message) -> None:
            error = (self._fatal or error) if error else self._doubt(message)
            if not outcome.done():
                outcome.set_result(error)

        producer = self._living_producer()
        try:
            producer.produce(
                self._topic,
                record.value(),
                record.key(),
                headers=[*headers_of(record), *headers],
                on_delivery=report,
            )
        except BufferError:
            return KafkaError(KafkaError._QUEUE_FULL)  # noqa: SLF001 - librdkafka's name
        except KafkaException as error:
            return self._heeded(producer, error.args[0])
        return self._heeded(producer, await self._settled(outcome))

    def _doubt(self, report: Message) -> KafkaError | None:
        """An error for a report of success without proof: the dead letter is sent again."""
        error = self._acknowledgements.error(report)
        if error is not None and self._tell:
            self._tell(Unconfirmed(self._topic, "dead-letters"))
        return error

    async def _settled(self, outcome: asyncio.Future[KafkaError | None]) -> KafkaError | None:
        self._pending += 1
        if self._settler is None:
            self._settler = asyncio.create_task(self._settle(), name="auth-events-dead-letters")
        try:
            return await outcome
        finally:
            self._pending -= 1

    async def _settle(self) -> None:
        """One task for all letters that are under way."""
        while self._pending:
            if (producer := self._producer) is not None:
                self._heeded(producer, _raised_by(lambda: producer.poll(0)))
            await asyncio.sleep(_TICK)
        self._settler = None

    def _living_producer(self) -> Producer:
        if self._producer is None:
            try:
                self._producer = Producer(self._settings, logger=_log)
                self._acknowledgements = Acknowledgements()
            except (KafkaException, TypeError, ValueError) as error:
                raise refused_setting("producer", error) from error
        return self._producer

    def _heeded(self, producer: Producer, error: KafkaError | None) -> KafkaError | None:
        """What is behind an error; a fatal one makes its producer useless: the next letter gets another."""
        if error is None or not (error.fatal() or error.code() == _FATAL):
            return error
        if producer is not self._producer:  # somebody noticed before
            return error
        return self._let_go(error)

    def _let_go(self, fatal: KafkaError | None = None) -> KafkaError | None:
        """Report what is under way as failed: whoever waits for it sends it again, or was cancelled.

        Returns:
            The fatal error, by the name that says most.
        """
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.purge()
            # It is told as an exception, and what is to be reported comes after it.
            self._fatal = fatal = _raised_by(lambda: producer.flush(0)) or fatal
            _raised_by(lambda: producer.flush(1))
        self._fatal = None
        return fatal


def _raised_by(call: Callable[[], object]) -> KafkaError | None:
    """A client raises a fatal error, once, where it calls back."""
    try:
        call()
    except KafkaException as error:
        found: KafkaError = error.args[0]
        return found
    return None


_FATAL = KafkaError._FATAL  # noqa: SLF001 - librdkafka's name
