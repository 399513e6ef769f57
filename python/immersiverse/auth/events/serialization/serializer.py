"""From an event to the bytes that travel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from confluent_kafka.serialization import Serializer

from immersiverse.auth.events import catalog
from immersiverse.auth.events.errors import InvalidEvent, RegistryRefused
from immersiverse.auth.events.events import event_type_of, partition_key
from immersiverse.auth.events.serialization.formats import codec
from immersiverse.auth.events.serialization.framing import (
    VALUE_SCHEMA_ID_HEADER,
    frame_prefix,
    header_value,
)
from immersiverse.auth.events.serialization.headers import headers_of
from immersiverse.auth.events.serialization.serialized import SerializedEvent
from immersiverse.auth.events.v1.events_pb2 import AuthEvent

if TYPE_CHECKING:
    from confluent_kafka.serialization import SerializationContext

    from immersiverse.auth.events.serialization.codec import Codec
    from immersiverse.auth.events.serialization.formats import Format
    from immersiverse.auth.events.serialization.headers import WriteHeaders
    from immersiverse.auth.events.serialization.schemas import SchemaIds

    ContextHeaders = list[tuple[str, str | bytes | None]] | dict[str, str | bytes | None]

# Found on the class in half the time that an event takes, which tries its fields first.
_which = AuthEvent.WhichOneof


class AuthEventSerializer(Serializer):
    """Writes events for Kafka, on its own or as ``value.serializer`` of Confluent's SerializingProducer.

    Args:
        schemas: where the contract's schema ids come from: a ``SchemaRegistry``, or ``PinnedSchemas``. JSON
            needs none.
        format: ``protobuf``, ``avro``, ``json``, or a codec of your own making.
        schema_id_in: ``prefix`` puts the id before the payload; ``header`` puts its GUID into a header.
        single_topic: send every event to the contract's single topic.

    One serializer serves any number of threads. Ids are asked for once a topic and remembered.
    """

    def __init__(
        self,
        schemas: SchemaIds | None = None,
        *,
        format: Format | Codec = "protobuf",  # noqa: A002 - what users call it
        schema_id_in: Literal["prefix", "header"] = "prefix",
        single_topic: bool = False,
    ) -> None:
        self._codec = codec(format) if isinstance(format, str) else format
        if self._codec.schema_type and schemas is None:
            raise ValueError(f"{self._codec.name} needs schema ids: give a SchemaRegistry or PinnedSchemas")
        if schema_id_in not in ("prefix", "header"):
            raise ValueError(f"schema_id_in is 'prefix' or 'header', not {schema_id_in!r}")
        self._schemas = schemas
        self._encode = self._codec.encode
        self._in_header = schema_id_in == "header" and self._codec.schema_type is not None
        self._single_topic = single_topic
        # What precedes a payload, by topic and by the envelope's arm. Empty in header mode, where every call
        # takes the long way.
        self._by_topic: dict[str, bytes] = {}
        self._by_arm: dict[str | None, bytes] = {}
        self._kinds: dict[str | None, tuple[catalog.EventType, WriteHeaders]] = {}

    def __call__(self, event: AuthEvent | None, ctx: SerializationContext | None = None) -> bytes | None:
        """The value of an event's message; None, a tombstone, for None.

        Args:
            event: an event made by ``new_event``.
            ctx: where it goes (Confluent's interface); the topic that the contract names unless given.

        Raises:
            InvalidEvent: if it is no event, or carries no payload.
            RegistryError: if the schema id is not known yet and cannot be had.
        """
        try:
            arm = _which(event, "payload")  # type: ignore[arg-type]  # None takes the way of all that is no event
            if ctx is None:
                return self._by_arm[arm] + self._encode(event)  # type: ignore[arg-type]  # no None has an arm
            if arm:
                return self._by_topic[ctx.topic] + self._encode(event)  # type: ignore[arg-type]  # no None
        except (AttributeError, KeyError, TypeError, ValueError):
            pass
        if event is None:
            return None
        return self._first(event, ctx)

    def serialize(self, event: AuthEvent, *, topic: str = "") -> SerializedEvent:
        """The whole message of an event: topic, key, value and headers.

        Args:
            event: an event made by ``new_event``.
            topic: where it goes; the topic that the contract names unless given.

        Raises:
            InvalidEvent: if it is no event, or carries no id, no payload or no partition key.
            RegistryError: if the schema id is not known yet and cannot be had.
        """
        try:
            event_type, write_headers = self._kinds[_which(event, "payload")]
        except (AttributeError, KeyError, TypeError, ValueError):
            event_type, write_headers = self._kind(event)
        payload = getattr(event, event_type.arm)
        # Nearly always the first of the fields that may give the key is set.
        key = (getattr(payload, event_type.partition_key[0]) or partition_key(event)).encode()
        topic = topic or (catalog.SINGLE_TOPIC if self._single_topic else event_type.topic)
        headers = write_headers(event, payload, key)
        if self._in_header:
            headers = (*headers, self._header(topic))
            return SerializedEvent(topic, key, self._encode(event), headers, event_type.name)
        prefix = self._by_topic.get(topic)
        if prefix is None:
            prefix = self._prefix(topic)
        return SerializedEvent(topic, key, prefix + self._encode(event), headers, event_type.name)

    def _first(self, event: AuthEvent, ctx: SerializationContext | None) -> bytes:
        """The long way: for the first event of a topic, header mode, and everything that must be refused."""
        _require_event(event)
        event_type = event_type_of(event)
        topic = ctx.topic if ctx else self.topic_of(event)
        if self._in_header:
            if ctx is None or ctx.headers is None:
                raise InvalidEvent(
                    event_type.name, "", "header mode needs a context with headers: or use serialize()"
                )
            _append(ctx.headers, self._header(topic))
            return self._encode(event)
        prefix = self._prefix(topic)
        if ctx is None:
            self._by_arm[event_type.arm] = prefix
        return prefix + self._encode(event)

    def _kind(self, event: AuthEvent) -> tuple[catalog.EventType, WriteHeaders]:
        """The type of an event, and what writes its headers, made for the first event of a type."""
        _require_event(event)
        event_type = event_type_of(event)
        kind = event_type, headers_of(event_type, self._codec.content_type)
        self._kinds[event_type.arm] = kind
        return kind

    @property
    def topics(self) -> tuple[str, ...]:
        """Where events go: the contract's topics, or its single one."""
        return (catalog.SINGLE_TOPIC,) if self._single_topic else catalog.TOPICS

    def topic_of(self, event: AuthEvent) -> str:
        """Where an event goes.

        Raises:
            InvalidEvent: if it is not an event, or carries no payload.
        """
        _require_event(event)
        return catalog.SINGLE_TOPIC if self._single_topic else event_type_of(event).topic

    def look_up(self, topic: str) -> None:
        """Learn a topic's schema id, so that serializing its events asks the registry nothing more.

        Raises:
            RegistryError: if it cannot be had.
        """
        if self._in_header:
            self._header(topic)
        else:
            self._prefix(topic)

    def _prefix(self, topic: str) -> bytes:
        prefix = self._by_topic.get(topic)
        if prefix is None:
            prefix = b""
            if self._schemas is not None and self._codec.schema_type:
                number = self._schemas.schema_id(topic, self._codec.schema_type).number
                prefix = frame_prefix(number, self._codec.indexes)
            self._by_topic[topic] = prefix
        return prefix

    def _header(self, topic: str) -> tuple[str, bytes]:
        assert self._schemas is not None and self._codec.schema_type  # noqa: PT018, S101 - header mode implies both
        guid = self._schemas.schema_id(topic, self._codec.schema_type).guid
        if guid is None:
            raise RegistryRefused("the registry gives its schemas no GUIDs: use schema_id_in='prefix'", 404)
        return VALUE_SCHEMA_ID_HEADER, header_value(guid, self._codec.indexes)


def _require_event(event: AuthEvent) -> None:
    if not isinstance(event, AuthEvent):
        raise InvalidEvent(type(event).__name__, "", "is not an AuthEvent: make one with new_event")


def _append(headers: ContextHeaders, header: tuple[str, bytes]) -> None:
    """Confluent's contexts hold a list or a dictionary."""
    if isinstance(headers, dict):
        headers[header[0]] = header[1]
    else:
        headers.append(header)
