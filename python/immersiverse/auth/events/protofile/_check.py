"""What the grammar cannot see: names and numbers that get in each other's way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.descriptor_pb2 import FieldDescriptorProto as F

from immersiverse.auth.events.protofile._draft import MAX_FIELD_NUMBER
from immersiverse.auth.events.protofile._names import join
from immersiverse.auth.events.protofile._ranges import Ranges

if TYPE_CHECKING:
    from google.protobuf.descriptor_pb2 import DescriptorProto, EnumDescriptorProto

    from immersiverse.auth.events.protofile._cursor import Cursor
    from immersiverse.auth.events.protofile._draft import Draft
    from immersiverse.auth.events.protofile._symbols import Symbols

# Numbers that protobuf keeps for itself.
_IMPLEMENTATION = range(19_000, 20_000)


class Checker:
    """Checks one file whose names are resolved; it complains at the place of the declaration.

    Raises:
        InvalidSchema: protoc refuses the file for the same reason.
    """

    def __init__(self, cursor: Cursor, draft: Draft, symbols: Symbols) -> None:
        self._cursor = cursor
        self._draft = draft
        self._symbols = symbols
        self._extendable: dict[str, Ranges] = {}
        self._value_names: dict[str, frozenset[str]] = {}

    def check(self) -> None:
        """Check the whole file."""
        file = self._draft.file
        for message in file.message_type:
            self._message(message, file.package)
        for enum in file.enum_type:
            self._enum(enum, file.package)
        for extension in file.extension:
            self._extension(extension, file.package)

    def _fail(self, full_name: str, message: str) -> None:
        self._cursor.fail(message, self._draft.places.get(full_name, 0))

    def _message(self, message: DescriptorProto, scope: str) -> None:
        full_name = join(scope, message.name)
        if message.extension_range and self._draft.syntax == "proto3":
            self._fail(full_name, f"expected no extension ranges in proto3, {message.name} has some")
        ranges = [(r.start, r.end - 1) for r in message.reserved_range]
        taken = Ranges(ranges + [(r.start, r.end - 1) for r in message.extension_range])
        self._ranges(taken, full_name)
        self._fields(message, full_name, taken)
        for nested in message.nested_type:
            self._message(nested, full_name)
        for enum in message.enum_type:
            self._enum(enum, full_name)
        for extension in message.extension:
            self._extension(extension, full_name)

    def _ranges(self, ranges: Ranges, full_name: str) -> None:
        overlap = ranges.overlap()
        if overlap:
            self._fail(full_name, f"expected ranges that do not overlap, {overlap[0]} to {overlap[1]} does")

    def _fields(self, message: DescriptorProto, scope: str, taken: Ranges) -> None:
        numbers: dict[int, str] = {}
        json_names: dict[str, str] = {}
        reserved = frozenset(message.reserved_name)
        for field in message.field:
            place = join(scope, field.name)
            if numbers.setdefault(field.number, field.name) != field.name:
                self._fail(place, f"expected another number, {numbers[field.number]} has {field.number}")
            if json_names.setdefault(field.json_name, field.name) != field.name:
                self._json_name(place, field, json_names)
            if field.name in reserved:
                self._fail(place, f"expected another name, {field.name} is reserved")
            self._number(field, place, taken)
            self._default(field, place)

    def _json_name(self, place: str, field: F, json_names: dict[str, str]) -> None:
        if self._draft.syntax != "proto2":
            other = json_names[field.json_name]
            self._fail(place, f"expected another JSON name, {other} has {field.json_name}")

    def _number(self, field: F, place: str, taken: Ranges) -> None:
        if field.number > MAX_FIELD_NUMBER or field.number in _IMPLEMENTATION:
            self._fail(place, f"expected a number up to {MAX_FIELD_NUMBER}, and not from 19000 to 19999")
        found = taken.find(field.number)
        if found:
            self._fail(place, f"expected another number, {found[0]} to {found[1]} is not for fields")

    def _default(self, field: F, place: str) -> None:
        if field.type != F.TYPE_ENUM or not field.HasField("default_value"):
            return
        name = field.type_name[1:]
        if name not in self._value_names:
            self._value_names[name] = frozenset(value.name for value in self._symbols.enums[name].value)
        if field.default_value not in self._value_names[name]:
            self._fail(place, f"expected a value of {name}, {field.default_value} is none")

    def _extension(self, extension: F, scope: str) -> None:
        place, extended = join(scope, extension.name), extension.extendee[1:]
        self._default(extension, place)
        if extended not in self._extendable:
            ranges = self._symbols.messages[extended].extension_range
            self._extendable[extended] = Ranges((r.start, r.end - 1) for r in ranges)
        if not self._extendable[extended].find(extension.number):
            self._fail(place, f"expected a number that {extended} leaves to extensions")
        if extension.label == F.LABEL_REQUIRED:
            self._fail(place, "expected an extension to be optional or repeated")

    def _enum(self, enum: EnumDescriptorProto, scope: str) -> None:
        full_name = join(scope, enum.name)
        if self._draft.syntax == "proto3" and enum.value[0].number != 0:
            self._fail(full_name, f"expected the first value of {enum.name} to be 0, as proto3 wants it")
        numbers: dict[int, str] = {}
        reserved, ranges = (
            frozenset(enum.reserved_name),
            Ranges((r.start, r.end) for r in enum.reserved_range),
        )
        self._ranges(ranges, full_name)
        for value in enum.value:
            place = join(scope, value.name)
            other = numbers.setdefault(value.number, value.name)
            if other != value.name and not enum.options.allow_alias:
                self._fail(place, f"expected another number or allow_alias, {other} has {value.number}")
            if value.name in reserved or ranges.find(value.number):
                self._fail(place, f"expected {value.name} = {value.number} not to be reserved")
