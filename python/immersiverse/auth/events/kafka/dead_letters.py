"""Dead-letter what cannot be processed: exactly as it came, with where it came from and why.

Names of headers are Spring Kafka's (``KafkaHeaders.DLT_*``), numbers are binary as its own, so that its tools
read them. `DeadLetters` runs in the subscriber's event loop; its producer has threads of its own.
"""

from __future__ import annotations

import asyncio
import hashlib
import traceback
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from confluent_kafka import TIMESTAMP_NOT_AVAILABLE

from immersiverse.auth.events import catalog
from immersiverse.auth.events.errors import (
    ConfigurationError,
    PublishError,
    PublisherUnusable,
    UndeliveredEvents,
)
from immersiverse.auth.events.kafka.config import Retry, connection_settings, producer_settings
from immersiverse.auth.events.kafka.producer.callbacks import LoopCallbacks
from immersiverse.auth.events.kafka.producer.core import ProducerCore, RawMessage
from immersiverse.auth.events.kafka.record import REDRIVE_GROUP_HEADER
from immersiverse.auth.events.logs import get_logger
from immersiverse.auth.events.serialization.headers import headers_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from immersiverse.auth.events.kafka.producer.delivery import Delivery
    from immersiverse.auth.events.kafka.record import Record, RecordHeaders
    from immersiverse.auth.events.observability.hooks import Hook

_log = get_logger(__name__)
PREFIX: Final = "kafka_dlt-"
ORIGINAL_TOPIC_HEADER: Final = f"{PREFIX}original-topic"
ATTEMPTS_HEADER: Final = "auth-events-attempts"
REDRIVES_HEADER: Final = "auth-events-redrives"
MARKER_HEADER: Final = "auth-events-redriven"
"""Names a dead letter that was redriven; only markers have it."""
STUB_HEADER: Final = "auth-events-stub"
"""The bytes of the value that a stub lacks, in digits; ``-1`` if the message had no value."""
DIGEST_HEADER: Final = "auth-events-value-sha256"
"""The SHA-256 of that value, in hexadecimal."""

MAX_TEXT: Final = 8192
"""Bytes of an error's message or of a stack trace."""
MAX_STUB_TEXT: Final = 1024
"""Bytes of an error's message in a stub."""
MAX_STUB_KEY: Final = 1024
"""Bytes of a key that a stub keeps; a longer one is left out."""
MAX_STUB_HEADERS: Final = 2048
"""Bytes of all headers of a message that a stub keeps, with their lengths; more are left out."""

_TIMESTAMP_TYPES: Final = {1: b"CreateTime", 2: b"LogAppendTime"}
_MESSAGE: Final = f"{PREFIX}exception-message"
_TRACE: Final = f"{PREFIX}exception-stacktrace"
_OURS: Final = (
    ATTEMPTS_HEADER, REDRIVES_HEADER, REDRIVE_GROUP_HEADER, MARKER_HEADER, STUB_HEADER, DIGEST_HEADER,
)  # fmt: skip
_LENGTHS: Final = 4  # bytes of the two lengths that Kafka writes with a short header
_MAX_COUNT = 4  # digits of a count of redrives that is believed
_RETRY: Final = Retry(first=0.5, longest=30.0)
_TOO_LARGE: Final = ("MSG_SIZE_TOO_LARGE", "RECORD_LIST_TOO_LARGE")
BATCH_BYTES: Final = 16_384
"""How large a batch of several dead letters gets; one alone may be larger."""
_DEFAULTS: Final[Mapping[str, Any]] = {
    "linger.ms": 0,
    "message.max.bytes": 1_000_000_000,  # how large a dead letter may be is for the topic to say
    # A topic refuses a batch as a whole: what shares one must not be what makes it too large.
    "batch.size": BATCH_BYTES,
    # What was compressed by zstd, or by less, fits again where it was not too large before. Our own tools
    # read it, and so does Java's client, with Spring's; kafkajs needs a plug-in, as for lz4.
    "compression.type": "zstd",
}


class DeadLetterProducer(Protocol):
    """What dead letters are sent with: a `ProducerCore`, or what stands in its place in tests."""

    @property
    def is_usable(self) -> bool:
        """Whether it may still send."""

    async def send_async(self, message: RawMessage) -> Delivery:
        """Queue a message; its delivery is awaited for the acknowledgement."""

    def close(self, timeout: float | None = None) -> None:
        """Send nothing more."""


class DeadLetters:
    """Sends dead letters and waits for their acknowledgement, however long their topic takes none.

    It belongs to one subscriber, which closes it in the end.

    Args:
        config: a consumer's settings: how to reach the brokers is taken from them.
        topic: where dead letters go.
        producer_config: more settings of the producer, over those.
        patience: how soon a dead letter that was refused is sent again; how often is not limited.
        hooks: what is notified of deliveries without proof.

    Raises:
        ConfigurationError: if a setting is wrong or breaks a guarantee.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        *,
        topic: str = catalog.DEAD_LETTER_TOPIC,
        producer_config: Mapping[str, Any] | None = None,
        patience: Retry = _RETRY,
        hooks: Sequence[Hook] = (),
    ) -> None:
        self._settings = producer_settings(
            {**connection_settings(config), **_DEFAULTS, **(producer_config or {})}
        )
        self._group = str(config.get("group.id", ""))
        self._topic = topic
        self._patience = patience
        self._hooks = hooks
        self._core: DeadLetterProducer | None = None  # most subscribers never need it

    @property
    def topic(self) -> str:
        """Where dead letters go."""
        return self._topic

    def send_with(self, producer: DeadLetterProducer) -> None:
        """Send with this in place of a Kafka producer, until `close`."""
        self._core = producer

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
            ConfigurationError: if it comes from a dead letter topic: it would come back without end.
        """
        if record.topic() in (self._topic, catalog.DEAD_LETTER_TOPIC):
            raise ConfigurationError("topics", f"{record.topic()} is read, and is a dead letter topic")
        failures = 0
        while True:
            form, refusal = await self._sent_as(record, error, attempts)
            if refusal is None:
                if form.is_stub:
                    self._log_stub(record)
                return not form.is_stub
            failures += 1
            delay = self._patience.delay(failures)
            _log.error(
                "cannot write a dead letter to %s; offset not committed, retrying in %.1f s%s: %s",
                self._topic,
                delay,
                f"; not even a stub without its value fits: raise max.message.bytes of {self._topic}"
                if refusal.code in _TOO_LARGE
                else "",
                refusal,
            )
            await asyncio.sleep(delay)

    def close(self) -> None:
        """End the producer; every dead letter was acknowledged, or its offset was not committed."""
        core, self._core = self._core, None
        if core is not None:
            with suppress(UndeliveredEvents):
                core.close(0)

    async def _sent_as(
        self, record: Record, error: BaseException, attempts: int
    ) -> tuple[DeadLetterForm, PublishError | None]:
        """The first form that is not too large, or the last, and why it was refused; None if it was not."""
        for form in dead_letter_forms(record, error, attempts, self._group):
            refusal = await self._refusal_of(form)
            if refusal is None or refusal.code not in _TOO_LARGE:
                break
        return form, refusal

    async def _refusal_of(self, form: DeadLetterForm) -> PublishError | None:
        """Send it; why that failed, None if a broker acknowledged it."""
        core = self._usable_core()
        message = RawMessage(self._topic, form.key, form.value, form.headers)
        try:
            await (await core.send_async(message))
        except PublishError as failure:
            if not core.is_usable and core is self._core:
                self.close()  # the next dead letter gets another producer
            return failure
        except PublisherUnusable:  # another dead letter has found that it failed fatally, and closed it
            return await self._refusal_of(form)
        return None

    def _usable_core(self) -> DeadLetterProducer:
        if self._core is None:
            callbacks = LoopCallbacks()
            callbacks.claim(asyncio.get_running_loop())
            self._core = ProducerCore(self._settings, callbacks, hooks=self._hooks, role="dead-letters")
        return self._core

    def _log_stub(self, record: Record) -> None:
        _log.error(
            "%s[%d]@%d is too large for %s (a value of %d bytes): only a stub without its value is there; "
            "raise max.message.bytes of %s; the original stays in %s until its retention ends",
            record.topic(), record.partition(), record.offset(), self._topic, len(record.value() or b""),
            self._topic, record.topic(),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class DeadLetterForm:
    """A message as it goes to the dead letter topic.

    Attributes:
        key: its key.
        value: its value; empty in a stub, since no value at all would delete what a compacted topic has
            under the key, should another tool send the stub on.
        headers: its own headers, then those of a dead letter.
        is_stub: whether its value, and what else was too large, is left out.
    """

    key: bytes | None
    value: bytes | None
    headers: RecordHeaders
    is_stub: bool = False


def dead_letter_forms(
    record: Record, error: BaseException, attempts: int, group: str
) -> Iterator[DeadLetterForm]:
    """A dead letter whole, then without message and stack trace, then a stub without the value.

    The arguments are those of `DeadLetters.send`, and the consumer group that could not process the message.
    """
    own = [*original_headers(headers_of(record)), *_count_of_redrives(record)]
    why = dead_letter_headers(record, error, attempts, group)
    yield DeadLetterForm(record.key(), record.value(), [*own, *why])
    lean = [header for header in why if header[0] not in (_MESSAGE, _TRACE)]
    yield DeadLetterForm(record.key(), record.value(), [*own, *lean])
    short = (dict(why)[_MESSAGE] or b"")[:MAX_STUB_TEXT]
    yield _stub(record, own, [(_MESSAGE, short), *lean])


def dead_letter_headers(record: Record, error: BaseException, attempts: int, group: str) -> RecordHeaders:
    """The headers that a dead letter gets after its own; for the arguments see `dead_letter_forms`."""
    kind, milliseconds = record.timestamp()
    # Unlike str(), this survives errors that fail to describe themselves.
    described = traceback.TracebackException.from_exception(error)
    trace = "".join(described.format()).encode(errors="replace")
    headers: RecordHeaders = [
        (ORIGINAL_TOPIC_HEADER, record.topic().encode()),
        (f"{PREFIX}original-partition", record.partition().to_bytes(4, "big", signed=True)),
        (f"{PREFIX}original-offset", record.offset().to_bytes(8, "big", signed=True)),
        (f"{PREFIX}original-consumer-group", group.encode()),
        (f"{PREFIX}exception-fqcn", f"{type(error).__module__}.{type(error).__qualname__}".encode()),
        (_MESSAGE, str(described).encode(errors="replace")[:MAX_TEXT]),
        (_TRACE, trace[-MAX_TEXT:]),  # where it was raised
        (ATTEMPTS_HEADER, str(attempts).encode()),
    ]
    if kind != TIMESTAMP_NOT_AVAILABLE:
        headers.append((f"{PREFIX}original-timestamp", milliseconds.to_bytes(8, "big", signed=True)))
        headers.append((f"{PREFIX}original-timestamp-type", _TIMESTAMP_TYPES.get(kind, b"")))
    return headers


def original_headers(headers: Iterable[tuple[str, bytes | None]]) -> RecordHeaders:
    """The headers without any that a dead letter, a redrive or a marker has.

    A message that is dead-lettered may come with such headers: it was redriven, or its producer made them up.
    They must not survive beside the true ones.
    """
    return [header for header in headers if not header[0].startswith(PREFIX) and header[0] not in _OURS]


def _count_of_redrives(record: Record) -> RecordHeaders:
    """How often a message was redriven, as its header claims.

    A consumer cannot know whether that is true: a redrive needs no other right than any producer of
    the topic. A false count concerns this one message: a redrive leaves it where it is, as redriven too
    often, or sends it back a few times more. Only a single small number is believed.
    """
    claims = [value for name, value in headers_of(record) if name == REDRIVES_HEADER]
    plausible = len(claims) == 1 and claims[0] and claims[0].isdigit() and len(claims[0]) <= _MAX_COUNT
    return [(REDRIVES_HEADER, claims[0])] if plausible else []


def _stub(record: Record, own: RecordHeaders, why: RecordHeaders) -> DeadLetterForm:
    key, value = record.key(), record.value()
    size = sum(len(name.encode()) + len(content or b"") + _LENGTHS for name, content in own)
    stub: RecordHeaders = [(STUB_HEADER, b"-1" if value is None else str(len(value)).encode())]
    if value is not None:
        stub.append((DIGEST_HEADER, hashlib.sha256(value).hexdigest().encode()))
    return DeadLetterForm(
        key if key is None or len(key) <= MAX_STUB_KEY else None,
        b"",
        [*(own if size <= MAX_STUB_HEADERS else ()), *why, *stub],
        is_stub=True,
    )
