"""JSON payloads: the specification's ``{"eventType", "timestamp", "payload"}``, and what may stand beside it.

Source: specification sections 3 and 10; the payload follows the Protobuf JSON mapping. ``eventId``,
``source``, ``version``, ``actor`` and whatever else the envelope has are optional: messages without them are
valid for ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import orjson

from immersiverse.auth.events import catalog
from immersiverse.auth.events.errors import InvalidEvent, MalformedPayload
from immersiverse.auth.events.identifiers import derived_event_id
from immersiverse.auth.events.serialization.json_envelope import envelope_reader, envelope_writer
from immersiverse.auth.events.serialization.json_reading import object_reader
from immersiverse.auth.events.serialization.json_writing import object_writer
from immersiverse.auth.events.serialization.timestamps import format_time
from immersiverse.auth.events.serialization.unknown import UnknownEvent
from immersiverse.auth.events.v1.events_pb2 import AuthEvent

if TYPE_CHECKING:
    from collections.abc import Callable

    from immersiverse.auth.events.serialization.codec import Decoded, Reader
    from immersiverse.auth.events.serialization.schemas import SchemaType, WriterSchema

_BOM = b"\xef\xbb\xbf"

_WRITERS = {e.arm: (e.name, object_writer(e.message.DESCRIPTOR)) for e in catalog.EVENT_TYPES.values()}
_READERS = {e.name: (e.arm, object_reader(e.message.DESCRIPTOR)) for e in catalog.EVENT_TYPES.values()}
# Found on the class in half the time that an event takes, which tries its fields first.
_which = AuthEvent.WhichOneof
write_envelope = envelope_writer(AuthEvent.DESCRIPTOR)
"""Adds to an object what an event holds beside its time and payload; ValueError for what JSON cannot say."""
_fill_envelope = envelope_reader(AuthEvent.DESCRIPTOR)


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
        if type(document) is not dict:
            raise MalformedPayload("the JSON is not an object")
        if "specversion" in document:
            document = _from_cloudevent(document)
        return _read_document(document, value, key)
    except orjson.JSONDecodeError as error:
        raise MalformedPayload(f"not valid JSON: {error}") from error
    except RecursionError as error:
        raise MalformedPayload("the JSON is nested too deeply") from error


def _encode_minimal(event: AuthEvent) -> bytes:
    return orjson.dumps(_document(event))


def _encode(event: AuthEvent) -> bytes:
    document = _document(event)
    try:
        write_envelope(event, document)
    except ValueError as error:
        raise InvalidEvent(document["eventType"], "", f"JSON cannot say this: {error}") from error
    return orjson.dumps(document)


def _document(event: AuthEvent) -> dict[str, Any]:
    arm = _which(event, "payload")
    if arm is None:
        raise InvalidEvent("AuthEvent", "payload", "is required")
    name, write = _WRITERS[arm]
    time = event.timestamp
    try:
        return {
            "eventType": name,
            "timestamp": format_time(time.seconds, time.nanos),
            "payload": write(getattr(event, arm)),
        }
    except ValueError as error:
        raise InvalidEvent(name, "", f"JSON cannot say this: {error}") from error


def _read_document(document: dict[str, Any], value: bytes, key: bytes | None) -> Decoded:
    event_type, payload = document.get("eventType"), document.get("payload")
    if type(event_type) is not str or not event_type:
        raise MalformedPayload("is not a string" if event_type else "is missing", "eventType")
    if type(payload) is not dict:
        raise MalformedPayload("is missing" if payload is None else "is not an object", "payload")
    if document.get("timestamp") is None:
        raise MalformedPayload("is missing", "timestamp")
    event = AuthEvent()
    _fill_envelope(document, event)
    if event.version < 0:
        raise MalformedPayload("is below 0", "version")
    if not event.event_id:
        event.event_id = derived_event_id(key, value)
    known = _READERS.get(event_type) or _by_full_name(event_type)
    if known is None:
        return _unknown(event_type, event, payload)
    arm, fill = known
    message = getattr(event, arm)
    message.SetInParent()  # an empty payload is one
    try:
        fill(payload, message)
    except MalformedPayload as error:
        raise MalformedPayload(error.reason, f"payload.{error.field}") from error
    return event


def _by_full_name(event_type: str) -> tuple[str, Callable[[Any, Any], None]] | None:
    found = catalog.find(event_type)
    return _READERS[found.name] if found else None


def _unknown(event_type: str, envelope: AuthEvent, payload: dict[str, Any]) -> UnknownEvent:
    try:
        content = orjson.dumps(payload)
    except orjson.JSONEncodeError as error:
        raise MalformedPayload(f"cannot be written again: {error}", "payload") from error
    return UnknownEvent(event_type, envelope, content, "json", lambda: payload)


def _from_cloudevent(cloud: dict[str, Any]) -> dict[str, Any]:
    """The specification's form of a structured-mode CloudEvent 1.0; what else stands in both has one name."""
    if cloud["specversion"] != "1.0":
        raise MalformedPayload("is not 1.0, the only version of CloudEvents read here", "specversion")
    return {
        **cloud,
        "eventType": cloud.get("type"),
        "timestamp": cloud.get("time"),
        "payload": cloud.get("data"),
        "eventId": cloud.get("id"),
    }
