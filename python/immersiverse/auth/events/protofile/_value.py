"""Values of option messages: read from wire format by a schema, merged, and written in one order only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from google.protobuf.descriptor_pb2 import FieldDescriptorProto as F

from immersiverse.auth.events.protofile._scalar_wire import CODECS, ScalarValue, unpack
from immersiverse.auth.events.protofile._wire import (
    END_GROUP,
    LENGTH,
    START_GROUP,
    Chunk,
    Malformed,
    delimited,
    split,
    tag,
)

if TYPE_CHECKING:
    from immersiverse.auth.events.protofile._schema import Field, Schema

# protobuf's own limit.
_DEEPEST = 100


@dataclass(slots=True)
class Entry:
    """The values of one field; exactly one unless it is repeated."""

    field: Field
    values: list[Value]


@dataclass(slots=True)
class MessageValue:
    """A message's fields by number, and what its schema does not know."""

    type_name: str
    entries: dict[int, Entry] = field(default_factory=dict)
    unknown: list[Chunk] = field(default_factory=list)


Value = ScalarValue | MessageValue


def decode(schema: Schema, type_name: str, data: bytes, depth: int = 0) -> MessageValue:
    """Read a message; occurrences of one singular message are merged, of scalars the last one counts.

    Raises:
        Malformed: the bytes are not of this type.
    """
    if depth > _DEEPEST:
        raise Malformed("nested too deep")
    value = MessageValue(type_name)
    merged: dict[int, list[bytes]] = {}
    for chunk in split(data):
        known = schema.field(type_name, chunk.number)
        if known is None or (known.is_message and not schema.knows(known.type_name)):
            value.unknown.append(chunk)
            continue
        entry = value.entries.setdefault(chunk.number, Entry(known, []))
        if not known.is_message:
            _add_scalars(entry, chunk)
        elif known.is_repeated:
            entry.values.append(decode(schema, known.type_name, _message_content(known, chunk), depth + 1))
        else:
            merged.setdefault(chunk.number, []).append(_message_content(known, chunk))
    for number, contents in merged.items():
        entry = value.entries[number]
        entry.values.append(decode(schema, entry.field.type_name, b"".join(contents), depth + 1))
    for entry in value.entries.values():
        if entry.field.is_map:
            entry.values.sort(key=lambda item: _encode_content(entry.field, item))
    return value


def encode(value: MessageValue) -> bytes:
    """Write a message with its fields by number; unknown ones of a number stay in their order."""
    parts = [(number, _encode_entry(entry)) for number, entry in value.entries.items()]
    parts += [(chunk.number, chunk.raw) for chunk in value.unknown]
    return b"".join(raw for _, raw in sorted(parts, key=lambda part: part[0]))


def _message_content(known: Field, chunk: Chunk) -> bytes:
    if chunk.wire_type != (START_GROUP if known.type == F.TYPE_GROUP else LENGTH):
        raise Malformed(f"wire type {chunk.wire_type} for {known.name}")
    return chunk.content


def _add_scalars(entry: Entry, chunk: Chunk) -> None:
    codec = CODECS[entry.field.type]
    if chunk.wire_type == codec.wire_type:
        values = [codec.decode(chunk.content)]
    elif chunk.wire_type == LENGTH and entry.field.is_repeated:
        values = unpack(codec, chunk.content)
    else:
        raise Malformed(f"wire type {chunk.wire_type} for {entry.field.name}")
    if entry.field.is_repeated:
        entry.values += values
    else:
        entry.values[:] = values


def _encode_entry(entry: Entry) -> bytes:
    known = entry.field
    contents = [_encode_content(known, value) for value in entry.values]
    if known.is_map:
        contents.sort()
    if known.is_packed:
        return delimited(known.number, b"".join(contents)) if contents else b""
    return b"".join(_framed(known, content) for content in contents)


def _encode_content(known: Field, value: Value) -> bytes:
    return encode(value) if isinstance(value, MessageValue) else CODECS[known.type].encode(value)


def _framed(known: Field, content: bytes) -> bytes:
    if known.type == F.TYPE_GROUP:
        return tag(known.number, START_GROUP) + content + tag(known.number, END_GROUP)
    wire_type = LENGTH if known.is_message else CODECS[known.type].wire_type
    return delimited(known.number, content) if wire_type == LENGTH else tag(known.number, wire_type) + content
