"""auth-events decode."""

from __future__ import annotations

import base64
import binascii

from immersiverse.auth.events.cli.json_events import show_event
from immersiverse.auth.events.cli.lines import STANDARD_INPUT, InputFile, convert_lines
from immersiverse.auth.events.cli.registry_options import RegistrySettings, RegistryUrl, writer_schemas
from immersiverse.auth.events.errors import MalformedPayload

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

    with writer_schemas(registry, registry_config) as schemas:
        deserialize = AuthEventDeserializer(schemas).deserialize
        convert_lines(file, lambda line: show_event(deserialize(_value(line))))


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
