"""Test what publishes without Kafka: see what was published, and let it fail on demand.

Everything but librdkafka's producer is the real code: serializer, deliveries, callbacks, hooks and errors. So
are the threads (see ``kafka.producer.core``); closing the publisher ends them.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from confluent_kafka import KafkaError, Message

from immersiverse.auth.events.kafka.producer.async_publisher import AsyncPublisher
from immersiverse.auth.events.kafka.producer.publisher import Publisher
from immersiverse.auth.events.serialization.deserializer import AuthEventDeserializer
from immersiverse.auth.events.serialization.schemas import PinnedSchemas
from immersiverse.auth.events.serialization.serializer import AuthEventSerializer
from immersiverse.auth.events.suggestions import closest_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from immersiverse.auth.events.kafka.producer.serving import Headers, Report
    from immersiverse.auth.events.observability.hooks import Hook
    from immersiverse.auth.events.observability.tracing import Tracer
    from immersiverse.auth.events.serialization.schemas import WriterSchemas
    from immersiverse.auth.events.v1.events_pb2 import AuthEvent

_CONFIG: Final = {"bootstrap.servers": "none"}
_TICK: Final = 0.001  # seconds


@dataclass(frozen=True, slots=True)
class PublishedMessage:
    """A message as a broker would have it.

    Attributes:
        topic: its topic.
        key: its key.
        value: its value.
        headers: its headers, in order.
    """

    topic: str
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...]


class _Published:
    """What `PublisherTest` and `AsyncPublisherTest` show, and how they are made to fail."""

    _log: _MessageLog
    _read: Callable[[PublishedMessage], AuthEvent]

    @property
    def messages(self) -> list[PublishedMessage]:
        """The messages that were acknowledged, in order."""
        return list(self._log.messages)

    @property
    def published(self) -> list[AuthEvent]:
        """The events that were acknowledged, as a consumer would read them, in order."""
        return [self._read(message) for message in self.messages]

    def fail_next(self, code: str = "_MSG_TIMED_OUT", count: int = 1) -> None:
        """Let the next messages fail, as librdkafka reports it.

        Args:
            code: librdkafka's name of the reason, such as ``TOPIC_AUTHORIZATION_FAILED``; its leading
                underscore may be left out.
            count: how many messages.

        Raises:
            ValueError: if librdkafka has no such name.
        """
        self._log.fail_next(code, count)


class PublisherTest(_Published, Publisher):
    """A `Publisher` that connects to nothing, and shows what was published.

    Args:
        serializer: how events become messages; Protobuf with a pinned schema id unless given.
        hooks: as a publisher's.
        tracer: as a publisher's.
    """

    def __init__(
        self,
        *,
        serializer: AuthEventSerializer | None = None,
        hooks: Sequence[Hook] = (),
        tracer: Tracer | None = None,
    ) -> None:
        self._client = self._log = _MessageLog()
        serializer = _pinned() if serializer is None else serializer
        self._read = _reader_of(serializer)
        super().__init__(_CONFIG, serializer=serializer, hooks=hooks, tracer=tracer)


class AsyncPublisherTest(_Published, AsyncPublisher):
    """`PublisherTest` for asyncio."""

    def __init__(
        self,
        *,
        serializer: AuthEventSerializer | None = None,
        hooks: Sequence[Hook] = (),
        tracer: Tracer | None = None,
    ) -> None:
        self._client = self._log = _MessageLog()
        serializer = _pinned() if serializer is None else serializer
        self._read = _reader_of(serializer)
        super().__init__(_CONFIG, serializer=serializer, hooks=hooks, tracer=tracer)


class _MessageLog:
    """librdkafka's producer with a broker that acknowledges at once, in memory. For any number of threads."""

    def __init__(self) -> None:
        self.messages: list[PublishedMessage] = []
        self._failures: deque[KafkaError] = deque()
        self._reports: deque[tuple[Report, KafkaError | None, Message]] = deque()
        self._arrived = threading.Event()
        self._lock = threading.Lock()  # over a message's offset and its report, which come in one order

    def produce(  # noqa: PLR0913 - as Confluent's producer has it
        self, topic: str, value: bytes | None = None, key: str | bytes | None = None, partition: int = -1, *,
        headers: Headers, on_delivery: Report, timestamp: int = 0,
    ) -> None:  # fmt: skip
        """Take a message, and keep its report for the next poll."""
        with self._lock:
            error = self._failures.popleft() if self._failures else None
            offset = -1 if error is not None else len(self.messages)
            if error is None:
                pairs = tuple((name, _bytes(content)) for name, content in headers)
                self.messages.append(PublishedMessage(topic, _bytes(key), value or b"", pairs))
            record: Message = Message(
                topic=topic, partition=max(partition, 0), offset=offset, key=_bytes(key), value=value,
                timestamp=(1, timestamp),
            )  # fmt: skip
            self._reports.append((on_delivery, error, record))
        self._arrived.set()

    def poll(self, timeout: float = -1) -> int:
        """Report what was taken; wait for the first."""
        self._arrived.wait(_TICK if timeout < 0 else timeout)
        self._arrived.clear()
        served = 0
        while self._reports:
            report, error, record = self._reports.popleft()
            report(error, record)
            served += 1
        return served

    def flush(self, timeout: float = -1) -> int:  # noqa: ARG002 - nothing waits for a broker
        """Report everything; how much is left."""
        self.poll(0)
        return 0

    def purge(self) -> None:
        """Nothing waits for a broker."""

    def fail_next(self, code: str, count: int) -> None:
        """Let the next messages fail."""
        self._failures.extend([KafkaError(_number(code))] * count)


def _number(code: str) -> int:
    for name in (code, f"_{code}"):
        if isinstance(number := getattr(KafkaError, name, None), int):
            return number
    known = [name for name in dir(KafkaError) if name.lstrip("_").isupper()]
    closest = closest_name(code, known)
    raise ValueError(f"librdkafka has no error {code!r}" + (f": did you mean {closest}?" if closest else ""))


def _pinned() -> AuthEventSerializer:
    return AuthEventSerializer(PinnedSchemas(1, avro=2))


def _reader_of(serializer: AuthEventSerializer) -> Callable[[PublishedMessage], AuthEvent]:
    """Reads what a serializer wrote, by the schemas whose ids it wrote."""
    schemas = cast("WriterSchemas | None", serializer._schemas)  # noqa: SLF001 - the package's own
    deserialize = AuthEventDeserializer(schemas).deserialize

    def read(message: PublishedMessage) -> AuthEvent:
        return cast("AuthEvent", deserialize(message.value, headers=message.headers, key=message.key))

    return read


def _bytes(value: str | bytes | None) -> bytes:
    return value.encode() if isinstance(value, str) else value or b""
