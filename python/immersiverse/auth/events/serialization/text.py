"""Events and message values as text: lines of JSON, base64, hexadecimal, hex dumps."""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING, Any

from immersiverse.auth.events.errors import DecodeError, InvalidEvent, MalformedPayload
from immersiverse.auth.events.events import payload_of
from immersiverse.auth.events.serialization.json.codec import read_json, write_envelope, write_json
from immersiverse.auth.events.serialization.json.times import format_timestamp
from immersiverse.auth.events.serialization.unknown import UnknownEvent
from immersiverse.auth.events.validation import validate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from immersiverse.auth.events.serialization.unknown import Decoded
    from immersiverse.auth.events.v1.events_pb2 import AuthEvent

# How a value can begin: a frame, a JSON object, or white space or a byte order mark before one. No text is
# both the hexadecimal and the base64 form of such values.
_VALUE_BEGINS = (b"\x00", b"{", b" ", b"\t", b"\r", b"\n", b"\xef\xbb\xbf")
_DUMP_WIDTH = 16  # bytes a line


def read_event_line(line: bytes) -> AuthEvent:
    """Read a line of JSON, the specification's minimal form or a full one, and check it against the contract.

    Raises:
        DecodeError: if it is not an event.
        InvalidEvent: if it breaks the contract, or its type is not of the contract.
    """
    event = read_json(line)
    if isinstance(event, UnknownEvent):
        raise InvalidEvent(event.event_type, "", "is no event type of this contract")
    payload = payload_of(event)
    validate(payload)
    validate(event, payload.DESCRIPTOR.name)
    return event


def event_line(event: Decoded | None) -> bytes:
    """A decoded event as a line of JSON; ``null`` for a tombstone.

    An event newer than this program has ``"unknown": true`` and its payload as far as it can be read.

    Raises:
        InvalidEvent: if JSON cannot express it.
    """
    if event is None:
        return b"null"
    if not isinstance(event, UnknownEvent):
        return write_json(event)
    document = unknown_envelope(event)
    try:
        document["payload"] = event.read()
    except DecodeError:
        document["payloadBase64"] = base64.b64encode(event.payload).decode()
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def unknown_envelope(event: UnknownEvent) -> dict[str, Any]:
    """The type and the envelope of an event that is newer than this program, as JSON.

    Raises:
        InvalidEvent: if JSON cannot express it, such as a time beyond the year 9999.
    """
    try:
        document = {
            "eventType": event.event_type,
            "unknown": True,
            "timestamp": format_timestamp(event.envelope.timestamp),
        }
        write_envelope(event.envelope, document)
    except ValueError as error:
        raise InvalidEvent(event.event_type, "", f"JSON cannot express this: {error}") from error
    return document


def value_from_text(line: bytes) -> bytes:
    """The message value that a line holds in base64, in hexadecimal, or as JSON itself.

    Raises:
        MalformedPayload: if it is none of these.
    """
    if line.startswith(b"{"):
        return line
    try:
        value = bytes.fromhex(line.decode("ascii").removeprefix("0x"))
    except ValueError:
        value = b""
    if value.startswith(_VALUE_BEGINS):
        return value
    try:
        return base64.b64decode(line, validate=True)
    except binascii.Error as error:
        raise MalformedPayload("neither base64 nor hexadecimal nor JSON") from error


def hexdump(value: bytes) -> Iterator[str]:
    """Lines of sixteen bytes: the offset of the first, hexadecimal, and text where they are ASCII."""
    for start in range(0, len(value), _DUMP_WIDTH):
        row = value[start : start + _DUMP_WIDTH]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)  # noqa: PLR2004 - printable ASCII
        yield f"{start:08x}  {row.hex(' '):<{_DUMP_WIDTH * 3 - 1}}  {text}"
