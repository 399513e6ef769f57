"""JSON: the specification's ``{"eventType", "timestamp", "payload"}``, and optional fields beside it.

Source: specification sections 3 and 10; the payload follows the Protobuf JSON mapping, and so do the other
fields of the envelope, except that ``version`` is a JSON number. All of them (``eventId``, ``source``,
``version``, ``actor``, and what later versions add) are optional: messages without them stay valid.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import orjson

from immersiverse.auth.events import catalog
from immersiverse.auth.events.errors import InvalidEvent, MalformedPayload
from immersiverse.auth.events.identifiers import derived_event_id
from immersiverse.auth.events.serialization.json.documents import (
    PAYLOAD,
    TIMESTAMP,
    in_specification_form,
    parse_exactly,
    parse_object,
)
from immersiverse.auth.events.serialization.json.reader import fields_reader, object_reader
from immersiverse.auth.events.serialization.json.times import format_time
from immersiverse.auth.events.serialization.json.writer import fields_writer, object_writer
from immersiverse.auth.events.serialization.unknown import UnknownEvent
from immersiverse.auth.events.v1.events_pb2 import AuthEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from google.protobuf.descriptor import Descriptor, FieldDescriptor
    from google.protobuf.message import Message

    from immersiverse.auth.events.serialization.json.reader import Fill
    from immersiverse.auth.events.serialization.unknown import Decoded

NUMBERS: Final = frozenset({"version"})
"""The 64-bit fields of the envelope that are written as numbers."""


def envelope_fields(envelope: Descriptor) -> tuple[FieldDescriptor, ...]:
    """The fields of every event, its time first, then in the order of their numbers, without the payloads."""
    payloads = envelope.oneofs_by_name[PAYLOAD].fields
    fields = sorted(envelope.fields, key=lambda field: (field.name != TIMESTAMP, field.number))
    return tuple(field for field in fields if field not in payloads)


def envelope_writer(envelope: Descriptor) -> Callable[[Message, dict[str, Any]], None]:
    """A function that adds to an object what an event holds beside its time and payload.

    It raises ValueError for what JSON cannot express.
    """
    _, *fields = envelope_fields(envelope)
    return fields_writer(fields, numbers=NUMBERS)


def envelope_reader(envelope: Descriptor) -> Fill:
    """A function that reads all but the payload of an object into an empty event.

    It raises MalformedPayload naming the field.
    """
    return fields_reader(envelope_fields(envelope))


_TYPES = catalog.EVENT_TYPES.values()
_WRITERS = {e.payload_field: (e.name, object_writer(e.message.DESCRIPTOR)) for e in _TYPES}
_READERS = {e.name: (e.payload_field, object_reader(e.message.DESCRIPTOR)) for e in _TYPES}
write_envelope = envelope_writer(AuthEvent.DESCRIPTOR)
"""Adds to an object what an event holds beside its time and payload; see `envelope_writer`."""
_fill_envelope = envelope_reader(AuthEvent.DESCRIPTOR)


def write_json(event: AuthEvent) -> bytes:
    """An event as one JSON object, without a line break.

    Raises:
        InvalidEvent: if it has no payload, or holds what JSON cannot express.
    """
    payload_field = event.WhichOneof("payload")
    if payload_field is None:
        raise InvalidEvent("AuthEvent", "payload", "is required")
    name, write = _WRITERS[payload_field]
    time = event.timestamp
    try:
        document = {
            "eventType": name,
            "timestamp": format_time(time.seconds, time.nanos),
            "payload": write(getattr(event, payload_field)),
        }
        write_envelope(event, document)
    except ValueError as error:
        raise InvalidEvent(name, "", f"JSON cannot express this: {error}") from error
    return orjson.dumps(document)


def read_json(value: bytes, key: bytes | None = None, headers: Iterable[tuple[str, Any]] = ()) -> Decoded:
    """The event in a JSON message: the specification's form, or a CloudEvent in structured or binary mode.

    Args:
        value: the message's value.
        key: the message's key, for the id of an event without one.
        headers: the message's headers, for CloudEvents in binary mode.

    Raises:
        MalformedPayload: if it is not such an object.
    """
    document = in_specification_form(parse_object(value), headers, parse_object)
    event_type, payload = _type_and_payload(document)
    event = AuthEvent()
    _fill_envelope(document, event)
    if event.version < 0:
        raise MalformedPayload("is below 0", "version")
    if not event.event_id:
        event.event_id = derived_event_id(key, value)
    known = _READERS.get(event_type) or _by_full_name(event_type)
    if known is None:
        exact = in_specification_form(parse_exactly(value), headers, parse_exactly)
        return _unknown(event_type, event, exact[PAYLOAD])
    payload_field, fill = known
    message = getattr(event, payload_field)
    message.SetInParent()  # an empty payload is one
    try:
        fill(payload, message)
    except MalformedPayload as error:
        raise MalformedPayload(error.reason, f"payload.{error.field}") from error
    return event


def _type_and_payload(document: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    event_type, payload = document.get("eventType"), document.get("payload")
    if type(event_type) is not str or not event_type:
        raise MalformedPayload("is not a string" if event_type else "is missing", "eventType")
    if type(payload) is not dict:
        raise MalformedPayload("is missing" if payload is None else "is not an object", "payload")
    if document.get("timestamp") is None and "specversion" not in document:  # CloudEvents may have no time
        raise MalformedPayload("is missing", "timestamp")
    return event_type, payload


def _by_full_name(event_type: str) -> tuple[str, Fill] | None:
    found = catalog.find(event_type)
    return _READERS[found.name] if found else None


def _unknown(event_type: str, envelope: AuthEvent, payload: dict[str, Any]) -> UnknownEvent:
    content = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
    return UnknownEvent(event_type, envelope, content, "json", lambda: payload)
