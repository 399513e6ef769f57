"""Put aside what cannot be processed, exactly as it came, with where it came from and why."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final

from confluent_kafka import KafkaError, KafkaException, Producer

from immersiverse.auth.events import catalog
from immersiverse.auth.events.errors import ConfigurationError
from immersiverse.auth.events.kafka.acknowledgements import Acknowledgements
from immersiverse.auth.events.kafka.config import (
    Retry,
    config_error_from,
    connection_settings,
    producer_settings,
)
from immersiverse.auth.events.kafka.dead_letter_headers import (
    ATTEMPTS_HEADER,
    PREFIX,
    REDRIVES_HEADER,
    dead_letter_headers,
    forms,
)
from immersiverse.auth.events.kafka.instrumentation import HookDispatcher
from immersiverse.auth.events.observability.hooks import Unconfirmed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from confluent_kafka import Message

    from immersiverse.auth.events.kafka.dead_letter_headers import Form
    from immersiverse.auth.events.kafka.record import Record
    from immersiverse.auth.events.observability.hooks import Hook

__all__ = ["ATTEMPTS_HEADER", "PREFIX", "REDRIVES_HEADER", "DeadLetters", "dead_letter_headers"]

_log = logging.getLogger(__name__)
_TICK = 0.002  # seconds; how late an acknowledgement may be noticed
_PATIENCE: Final = Retry(first=0.5, longest=30.0)
BATCH_BYTES: Final = 16_384
"""How large a batch of several dead letters gets; one alone may be larger."""
_TOO_LARGE = (KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE)
_DEFAULTS: Mapping[str, Any] = {
    "linger.ms": 0,
    "message.max.bytes": 1_000_000_000,  # how large a dead letter may be is for the topic to say
    # A topic refuses a batch as a whole: what shares one must not be what makes it too large.
    "batch.size": BATCH_BYTES,
    # What was compressed by zstd, or by less, fits again where it was not too large before. Our own tools
    # read it, and so does Java's client, with Spring's; kafkajs needs a plug-in, as for lz4.
    "compression.type": "zstd",
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
        self._tell = HookDispatcher(hooks)
        self._producer: Producer | None = None  # most subscribers never need it
        self._acknowledgements = Acknowledgements()
        self._fatal: KafkaError | None = None  # why letters are being given back
        self._pending = 0
        self._settler: asyncio.Task[None] | None = None

    @property
    def topic(self) -> str:
        """Where dead letters go."""
        return self._topic

    async def send(self, record: Record, error: BaseException, attempts: int) -> bool:
        """Dead-letter a message; return when a broker has acknowledged it. It never gives up: cancel it.

        Where the topic finds it too large it goes without message and stack trace, and then as a stub: key
        and headers if they are short, where the message lies, the size and SHA-256 of its value.

        Args:
            record: the message.
            error: why it cannot be processed.
            attempts: how often its handler was tried; 0 if it could not be read.

        Returns:
            Whether its value is on the dead letter topic; False for a stub.

        Raises:
            ConfigurationError: if it comes from a dead letter topic: it would come back for ever.
        """
        if record.topic() in (self._topic, catalog.DEAD_LETTER_TOPIC):
            raise ConfigurationError("topics", f"{record.topic()} is read, and is a dead letter topic")
        failures = 0
        while True:
            form, refusal = await self._fitting(record, error, attempts)
            if refusal is None:
                if form.is_stub:
                    self._report_stub(record)
                return not form.is_stub
            failures += 1
            delay = self._patience.delay(failures)
            _log.error(
                "%s does not take a dead letter%s (%s); its event stays uncommitted, again in %.1f s",
                self._topic,
                f", not even a stub without its value: raise max.message.bytes of {self._topic}"
                if refusal.code() in _TOO_LARGE
                else "",
                refusal.str(),
                delay,
            )
            await asyncio.sleep(delay)

    def close(self) -> None:
        """Let go of the producer; every letter was acknowledged, or its offset was not committed."""
        if self._settler is not None:
            self._settler.cancel()
            self._settler = None
        self._let_go()

    async def _fitting(
        self, record: Record, error: BaseException, attempts: int
    ) -> tuple[Form, KafkaError | None]:
        """The first form that is not too large, or the last, and why it was refused; None if it was not."""
        for form in forms(record, error, attempts, self._group):
            refusal = await self._produce(form)
            if refusal is None or refusal.code() not in _TOO_LARGE:
                break
        return form, refusal

    def _report_stub(self, record: Record) -> None:
        _log.error(
            "%s[%d]@%d is too large for %s (a value of %d bytes): only a stub without its value is there; "
            "raise max.message.bytes of %s; the original stays in %s until its retention ends",
            record.topic(), record.partition(), record.offset(), self._topic, len(record.value() or b""),
            self._topic, record.topic(),
        )  # fmt: skip

    async def _produce(self, form: Form) -> KafkaError | None:
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
                form.value,
                form.key,
                headers=[*form.headers],
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
                raise config_error_from("producer", error) from error
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
