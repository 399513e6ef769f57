"""JSON payloads: the specification's ``{"eventType", "timestamp", "payload"}`` and what may stand beside them.

Source: specification sections 3 and 10; the payload follows the Protobuf JSON mapping. ``eventId``, ``version``,
``source`` and ``actor`` are optional, and so are messages without them, for ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import orjson

from immersiverse.auth.events import catalog
from immersiverse.auth.events.errors import InvalidEvent, MalformedPayload
from immersiverse.auth.events.identifiers import derived_event_id
from immersiverse.auth.events.serialization.json_reading import object_reader
from immersiverse.auth.events.serialization.json_writing import object_writer
from immersiverse.auth.events.serialization.timestamps import format_timestamp, parse_timestamp
from immersiverse.auth.events.serialization.unknown import UnknownEvent
from immersiverse.auth.events.v1.events_pb2 import Actor, AuthEvent

if TYPE_CHECKING:
    from collections.abc import Callable

    from immersiverse.auth.events.serialization.codec import Decoded, Reader
    from immersiverse.auth.events.serialization.schemas import SchemaType, WriterSchema

_MAX_VERSION = (1 << 63) - 1
_BOM = b"\xef\xbb\xbf"

_WRITERS = {e.arm: (e.name, object_writer(e.message.DESCRIPTOR)) for e in catalog.EVENT_TYPES.values()}
_READERS = {e.name: (e.arm, object_reader(e.message.DESCRIPTOR)) for e in catalog.EVENT_TYPES.values()}
_write_actor = object_writer(Actor.DESCRIPTOR)
_read_actor = object_reader(Actor.DESCRIPTOR)


class JsonCodec:
    """The compatibility format.

    Attributes:
        minimal: write the specification's three fields and nothing else.
    """

    name = "json"
    content_type = "application/json"
    schema_type: ClassVar[SchemaType | None] = None
    indexes: ClassVar[tuple[int, ...] | None] = None

    def __init__(self, *, minimal: bool = False) -> None:
        self.minimal = minimal

    @property
    def encode(self) -> Callable[[AuthEvent], bytes]:
        """Writes one JSON object, without a line break."""
        return _encode_minimal if self.minimal else _encode

    def reader(self, writer: WriterSchema | None, schema_id: int | str) -> Reader:  # noqa: ARG002 - JSON has none
        """The reader of every JSON event: it needs no schema."""
        return read_json


def read_json(value: bytes, key: bytes | None = None) -> Decoded:
    """The event in a JSON message: the specification's form, or a CloudEvent in structured mode.

    Args:
        value: the message's value.
        key: the message's key, for the id of an event that carries none.

    Raises:
        MalformedPayload: if it is not such an object.
    """
    try:
        document = orjson.loads(value.removeprefix(_BOM))
    except orjson.JSONDecodeError as error:
        raise MalformedPayload(f"not valid JSON: {error}") from error
    if type(document) is not dict:
        raise MalformedPayload("the JSON is not an object")
    if "specversion" in document:
        document = _from_cloudevent(document)
    return _read_document(document, value, key)


def _encode_minimal(event: AuthEvent) -> bytes:
    return orjson.dumps(_document(event))


def _encode(event: AuthEvent) -> bytes:
    document = _document(event)
    if event_id := event.event_id:
        document["eventId"] = event_id
    if version := event.version:
        document["version"] = version
    if source := event.source:
        document["source"] = source
    if event.HasField("actor"):
        document["actor"] = _write_actor(event.actor)
    return orjson.dumps(document)


def _document(event: AuthEvent) -> dict[str, Any]:
    arm = event.WhichOneof("payload")
    if arm is None:
        raise InvalidEvent("AuthEvent", "payload", "is required")
    name, write = _WRITERS[arm]
    try:
        return {
            "eventType": name,
            "timestamp": format_timestamp(event.timestamp),
            "payload": write(getattr(event, arm)),
        }
    except ValueError as error:
        raise InvalidEvent(name, "", f"JSON cannot say this: {error}") from error


def _read_document(document: dict[str, Any], value: bytes, key: bytes | None) -> Decoded:
    event_type, payload = _text(document, "eventType"), document.get("payload")
    if not event_type:
        raise MalformedPayload("is missing", "eventType")
    if type(payload) is not dict:
        raise MalformedPayload("is missing" if payload is None else "is not an object", "payload")
    envelope = {
        "event_id": _text(document, "eventId") or derived_event_id(key, value),
        "timestamp": _time(document.get("timestamp")),
        "version": _version(document.get("version", 0)),
        "source": _text(document, "source"),
    }
    actor = document.get("actor")
    if actor is not None:
        envelope["actor"] = _part(_read_actor, actor, "actor")
    known = _READERS.get(event_type)
    if known is None:
        found = catalog.find(event_type)
        if found is None:
            return _unknown(event_type, AuthEvent(**envelope), payload)
        known = _READERS[found.name]
    arm, read = known
    envelope[arm] = _part(read, payload, "payload")
    return AuthEvent(**envelope)


def _unknown(event_type: str, envelope: AuthEvent, payload: dict[str, Any]) -> UnknownEvent:
    return UnknownEvent(event_type, envelope, orjson.dumps(payload), "json", lambda: payload)


def _part(read: Callable[[Any], Any], value: Any, name: str) -> Any:
    """One part of the document, with its name before the field that an error is about."""
    try:
        return read(value)
    except MalformedPayload as error:
        raise MalformedPayload(error.reason, f"{name}.{error.field}") from error
    except ValueError as error:
        raise MalformedPayload(str(error), name) from error


def _text(document: dict[str, Any], name: str) -> str:
    value = document.get(name)
    if value is None:
        return ""
    if type(value) is not str:
        raise MalformedPayload("is not a string", name)
    return value


def _time(value: Any) -> dict[str, int]:
    if type(value) is not str:
        raise MalformedPayload("is missing" if value is None else "is not a string", "timestamp")
    try:
        seconds, nanos = parse_timestamp(value)
    except ValueError as error:
        raise MalformedPayload(str(error), "timestamp") from error
    return {"seconds": seconds, "nanos": nanos}


def _version(value: Any) -> int:
    """A JSON number; a string of digits too, as proto3 JSON writes 64-bit numbers."""
    if type(value) is int and 0 <= value <= _MAX_VERSION:
        return value
    if type(value) is str and value.isascii() and value.isdigit() and len(value) <= len(str(_MAX_VERSION)):
        return _version(int(value))
    raise MalformedPayload(f"is not a whole number from 0 to {_MAX_VERSION}", "version")


def _from_cloudevent(cloud: dict[str, Any]) -> dict[str, Any]:
    """The specification's form of a structured-mode CloudEvent 1.0."""
    if cloud["specversion"] != "1.0":
        raise MalformedPayload("is not 1.0, the only version of CloudEvents read here", "specversion")
    return {
        "eventType": cloud.get("type"),
        "timestamp": cloud.get("time"),
        "payload": cloud.get("data"),
        "eventId": cloud.get("id"),
        "source": cloud.get("source"),
        "version": cloud.get("version", 0),
        "actor": cloud.get("actor"),
    }
