"""Scalar values on the wire, by type; in Python they are int, float, bool, and bytes for strings too."""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, NamedTuple

from google.protobuf.descriptor_pb2 import FieldDescriptorProto as F

from immersiverse.auth.events.protofile._wire import (
    FIXED32,
    FIXED64,
    LENGTH,
    VARINT,
    Malformed,
    read_varint,
    varint,
)

if TYPE_CHECKING:
    from collections.abc import Callable

ScalarValue = int | float | bytes


class Codec(NamedTuple):
    """How one scalar type is written; ``decode`` takes exactly the bytes of one value."""

    wire_type: int
    encode: Callable[[ScalarValue], bytes]
    decode: Callable[[bytes], ScalarValue]


def _signed(bits: int) -> Callable[[bytes], ScalarValue]:
    def decode(data: bytes) -> int:
        value = read_varint(data, 0)[0] & (1 << bits) - 1
        return value - (1 << bits) if value >> bits - 1 else value

    return decode


def _unsigned(bits: int) -> Callable[[bytes], ScalarValue]:
    return lambda data: read_varint(data, 0)[0] & (1 << bits) - 1


def _zigzag_encode(value: ScalarValue) -> bytes:
    number = int(value)
    return varint(number << 1 if number >= 0 else (-number << 1) - 1)


def _zigzag_decode(data: bytes) -> ScalarValue:
    value = read_varint(data, 0)[0]
    return (value >> 1) ^ -(value & 1)


def _bool_decode(data: bytes) -> ScalarValue:
    return bool(read_varint(data, 0)[0])


def _varint_encode(value: ScalarValue) -> bytes:
    return varint(int(value))


def _fixed(wire_type: int, form: str) -> Codec:
    def decode(data: bytes) -> ScalarValue:
        try:
            value: ScalarValue = struct.unpack(form, data)[0]
        except struct.error as error:
            raise Malformed("truncated") from error
        return value

    def encode(value: ScalarValue) -> bytes:
        # Text has one NaN, so its sign and payload must not tell two schemas apart.
        return struct.pack(form, math.nan if value != value else value)  # noqa: PLR0124 (only NaN differs)

    return Codec(wire_type, encode, decode)


def _bytes(value: ScalarValue) -> bytes:
    return value if isinstance(value, bytes) else b""


_INT32 = Codec(VARINT, _varint_encode, _signed(32))
_RAW = Codec(LENGTH, _bytes, bytes)

CODECS: dict[int, Codec] = {
    F.TYPE_INT32: _INT32,
    F.TYPE_ENUM: _INT32,
    F.TYPE_INT64: Codec(VARINT, _varint_encode, _signed(64)),
    F.TYPE_UINT32: Codec(VARINT, _varint_encode, _unsigned(32)),
    F.TYPE_UINT64: Codec(VARINT, _varint_encode, _unsigned(64)),
    F.TYPE_SINT32: Codec(VARINT, _zigzag_encode, _zigzag_decode),
    F.TYPE_SINT64: Codec(VARINT, _zigzag_encode, _zigzag_decode),
    F.TYPE_BOOL: Codec(VARINT, _varint_encode, _bool_decode),
    F.TYPE_FIXED32: _fixed(FIXED32, "<I"),
    F.TYPE_SFIXED32: _fixed(FIXED32, "<i"),
    F.TYPE_FLOAT: _fixed(FIXED32, "<f"),
    F.TYPE_FIXED64: _fixed(FIXED64, "<Q"),
    F.TYPE_SFIXED64: _fixed(FIXED64, "<q"),
    F.TYPE_DOUBLE: _fixed(FIXED64, "<d"),
    F.TYPE_STRING: _RAW,
    F.TYPE_BYTES: _RAW,
}


def unpack(codec: Codec, data: bytes) -> list[ScalarValue]:
    """The values of a packed field.

    Raises:
        Malformed: the last one is truncated.
    """
    values, position = [], 0
    width = {FIXED32: 4, FIXED64: 8}.get(codec.wire_type)
    while position < len(data):
        end = position + width if width else read_varint(data, position)[1]
        values.append(codec.decode(data[position:end]))
        position = end
    return values
