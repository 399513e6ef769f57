"""From an event to a Kafka message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from confluent_kafka.serialization import Serializer

from immersiverse.auth.events import catalog
from immersiverse.auth.events.errors import ConfigurationError, InvalidEvent, RegistryRefused
from immersiverse.auth.events.events import partition_key
from immersiverse.auth.events.serialization.codec import codec
from immersiverse.auth.events.serialization.headers import Headers, cloudevents_headers
from immersiverse.auth.events.serialization.wire import VALUE_SCHEMA_ID_HEADER, frame_prefix, header_value
from immersiverse.auth.events.v1.events_pb2 import AuthEvent

if TYPE_CHECKING:
    from confluent_kafka.serialization import SerializationContext

    from immersiverse.auth.events.serialization.codec import Format
    from immersiverse.auth.events.serialization.headers import WriteHeaders
    from immersiverse.auth.events.serialization.schemas import SchemaIds

    ContextHeaders = list[tuple[str, str | bytes | None]] | dict[str, str | bytes | None]

# A method of the class: an event looks for it among its fields first, a tenth of the time of writing it.
_which = AuthEvent.WhichOneof


# Not frozen: that takes six times as long to make, and one is made for every event that is published.
@dataclass(slots=True)
class SerializedEvent:
    """What a Kafka producer needs: pass its parts to any client.

    Attributes:
        topic: where it goes.
        key: the partition key in UTF-8.
        value: the framed payload, or JSON.
        headers: CloudEvents attributes and, in header mode, the schema's GUID.
        event_type: the event's short type name, for logs and metrics.
    """

    topic: str
    key: bytes
    value: bytes
    headers: Headers
    event_type: str


class AuthEventSerializer(Serializer):
    """Writes events for Kafka, on its own or as ``value.serializer`` of Confluent's SerializingProducer.

    One serializer serves any number of threads. Ids are asked for once a topic and remembered.

    Args:
        schemas: where the contract's schema ids come from: a ``SchemaRegistry``, or ``PinnedSchemas``. JSON
            needs none.
        format: ``protobuf``, ``avro`` or ``json``.
        schema_id_in: ``prefix`` puts the id before the payload; ``header`` puts its GUID into a header.
        single_topic: send every event to the contract's single topic.

    Raises:
        ConfigurationError: if the format needs schemas and none are given, or an argument has another value.
        MissingExtra: for Avro without the extra ``avro``.
    """

    def __init__(
        self,
        schemas: SchemaIds | None = None,
        *,
        format: Format = "protobuf",  # noqa: A002 - what users call it
        schema_id_in: Literal["prefix", "header"] = "prefix",
        single_topic: bool = False,
    ) -> None:
        self._codec = codec(format)
        if self._codec.schema_type and not hasattr(schemas, "schema_id"):
            reason = f"{self._codec.name} needs schema ids: give a SchemaRegistry or PinnedSchemas"
            raise ConfigurationError("schemas", reason)
        if schema_id_in not in ("prefix", "header"):
            raise ConfigurationError("schema_id_in", f"is 'prefix' or 'header', not {schema_id_in!r}")
        self._schemas = schemas
        self._encode = self._codec.encoder()
        self._in_header = schema_id_in == "header" and self._codec.schema_type is not None
        self._single_topic = single_topic
        self._prefixes: dict[str, bytes] = {}  # by topic
        self._kinds: dict[str, tuple[catalog.EventType, WriteHeaders]] = {}  # by payload field

    def __call__(self, event: AuthEvent | None, ctx: SerializationContext | None = None) -> bytes | None:
        """The value of an event's message; None, a tombstone, for None.

        It goes to the topic of `ctx` (Confluent's interface), else to the one that the contract names. Raises
        as `serialize` does.
        """
        if event is None:
            return None
        payload_field = _which(event, "payload") if isinstance(event, AuthEvent) else None  # type: ignore[redundant-expr]  # callers may be untyped
        if payload_field is None:
            raise _refusal(event)
        topic = ctx.topic if ctx else self._topic(catalog.BY_PAYLOAD_FIELD[payload_field])
        prefix = self._prefixes.get(topic)
        if prefix is not None:
            return prefix + self._encode(event)
        if self._in_header:
            self._add_header(ctx, topic, payload_field)
            return self._encode(event)
        return self._prefix(topic) + self._encode(event)

    def serialize(self, event: AuthEvent, *, topic: str = "") -> SerializedEvent:
        """The whole message of an event: topic, key, value and headers.

        Args:
            event: an event made by ``new_event``.
            topic: where it goes; the topic that the contract names unless given.

        Raises:
            InvalidEvent: if it is not an event, or carries no id, no payload or no partition key.
            RegistryError: if the schema id is not known yet and cannot be had.
        """
        payload_field = _which(event, "payload") if isinstance(event, AuthEvent) else None  # type: ignore[redundant-expr]  # callers may be untyped
        if payload_field is None:
            raise _refusal(event)
        event_type, write_headers = self._kinds.get(payload_field) or self._kind(payload_field)
        payload = getattr(event, payload_field)
        # Nearly always the first of the fields that may give the key is set.
        key = (getattr(payload, event_type.partition_key[0]) or partition_key(event)).encode()
        topic = topic or self._topic(event_type)
        headers = write_headers(event, payload, key)
        if self._in_header:
            headers = (*headers, self._header(topic))
            return SerializedEvent(topic, key, self._encode(event), headers, event_type.name)
        prefix = self._prefixes.get(topic)
        if prefix is None:
            prefix = self._prefix(topic)
        return SerializedEvent(topic, key, prefix + self._encode(event), headers, event_type.name)

    def _kind(self, payload_field: str) -> tuple[catalog.EventType, WriteHeaders]:
        """The type of an event, and what writes its headers, made for the first event of a type."""
        event_type = catalog.BY_PAYLOAD_FIELD[payload_field]
        kind = event_type, cloudevents_headers(event_type, self._codec.content_type)
        self._kinds[payload_field] = kind
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
        payload_field = _which(event, "payload") if isinstance(event, AuthEvent) else None  # type: ignore[redundant-expr]  # callers may be untyped
        if payload_field is None:
            raise _refusal(event)
        return self._topic(catalog.BY_PAYLOAD_FIELD[payload_field])

    def _topic(self, event_type: catalog.EventType) -> str:
        return catalog.SINGLE_TOPIC if self._single_topic else event_type.topic

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
        """What precedes a payload on a topic."""
        prefix = b""
        if self._schemas is not None and self._codec.schema_type:
            number = self._schemas.schema_id(topic, self._codec.schema_type).number
            prefix = frame_prefix(number, self._codec.indexes)
        self._prefixes[topic] = prefix
        return prefix

    def _header(self, topic: str) -> tuple[str, bytes]:
        assert self._schemas is not None and self._codec.schema_type  # noqa: PT018, S101 - header mode implies both
        guid = self._schemas.schema_id(topic, self._codec.schema_type).guid
        if guid is None:
            raise RegistryRefused("these schemas have no GUIDs: use schema_id_in='prefix'", 0)
        return VALUE_SCHEMA_ID_HEADER, header_value(guid, self._codec.indexes)

    def _add_header(self, ctx: SerializationContext | None, topic: str, payload_field: str) -> None:
        """Confluent's contexts hold a list or a dictionary."""
        headers: ContextHeaders | None = ctx.headers if ctx else None
        if headers is None:
            name = catalog.BY_PAYLOAD_FIELD[payload_field].name
            raise InvalidEvent(name, "", "header mode needs a context with headers: or use serialize()")
        key, value = self._header(topic)
        if isinstance(headers, dict):
            headers[key] = value
        else:
            headers.append((key, value))


def _refusal(event: object) -> InvalidEvent:
    if isinstance(event, AuthEvent):
        return InvalidEvent("AuthEvent", "payload", "is required")
    return InvalidEvent(type(event).__name__, "", "is not an AuthEvent: make one with new_event")
