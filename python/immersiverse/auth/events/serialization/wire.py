"""Framing: a magic byte, the schema id, for Protobuf the message's place in its file, then the payload.

Source: Confluent's wire format. A frame is ``00``, a 4-byte big-endian schema id and, for Protobuf, message
indexes as zigzag varints: their count, then each; the single byte ``00`` is short for the first message. In
header mode the id is a GUID in a header, ``01`` and 16 bytes; the indexes follow it there or begin the value.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Final

from immersiverse.auth.events.errors import MalformedFrame, RegistryRefused
from immersiverse.auth.events.serialization.schemas import MAX_SCHEMA_ID

if TYPE_CHECKING:
    from collections.abc import Iterable

MAGIC: Final = 0x00
HEADER_MAGIC: Final = 0x01
VALUE_SCHEMA_ID_HEADER: Final = "__value_schema_id"

SCHEMA_ID_END: Final = 5
"""Where what follows the schema id begins in a frame."""

_GUID_END = 17
_MAX_INDEXES = 64  # messages nested deeper than any real file
_VARINT_BYTES = 5  # an index fits in 32 bits

FIRST_MESSAGE: Final = (0,)
"""The indexes of the first message of a file, where the envelope is and stays."""


def frame_prefix(schema_id: int, indexes: tuple[int, ...] | None = FIRST_MESSAGE) -> bytes:
    """The bytes before a payload; `indexes` is None for Avro and JSON, which have none.

    Raises:
        RegistryRefused: if the id does not fit into 32 bits.
    """
    if not 0 <= schema_id <= MAX_SCHEMA_ID:
        raise RegistryRefused(f"schema id {schema_id} does not fit into a frame's 32 bits", 0)
    return bytes((MAGIC,)) + schema_id.to_bytes(4) + write_indexes(indexes)


def header_value(guid: uuid.UUID, indexes: tuple[int, ...] | None = FIRST_MESSAGE) -> bytes:
    """The value of the header that names the schema instead of a frame."""
    return bytes((HEADER_MAGIC,)) + guid.bytes + write_indexes(indexes)


def read_schema_id(frame: bytes) -> int:
    """The schema id of a frame.

    Raises:
        MalformedFrame: if it is shorter than its own head, or does not begin with the magic byte.
    """
    if len(frame) < SCHEMA_ID_END or frame[0] != MAGIC:
        raise MalformedFrame(f"not a frame, 00 and a 4-byte schema id: {_described(frame)}")
    return int.from_bytes(frame[1:SCHEMA_ID_END])


def read_header(value: bytes) -> tuple[uuid.UUID, bytes]:
    """The GUID in a schema id header, and what follows it there: indexes, or nothing.

    Raises:
        MalformedFrame: if it is shorter, or does not begin with its magic byte.
    """
    if len(value) < _GUID_END or value[0] != HEADER_MAGIC:
        raise MalformedFrame(
            f"header {VALUE_SCHEMA_ID_HEADER} is not 01 and a GUID of 16 bytes: {_described(value)}"
        )
    return uuid.UUID(bytes=value[1:_GUID_END]), value[_GUID_END:]


def schema_header(headers: Iterable[tuple[str, Any]] | dict[str, Any]) -> bytes | None:
    """The value of the header that names the schema; None without one or its value, empty if not bytes."""
    for name, content in header_pairs(headers):
        if name == VALUE_SCHEMA_ID_HEADER and content is not None:
            return content if isinstance(content, bytes) else b""
    return None


def header_pairs(headers: Any) -> list[tuple[str, Any]]:
    """Headers as Confluent's client and contexts give them: pairs, a dictionary or None.

    Raises:
        MalformedFrame: if they are something else.
    """
    try:
        pairs = headers.items() if isinstance(headers, dict) else headers or ()
        return [(name, content) for name, content in pairs if isinstance(name, str)]
    except (TypeError, ValueError) as error:
        raise MalformedFrame("headers are not pairs of a name and a value") from error


def named_schema(value: bytes, headers: Iterable[tuple[str, Any]] | dict[str, Any]) -> int | uuid.UUID | None:
    """The schema id in a message's header or frame; None without one.

    Raises:
        MalformedFrame: if it cannot be read.
    """
    header = schema_header(headers)
    if header is not None:
        return read_header(header)[0]
    return read_schema_id(value) if value[0] == MAGIC else None


def write_indexes(indexes: tuple[int, ...] | None) -> bytes:
    """Message indexes as they stand in a frame; nothing for None."""
    if indexes is None:
        return b""
    if indexes == FIRST_MESSAGE:
        return b"\x00"
    return b"".join(_write_varint(number << 1) for number in (len(indexes), *indexes))


def read_indexes(data: bytes, start: int) -> tuple[tuple[int, ...], int]:
    """The message indexes that begin at `start`, and where they end.

    Raises:
        MalformedFrame: if they are truncated, negative, or more or greater than a file can have.
    """
    count, position = _read_varint(data, start)
    if count == 0:
        return FIRST_MESSAGE, position
    if count > _MAX_INDEXES:
        raise MalformedFrame("too many message indexes: no message is nested so deep")
    indexes = []
    for _ in range(count):
        index, position = _read_varint(data, position)
        indexes.append(index)
    return tuple(indexes), position


def _described(data: bytes) -> str:
    """What an error may show of bytes that may be personal data."""
    return f"{len(data)} bytes that begin with {data[:1].hex()}" if data else "no bytes"


def _write_varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:  # noqa: PLR2004 - seven bits a byte
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _read_varint(data: bytes, start: int) -> tuple[int, int]:
    """A zigzag varint of 0 or more, and where it ends."""
    number = 0
    for offset, byte in enumerate(data[start : start + _VARINT_BYTES]):
        number |= (byte & 0x7F) << 7 * offset
        if byte < 0x80:  # noqa: PLR2004 - the last byte has no continuation bit
            if number & 1:
                raise MalformedFrame("a negative message index")
            return number >> 1, start + offset + 1
    raise MalformedFrame("message indexes are truncated or over-long")
