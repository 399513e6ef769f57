"""Messages, oneofs and extend blocks as lines of text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from google.protobuf.descriptor_pb2 import FieldDescriptorProto as F

from immersiverse.auth.events.errors import InvalidSchema
from immersiverse.auth.events.protofile._draft import INT32_MAX, MAX_FIELD_NUMBER
from immersiverse.auth.events.protofile._layout import Unit, extension_units, field_units, interleave
from immersiverse.auth.events.protofile._names import join, map_entry_name
from immersiverse.auth.events.protofile._print_enum import (
    enum_lines,
    indented,
    range_text,
    reserved_lines,
    statements,
)
from immersiverse.auth.events.protofile._print_field import (
    bracketed,
    declaration,
    identifier,
    label_text,
    map_text,
    reference,
    type_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto

    from immersiverse.auth.events.protofile._print_options import OptionPrinter

# As deep as protoc reads.
_DEEPEST_MESSAGE = 32


@dataclass(frozen=True, slots=True)
class Body:
    """A message whose fields are being printed; for a file's extend blocks, the file.

    Attributes:
        scope: its full name, for a file the package.
        depth: how deep it is nested, in messages.
        entries: its maps' messages by full name.
        groups: its groups' messages by name.
    """

    scope: str
    depth: int
    entries: Mapping[str, DescriptorProto]
    groups: Mapping[str, DescriptorProto]


@dataclass(frozen=True, slots=True)
class MessagePrinter:
    """Prints messages of one file.

    Attributes:
        options: prints their options.
        syntax: ``proto2``, ``proto3`` or ``editions``.
    """

    options: OptionPrinter
    syntax: str

    def file_lines(self, file: FileDescriptorProto) -> Iterator[list[str]]:
        """The file's messages and extend blocks, the lines of each in a list.

        Raises:
            InvalidSchema: something that no text can say.
        """
        groups = {message.name: message for message in file.message_type}
        body = Body(file.package, 0, {}, groups)
        for item in interleave(file.message_type, [], extension_units(file.extension)):
            lines = (
                self._extend(item, body) if isinstance(item, Unit) else self._message(item, file.package, 1)
            )
            yield list(lines)

    def _message(self, message: DescriptorProto, scope: str, depth: int) -> Iterator[str]:
        if message.options.map_entry:
            raise InvalidSchema(f"message {message.name} says it is a map's entry, and no map has it")
        yield f"message {identifier(message.name)} {{"
        yield from indented(self._contents(message, scope, depth))
        yield "}"

    def _contents(self, message: DescriptorProto, scope: str, depth: int) -> Iterator[str]:
        if depth > _DEEPEST_MESSAGE:
            raise InvalidSchema(f"messages are nested more than {_DEEPEST_MESSAGE} deep")
        body = _body(message, join(scope, message.name), depth)
        yield from statements(self.options.of(message, scope))
        for enum in message.enum_type:
            yield from enum_lines(self.options, enum, body.scope, self.syntax)
        entries = frozenset(body.entries)
        units = field_units(message.field, entries)
        for item in interleave(message.nested_type, units, extension_units(message.extension)):
            yield from self._item(item, body, message)
        yield from self._extension_ranges(message, scope)
        yield from reserved_lines(_reserved(message), message.reserved_name, self.syntax)

    def _item(self, item: Unit | DescriptorProto, body: Body, message: DescriptorProto) -> Iterator[str]:
        if not isinstance(item, Unit):
            yield from self._message(item, body.scope, body.depth + 1)
        elif item.fields[0].HasField("extendee"):
            yield from self._extend(item, body)
        elif item.oneof is not None:
            yield from self._oneof(item, body, message)
        else:
            field = item.fields[0]
            label = "" if _entry(field, body) else label_text(field, self.syntax)
            yield from self._field(field, body, label)

    def _extend(self, unit: Unit, body: Body) -> Iterator[str]:
        yield f"extend {reference(unit.fields[0].extendee)} {{"
        for field in unit.fields:
            yield from indented(self._field(field, body, label_text(field, self.syntax)))
        yield "}"

    def _oneof(self, unit: Unit, body: Body, message: DescriptorProto) -> Iterator[str]:
        index = unit.oneof or 0
        if index >= len(message.oneof_decl):
            raise InvalidSchema(f"field {unit.fields[0].name} is in a oneof that does not exist")
        oneof = message.oneof_decl[index]
        yield f"oneof {identifier(oneof.name)} {{"
        yield from indented(statements(self.options.of(oneof, body.scope)))
        for field in unit.fields:
            yield from indented(self._field(field, body, ""))
        yield "}"

    def _field(self, field: F, body: Body, label: str) -> Iterator[str]:
        options = self.options.of(field, body.scope)
        entry = _entry(field, body)
        if entry is not None and entry.name != map_entry_name(field.name):
            raise InvalidSchema(f"the entries of map {field.name} cannot be named {entry.name}")
        line = declaration(field, map_text(entry) if entry else type_text(field), label, options)
        if field.type != F.TYPE_GROUP:
            yield f"{line};"
            return
        group = body.groups.get(field.type_name.rpartition(".")[2])
        if group is None or group.name.lower() != field.name:
            raise InvalidSchema(f"group {field.name} has no message of its name beside it")
        yield f"{line} {{"
        yield from indented(self._contents(group, body.scope, body.depth + 1))
        yield "}"

    def _extension_ranges(self, message: DescriptorProto, scope: str) -> Iterator[str]:
        limit = _limit(message)
        for item in message.extension_range:
            options = self.options.of(item, scope)
            yield f"extensions {range_text(item.start, item.end - 1, limit)}{bracketed(options)};"


def _body(message: DescriptorProto, full_name: str, depth: int) -> Body:
    nested = message.nested_type
    return Body(
        scope=full_name,
        depth=depth,
        entries={join(full_name, entry.name): entry for entry in nested if entry.options.map_entry},
        groups={group.name: group for group in nested},
    )


def _entry(field: F, body: Body) -> DescriptorProto | None:
    return body.entries.get(field.type_name.lstrip(".")) if field.label == F.LABEL_REPEATED else None


def _limit(message: DescriptorProto) -> int:
    return INT32_MAX - 1 if message.options.message_set_wire_format else MAX_FIELD_NUMBER


def _reserved(message: DescriptorProto) -> list[str]:
    limit = _limit(message)
    return [range_text(item.start, item.end - 1, limit) for item in message.reserved_range]
