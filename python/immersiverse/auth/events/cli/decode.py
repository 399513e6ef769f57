"""auth-events decode."""

from __future__ import annotations

import base64
import binascii
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from immersiverse.auth.events.cli.lines import STANDARD_INPUT, InputFile, convert_lines
from immersiverse.auth.events.cli.registry_options import RegistrySettings, RegistryUrl, connected
from immersiverse.auth.events.errors import DecodeError, MalformedPayload

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from immersiverse.auth.events.registry import SchemaRegistry
    from immersiverse.auth.events.serialization.codec import Decoded
    from immersiverse.auth.events.serialization.unknown import UnknownEvent

# How a value can begin: a frame, a JSON object, or what may stand before one. No text is both hexadecimal
# of such a value and base64 of one.
_VALUE_BEGINS = (b"\x00", b"{", b" ", b"\t", b"\r", b"\n", b"\xef\xbb\xbf")


def decode(
    file: InputFile = STANDARD_INPUT,
    *,
    registry: RegistryUrl = None,
    registry_config: RegistrySettings = None,
) -> None:
    """Turn the bytes that travel, in base64 or hexadecimal, one value a line, into events in JSON.

    Tells Protobuf, Avro and JSON apart by itself, and takes JSON as it stands, too. Without a registry,
    frames are taken for Protobuf of this contract, whatever schema their id names.
    """
    from immersiverse.auth.events.serialization.deserializer import AuthEventDeserializer

    with _schemas(registry, registry_config) as schemas:
        deserialize = AuthEventDeserializer(schemas).deserialize
        convert_lines(file, lambda line: _json(deserialize(_value(line))))


def _schemas(url: str | None, settings: list[str] | None) -> AbstractContextManager[SchemaRegistry | None]:
    return connected(url, settings) if url or settings else nullcontext()


def _value(line: bytes) -> bytes:
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


def _json(event: Decoded | None) -> bytes:
    from immersiverse.auth.events.serialization.json import JsonCodec
    from immersiverse.auth.events.serialization.unknown import UnknownEvent

    if event is None:
        return b"null"
    return _unknown(event) if isinstance(event, UnknownEvent) else JsonCodec().encode(event)


def _unknown(event: UnknownEvent) -> bytes:
    """An event newer than this program: what every event has, and its payload as far as anything tells."""
    import orjson

    from immersiverse.auth.events.serialization.timestamps import format_timestamp

    envelope = event.envelope
    document: dict[str, Any] = {
        "eventType": event.event_type,
        "unknown": True,
        "timestamp": format_timestamp(envelope.timestamp),
        "eventId": envelope.event_id,
        "version": envelope.version,
        "source": envelope.source,
    }
    try:
        document["payload"] = event.read()
    except DecodeError:
        document["payloadBase64"] = base64.b64encode(event.payload).decode()
    return orjson.dumps(document)
