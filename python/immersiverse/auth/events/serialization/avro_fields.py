"""Single Avro values to fields of a message, in Protobuf's encoding, tag and all."""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NoReturn

from google.protobuf.descriptor import FieldDescriptor

from immersiverse.auth.events.errors import MalformedPayload
from immersiverse.auth.events.serialization import avro_binary as binary
from immersiverse.auth.events.serialization.avro_types import Fixed, Primitive
from immersiverse.auth.events.serialization.timestamps import MAX_SECONDS, MIN_SECONDS, NANOS

if TYPE_CHECKING:
    from collections.abc import Callable

    from immersiverse.auth.events.serialization.avro_binary import Read
    from immersiverse.auth.events.serialization.avro_types import Type

_VARINT, _DELIMITED = 0, 2  # Protobuf's wire types that are not a scalar's own
_64_BITS = (1 << 64) - 1
_TEXTS = (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES)
_FLOATING = (FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_FLOAT)

_LIMITS: Final = {
    FieldDescriptor.CPPTYPE_INT32: (-(1 << 31), (1 << 31) - 1),
    FieldDescriptor.CPPTYPE_INT64: (binary.MIN_LONG, binary.MAX_LONG),
    FieldDescriptor.CPPTYPE_UINT32: (0, (1 << 32) - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, binary.MAX_LONG),
}


def scalar(kind: Type, field: FieldDescriptor) -> Read:
    """The reader of a value without fields; it refuses data of a type that does not fit."""
    match kind:
        case Primitive("string" | "bytes") if field.type in _TEXTS:
            return text(field)
        case Fixed(size) if field.type == FieldDescriptor.TYPE_BYTES:
            return delimited(field, lambda data, at: binary.read_fixed(data, at, size))
        case Primitive("boolean") if field.type == FieldDescriptor.TYPE_BOOL:
            return _encoded(field, binary.read_boolean)
        case Primitive("int" | "long") if field.cpp_type in _LIMITS:
            return _encoded(field, _limited(field))
        case Primitive("int" | "long" | "float" | "double") if field.type in _FLOATING:
            return _encoded(field, _NUMBERS[kind.kind])
    return mismatch(kind, field)


def _tag(field: FieldDescriptor, wire_type: int) -> bytes:
    return binary.write_varint(field.number << 3 | wire_type)


def delimited(field: FieldDescriptor, body: Read) -> Read:
    """The reader of a message's or bytes' field, given that of what stands in it."""
    tag, write_varint = _tag(field, _DELIMITED), binary.write_varint

    def read(data: bytes, at: int) -> tuple[bytes, int]:
        value, at = body(data, at)
        return tag + write_varint(len(value)) + value, at

    return read


def text(field: FieldDescriptor) -> Read:
    """The reader of a string's or bytes' field."""
    tag = _tag(field, _DELIMITED)
    heads = [tag + binary.write_varint(size >> 1) for size in range(128)]
    long = delimited(field, binary.read_bytes)

    # Most of what events hold is short text, hence the way without a call for lengths of one byte.
    def read(data: bytes, at: int) -> tuple[bytes, int]:
        size = data[at]
        start = at + 1
        end = start + (size >> 1)
        if size & 0x81 or end > len(data):  # long, negative or truncated
            return long(data, at)
        return heads[size] + data[start:end], end

    return read


def enum(symbols: tuple[str, ...], field: FieldDescriptor) -> Read:
    """The reader of an enum's field. A symbol that the contract does not know becomes its zero."""
    tag, values = _tag(field, _VARINT), field.enum_type.values_by_name if field.enum_type else {}
    numbers = [values[symbol].number if symbol in values else 0 for symbol in symbols]
    parts = [tag + binary.write_varint(number & _64_BITS) for number in numbers]

    def read(data: bytes, at: int) -> tuple[bytes, int]:
        index, at = binary.read_index(data, at, len(parts))
        return parts[index], at

    return read


def time(field: FieldDescriptor, ticks: int) -> Read:
    """The reader of a Timestamp's field, written as a number of ticks since 1970, so many a second."""
    tag, nano_ticks = _tag(field, _DELIMITED), NANOS // ticks

    def read(data: bytes, at: int) -> tuple[bytes, int]:
        number, at = binary.read_long(data, at)
        seconds, rest = divmod(number, ticks)
        if not MIN_SECONDS <= seconds <= MAX_SECONDS:
            raise MalformedPayload("is outside the years 1 to 9999", field.name)
        body = _seconds(seconds) + _nanos(rest * nano_ticks)
        return tag + binary.write_varint(len(body)) + body, at

    return read


@lru_cache(maxsize=4096)  # many events share a second
def _seconds(seconds: int) -> bytes:
    return b"\x08" + binary.write_varint(seconds & _64_BITS)  # field 1 of a Timestamp


def _nanos(nanos: int) -> bytes:
    """Field 2 of a Timestamp, in five bytes always: Protobuf takes varints of any length, so no loop."""
    return bytes(
        (
            0x10,
            nanos & 127 | 128,
            nanos >> 7 & 127 | 128,
            nanos >> 14 & 127 | 128,
            nanos >> 21 & 127 | 128,
            nanos >> 28,
        )
    )


def _limited(field: FieldDescriptor) -> Read:
    low, high = _LIMITS[field.cpp_type]

    def read(data: bytes, at: int) -> tuple[int, int]:
        number, at = binary.read_long(data, at)
        if not low <= number <= high:
            raise MalformedPayload(f"is not a whole number from {low} to {high}", field.name)
        return number, at

    return read


def _encoded(field: FieldDescriptor, value: Read) -> Read:
    wire_type, write = _ENCODINGS.get(field.type, (_VARINT, _write_number))
    tag = _tag(field, wire_type)

    def read(data: bytes, at: int) -> tuple[bytes, int]:
        number, at = value(data, at)
        return tag + write(number), at

    return read


def _write_number(number: int) -> bytes:
    return binary.write_varint(number & _64_BITS)


def mismatch(kind: Type, field: FieldDescriptor) -> Read:
    """The reader of a field whose data has a type that does not fit: it refuses all."""
    written = kind.kind if isinstance(kind, Primitive) else type(kind).__name__.lower()

    def read(_: bytes, __: int) -> NoReturn:
        raise MalformedPayload(f"its writer's schema calls it {written}, which does not fit", field.name)

    return read


_NUMBERS: Final[dict[str, Read]] = {
    "int": binary.read_long,
    "long": binary.read_long,
    "float": binary.read_float,
    "double": binary.read_double,
}

_ENCODINGS: Final[dict[int, tuple[int, Callable[[Any], bytes]]]] = {
    FieldDescriptor.TYPE_DOUBLE: (1, struct.Struct("<d").pack),
    FieldDescriptor.TYPE_FIXED32: (5, struct.Struct("<I").pack),
    FieldDescriptor.TYPE_FIXED64: (1, struct.Struct("<Q").pack),
    FieldDescriptor.TYPE_FLOAT: (5, struct.Struct("<f").pack),
    FieldDescriptor.TYPE_SFIXED32: (5, struct.Struct("<i").pack),
    FieldDescriptor.TYPE_SFIXED64: (1, struct.Struct("<q").pack),
    FieldDescriptor.TYPE_SINT32: (_VARINT, binary.write_long),
    FieldDescriptor.TYPE_SINT64: (_VARINT, binary.write_long),
}
