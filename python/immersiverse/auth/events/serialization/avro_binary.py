"""Avro's binary encoding of numbers and bytes.

Source: Avro 1.12 specification, "Binary Encoding". What reads takes the data and a position, and returns the
value and the position after it. Past the end of the data, numbers raise IndexError or struct.error.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from immersiverse.auth.events.errors import MalformedPayload

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Read = Callable[[bytes, int], tuple[Any, int]]

MIN_LONG, MAX_LONG = -(1 << 63), (1 << 63) - 1

_CONTINUED = 0x80
_LONG_BITS = 64
_SMALL: Final = tuple(bytes((number,)) for number in range(_CONTINUED))
_FLOAT, _DOUBLE = struct.Struct("<f"), struct.Struct("<d")


def write_varint(number: int) -> bytes:
    """A number that is not negative, seven bits a byte, the lowest first. Protobuf's varint too."""
    if number < _CONTINUED:
        return _SMALL[number]
    if 1 << 49 <= number < 1 << 56:  # times of our days in microseconds: a loop takes twice as long
        return bytes(
            (
                number & 127 | 128,
                number >> 7 & 127 | 128,
                number >> 14 & 127 | 128,
                number >> 21 & 127 | 128,
                number >> 28 & 127 | 128,
                number >> 35 & 127 | 128,
                number >> 42 & 127 | 128,
                number >> 49,
            )
        )
    out = bytearray()
    while number >= _CONTINUED:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def write_long(number: int) -> bytes:
    """An int or long: zigzag, so that small negative numbers are short."""
    return write_varint(number << 1 if number >= 0 else ~(number << 1))


def write_bytes(value: bytes) -> bytes:
    """Bytes after their length."""
    return write_long(len(value)) + value


def write_text(value: str) -> bytes:
    """A string: UTF-8 after its length in bytes."""
    data = value.encode()
    size = len(data)
    return _LENGTHS[size] + data if size < _USUAL_LENGTH else write_long(size) + data


def write_boolean(value: bool) -> bytes:
    """One byte, 0 or 1."""
    return _SMALL[value]


def write_block(items: list[bytes]) -> bytes:
    """The items of an array or map, in one block."""
    return b"%b%b\x00" % (write_long(len(items)), b"".join(items)) if items else b"\x00"


_USUAL_LENGTH = 1024
_LENGTHS: Final = tuple(write_long(size) for size in range(_USUAL_LENGTH))

write_float, write_double = _FLOAT.pack, _DOUBLE.pack


def read_long(data: bytes, at: int) -> tuple[int, int]:
    """An int or long.

    Raises:
        MalformedPayload: if it has more than 64 bits.
    """
    byte = data[at]
    at += 1
    if byte < _CONTINUED:
        return byte >> 1 ^ -(byte & 1), at
    number, shift = byte & 127, 7
    while byte >= _CONTINUED:
        byte = data[at]
        at += 1
        number |= (byte & 127) << shift
        shift += 7
        if number >> _LONG_BITS or shift > 7 * 10:
            raise MalformedPayload("a number has more than 64 bits")
    return number >> 1 ^ -(number & 1), at


def read_bytes(data: bytes, at: int) -> tuple[bytes, int]:
    """Bytes, or the UTF-8 of a string.

    Raises:
        MalformedPayload: if their length is negative, or goes past the end.
    """
    size, at = read_long(data, at)
    return read_fixed(data, at, size)


def read_fixed(data: bytes, at: int, size: int) -> tuple[bytes, int]:
    """So many bytes.

    Raises:
        MalformedPayload: if the number is negative, or goes past the end.
    """
    end = at + size
    if not at <= end <= len(data):
        raise MalformedPayload(f"more bytes are announced than the {len(data) - at} that are left")
    return data[at:end], end


def read_boolean(data: bytes, at: int) -> tuple[bool, int]:
    """A boolean.

    Raises:
        MalformedPayload: if it is neither 0 nor 1.
    """
    if data[at] > 1:
        raise MalformedPayload("a boolean is neither 0 nor 1")
    return data[at] == 1, at + 1


def read_float(data: bytes, at: int) -> tuple[float, int]:
    """A number of 32 bits."""
    return _FLOAT.unpack_from(data, at)[0], at + _FLOAT.size


def read_double(data: bytes, at: int) -> tuple[float, int]:
    """A number of 64 bits."""
    return _DOUBLE.unpack_from(data, at)[0], at + _DOUBLE.size


def read_index(data: bytes, at: int, count: int) -> tuple[int, int]:
    """The position of a union's branch or an enum's symbol among `count`.

    Raises:
        MalformedPayload: if there are not so many.
    """
    index, at = read_long(data, at)
    if not 0 <= index < count:
        raise MalformedPayload(f"a branch or symbol that is none of {count}")
    return index, at


def read_blocks(data: bytes, at: int, read: Read) -> tuple[list[Any], int]:
    """The items of an array or map, from all blocks.

    An item of no bytes is refused, so that a few bytes cannot announce any number of items.

    Raises:
        MalformedPayload: if an item takes no bytes.
    """
    items: list[Any] = []
    count, at = read_long(data, at)
    while count:
        if count < 0:  # the block's size in bytes follows, for those who pass over it
            count = -count
            _, at = read_long(data, at)
        for _ in range(count):
            start = at
            item, at = read(data, at)
            if at == start:
                raise MalformedPayload("an array of items that take no bytes")
            items.append(item)
        count, at = read_long(data, at)
    return items, at
