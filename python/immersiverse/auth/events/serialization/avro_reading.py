"""Avro's bytes to messages, with readers compiled once per writer's schema.

Avro data goes straight into Protobuf's encoding, field by field, matched by name; Protobuf's own parser makes
the message of it and checks its text. Readers stay within the data; its size bounds the work that they do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from immersiverse.auth.events.serialization import avro_binary as binary
from immersiverse.auth.events.serialization import avro_fields as fields
from immersiverse.auth.events.serialization.avro_schema import (
    FIELD_MASK,
    TIMESTAMP,
    has_text_keys,
    map_entry,
)
from immersiverse.auth.events.serialization.avro_types import (
    Array,
    Enum,
    Map,
    Primitive,
    Record,
    Union,
)
from immersiverse.auth.events.serialization.avro_values import TICKS, ValueReaders

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.protobuf.descriptor import Descriptor, FieldDescriptor

    from immersiverse.auth.events.serialization.avro_binary import Read
    from immersiverse.auth.events.serialization.avro_types import Type


class MessageReaders:
    """Readers of one schema's records as messages, each giving the message's Protobuf encoding.

    A field that the message does not have is passed over. They raise what ``ValueReaders`` raise, and
    OverflowError.
    """

    def __init__(self) -> None:
        self.values = ValueReaders()
        self._parts: dict[tuple[Record, Descriptor], list[Read]] = {}

    def record(self, record: Record, descriptor: Descriptor) -> Read:
        """The reader of a record as a message of a type."""
        parts = self._parts_of(record, descriptor)

        def read(data: bytes, at: int) -> tuple[bytes, int]:
            written = []
            for read_part in parts:
                part, at = read_part(data, at)
                written.append(part)
            return b"".join(written), at

        return read

    def part(self, kind: Type, field: FieldDescriptor | None) -> Read:
        """The reader of a field's value; it gives the field's part of the message's encoding, tag and all."""
        if field is None:
            return _passing_over(self.values.reader(kind))
        known = field
        return _chosen(
            kind, lambda one: self._repeated(one, known) if known.is_repeated else self._single(one, known)
        )

    def delimited(self, record: Record, field: FieldDescriptor) -> Read:
        """The reader of a record as a field's message."""
        assert field.message_type is not None  # noqa: S101 - the caller's promise
        return fields.delimited(field, self.record(record, field.message_type))

    def _parts_of(self, record: Record, descriptor: Descriptor) -> list[Read]:
        key = (record, descriptor)
        if key not in self._parts:
            parts = self._parts[key] = []  # known before it is filled, since a record may hold itself
            parts += [self.part(f.type, descriptor.fields_by_name.get(f.name)) for f in record.fields]
        return self._parts[key]

    def _repeated(self, kind: Type, field: FieldDescriptor) -> Read:
        entry = map_entry(field)
        match kind:
            case Array(items):
                return _joined(_chosen(items, lambda one: self._single(one, field)))
            case Map(values) if entry is not None and has_text_keys(entry):
                key = fields.text(entry.fields_by_name["key"])
                value = self.part(values, entry.fields_by_name["value"])
                return _joined(fields.delimited(field, _in_turn(key, value)))
        return fields.mismatch(kind, field)

    def _single(self, kind: Type, field: FieldDescriptor) -> Read:
        match kind:
            case Record() if field.message_type is not None:
                return self.delimited(kind, field)
            case Primitive("long", logical) if _holds(field, TIMESTAMP):
                return fields.time(field, TICKS.get(logical, TICKS["timestamp-micros"]))
            case Array() if _holds(field, FIELD_MASK) and field.message_type is not None:
                return fields.delimited(field, self.part(kind, field.message_type.fields_by_name["paths"]))
            case Enum(symbols) if field.enum_type is not None:
                return fields.enum(symbols, field)
        return fields.scalar(kind, field)


def _chosen(kind: Type, reader: Callable[[Type], Read]) -> Read:
    """The reader of a type that may be one of several, or null."""
    match kind:
        case Union(branches):
            return _branching([_chosen(branch, reader) for branch in branches])
        case Primitive("null"):
            return lambda _, at: (b"", at)
    return reader(kind)


def _branching(branches: list[Read]) -> Read:
    def read(data: bytes, at: int) -> tuple[bytes, int]:
        index, at = binary.read_index(data, at, len(branches))
        return branches[index](data, at)

    return read


def _passing_over(value: Read) -> Read:
    return lambda data, at: (b"", value(data, at)[1])


def _joined(item: Read) -> Read:
    def read(data: bytes, at: int) -> tuple[bytes, int]:
        items, at = binary.read_blocks(data, at, item)
        return b"".join(items), at

    return read


def _in_turn(first: Read, second: Read) -> Read:
    def read(data: bytes, at: int) -> tuple[bytes, int]:
        one, at = first(data, at)
        other, at = second(data, at)
        return one + other, at

    return read


def _holds(field: FieldDescriptor, message: str) -> bool:
    return field.message_type is not None and field.message_type.full_name == message
