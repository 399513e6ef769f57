"""Put aside what cannot be processed, exactly as it came, with where it came from and why.

Header names are Spring Kafka's (``KafkaHeaders.DLT_*``), with its binary numbers, so that its tools read them.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from typing import TYPE_CHECKING, Any, Final

from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, KafkaError, KafkaException, Producer

from immersiverse.auth.events import catalog
from immersiverse.auth.events.errors import PublisherUnusable
from immersiverse.auth.events.kafka.retry import Retry
from immersiverse.auth.events.kafka.settings import connection_settings, producer_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confluent_kafka import Message

PREFIX: Final = "kafka_dlt-"
ATTEMPTS_HEADER: Final = "auth-events-attempts"
REDRIVES_HEADER: Final = "auth-events-redrives"

_log = logging.getLogger(__name__)
_TIMESTAMP_TYPES = {1: b"CreateTime", 2: b"LogAppendTime"}
_MAX_TEXT = 8192  # bytes of a stack trace; a header is no place for a novel
_PATIENCE = Retry(attempts=0, first=0.5, longest=30.0)


def dead_letter_headers(
    message: Message, error: BaseException, attempts: int, group: str
) -> list[tuple[str, bytes | None]]:
    """The headers that a dead letter gets after its own."""
    kind, milliseconds = message.timestamp()
    trace = "".join(traceback.format_exception(error)).encode()[-_MAX_TEXT:]
    headers: list[tuple[str, bytes | None]] = [
        (f"{PREFIX}original-topic", message.topic().encode()),
        (f"{PREFIX}original-partition", message.partition().to_bytes(4, signed=True)),
        (f"{PREFIX}original-offset", message.offset().to_bytes(8, signed=True)),
        (f"{PREFIX}original-consumer-group", group.encode()),
        (f"{PREFIX}exception-fqcn", f"{type(error).__module__}.{type(error).__qualname__}".encode()),
        (f"{PREFIX}exception-message", str(error).encode(errors="replace")[:_MAX_TEXT]),
        (f"{PREFIX}exception-stacktrace", trace),
        (ATTEMPTS_HEADER, str(attempts).encode()),
    ]
    if kind != TIMESTAMP_NOT_AVAILABLE:
        headers.append((f"{PREFIX}original-timestamp", milliseconds.to_bytes(8, signed=True)))
        headers.append((f"{PREFIX}original-timestamp-type", _TIMESTAMP_TYPES.get(kind, b"")))
    return headers


class DeadLetters:
    """Sends dead letters and waits for their acknowledgement, however long the brokers are away.

    Args:
        config: a consumer's settings: how to reach the brokers is taken from them.
        topic: where dead letters go.
        producer_config: more settings of the producer, over those.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        *,
        topic: str = catalog.DEAD_LETTER_TOPIC,
        producer_config: Mapping[str, Any] | None = None,
    ) -> None:
        self._settings = producer_settings(
            {**connection_settings(config), "linger.ms": 0, **(producer_config or {})}
        )
        self._group = str(config.get("group.id", ""))
        self._topic = topic
        self._producer: Producer | None = None  # most subscribers never need it

    async def send(self, message: Message, error: BaseException, attempts: int) -> None:
        """Put a message aside; return when a broker has acknowledged it.

        Raises:
            PublisherUnusable: if the topic can never take it, such as for its size or for want of rights.
        """
        headers = dead_letter_headers(message, error, attempts, self._group)
        failures = 0
        while (failure := await self._produce(message, headers)) is not None:
            failures += 1
            if (
                failure.code() == KafkaError.MSG_SIZE_TOO_LARGE
                and (lean := _without_text(headers)) != headers
            ):
                headers = lean
                continue
            if failure.code() in _HOPELESS:
                raise PublisherUnusable(f"{self._topic} does not take this dead letter: {failure.str()}")
            delay = _PATIENCE.delay(failures)
            _log.warning("dead letter to %s failed, again in %.1f s: %s", self._topic, delay, failure.str())
            await asyncio.sleep(delay)

    def close(self) -> None:
        """Let go of the producer; every letter was acknowledged, or its offset was not committed."""
        if self._producer is not None:
            self._producer.purge()
            self._producer.flush(1)

    async def _produce(self, message: Message, headers: list[tuple[str, bytes | None]]) -> KafkaError | None:
        """Why it failed; None if it was acknowledged."""
        if self._producer is None:
            self._producer = Producer(self._settings, logger=_log)
        outcome: list[KafkaError | None] = []
        try:
            self._producer.produce(
                self._topic,
                message.value(),
                message.key(),
                headers=[*(message.headers() or ()), *headers],
                on_delivery=lambda error, _: outcome.append(error),
            )
        except BufferError:
            return KafkaError(KafkaError._QUEUE_FULL)  # noqa: SLF001 - librdkafka's name
        except KafkaException as error:
            return error.args[0]
        while not outcome:
            self._producer.poll(0)
            await asyncio.sleep(0.005)
        return outcome[0]


_HOPELESS = (
    KafkaError.MSG_SIZE_TOO_LARGE,
    KafkaError.RECORD_LIST_TOO_LARGE,
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.TOPIC_EXCEPTION,
    KafkaError.INVALID_RECORD,
)


def _without_text(headers: list[tuple[str, bytes | None]]) -> list[tuple[str, bytes | None]]:
    text = (f"{PREFIX}exception-stacktrace", f"{PREFIX}exception-message")
    return [header for header in headers if header[0] not in text]
