"""The protobuf wire format (protobuf.dev, "Encoding"), as far as options need it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

VARINT, FIXED64, LENGTH, START_GROUP, END_GROUP, FIXED32 = range(6)
_LONGEST_VARINT = 10
_DEEPEST_GROUP = 100
_WORD = 0xFFFFFFFFFFFFFFFF


class Chunk(NamedTuple):
    """One field of a message: ``content`` without the tag (nor a length), ``raw`` with it."""

    number: int
    wire_type: int
    content: bytes
    raw: bytes


class Malformed(Exception):
    """Bytes that are not wire format, or not of the type they should be; it stays in this package."""


def split(data: bytes) -> Iterator[Chunk]:
    """The fields of a message in their order.

    Raises:
        Malformed: the bytes are not wire format.
    """
    position = 0
    while position < len(data):
        tag, start = read_varint(data, position)
        content, end = _content(data, tag & 7, tag >> 3, start, 0)
        if not tag >> 3:
            raise Malformed("field number 0")
        yield Chunk(tag >> 3, tag & 7, content, data[position:end])
        position = end


def _content(data: bytes, wire_type: int, number: int, start: int, depth: int) -> tuple[bytes, int]:
    if wire_type == VARINT:
        end = read_varint(data, start)[1]
    elif wire_type in {FIXED64, FIXED32}:
        end = start + (8 if wire_type == FIXED64 else 4)
    elif wire_type == LENGTH:
        length, start = read_varint(data, start)
        end = start + length
    elif wire_type == START_GROUP and depth < _DEEPEST_GROUP:
        return _group(data, number, start, depth)
    else:
        raise Malformed(f"wire type {wire_type}")
    if end > len(data):
        raise Malformed("truncated")
    return data[start:end], end


def _group(data: bytes, number: int, start: int, depth: int) -> tuple[bytes, int]:
    position = start
    while True:
        tag, after = read_varint(data, position)
        if tag & 7 == END_GROUP:
            if tag >> 3 != number:
                raise Malformed("a group ends that did not begin")
            return data[start:position], after
        position = _content(data, tag & 7, tag >> 3, after, depth + 1)[1]


def read_varint(data: bytes, position: int) -> tuple[int, int]:
    """An unsigned 64-bit varint and where it ends.

    Raises:
        Malformed: it is truncated or too long.
    """
    value = 0
    for index, byte in enumerate(data[position : position + _LONGEST_VARINT]):
        value |= (byte & 0x7F) << 7 * index
        if byte < 0x80:  # noqa: PLR2004 (the bit that says another byte follows)
            return value & _WORD, position + index + 1
    raise Malformed("a varint without end")


def varint(value: int) -> bytes:
    """A varint; negative numbers take ten bytes."""
    value &= _WORD
    out = bytearray()
    while value > 0x7F:  # noqa: PLR2004 (what fits in the last byte)
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def tag(number: int, wire_type: int) -> bytes:
    """What precedes a field's content."""
    return varint(number << 3 | wire_type)


def delimited(number: int, content: bytes) -> bytes:
    """A string, bytes, message or packed field."""
    return tag(number, LENGTH) + varint(len(content)) + content
