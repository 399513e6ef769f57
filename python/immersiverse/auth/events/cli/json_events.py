"""Events in JSON, as commands read and show them."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from immersiverse.auth.events.errors import DecodeError, InvalidEvent

if TYPE_CHECKING:
    from immersiverse.auth.events.serialization.codec import Decoded
    from immersiverse.auth.events.serialization.unknown import UnknownEvent
    from immersiverse.auth.events.v1.events_pb2 import AuthEvent


def read_event(line: bytes) -> AuthEvent:
    """The event in a line, the specification's minimal form or a full one, held to the contract.

    Raises:
        DecodeError: it is no event.
        InvalidEvent: it breaks the contract.
    """
    from immersiverse.auth.events.events import payload_of
    from immersiverse.auth.events.serialization.json import read_json
    from immersiverse.auth.events.serialization.unknown import UnknownEvent
    from immersiverse.auth.events.validation import validate

    event = read_json(line)
    if isinstance(event, UnknownEvent):
        raise InvalidEvent(event.event_type, "", "is no event type of this contract")
    payload = payload_of(event)
    validate(payload)
    validate(event, payload.DESCRIPTOR.name)
    return event


def show_event(event: Decoded | None) -> bytes:
    """A line that shows what was read; ``null`` for a tombstone."""
    from immersiverse.auth.events.serialization.json import JsonCodec
    from immersiverse.auth.events.serialization.unknown import UnknownEvent

    if event is None:
        return b"null"
    return _unknown(event) if isinstance(event, UnknownEvent) else JsonCodec().encode(event)


def envelope_document(event: UnknownEvent) -> dict[str, Any]:
    """What every event has, of one that is newer than this program."""
    from immersiverse.auth.events.serialization.json import write_envelope
    from immersiverse.auth.events.serialization.timestamps import format_timestamp

    document = {
        "eventType": event.event_type,
        "unknown": True,
        "timestamp": format_timestamp(event.envelope.timestamp),
    }
    write_envelope(event.envelope, document)
    return document


def _unknown(event: UnknownEvent) -> bytes:
    """An event newer than this program: what every event has, and its payload as far as anything tells."""
    import orjson

    document = envelope_document(event)
    try:
        document["payload"] = event.read()
    except DecodeError:
        document["payloadBase64"] = base64.b64encode(event.payload).decode()
    return orjson.dumps(document)
