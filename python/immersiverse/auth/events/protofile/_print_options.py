"""Options as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf import descriptor_pool
from google.protobuf.descriptor_pb2 import FieldDescriptorProto as F
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from immersiverse.auth.events.errors import InvalidSchema
from immersiverse.auth.events.protofile._literals import number_text, quote, quote_bytes
from immersiverse.auth.events.protofile._schema import Schema, options_type
from immersiverse.auth.events.protofile._symbols import EXTENSIONS, Symbols, symbols_of
from immersiverse.auth.events.protofile._value import MessageValue, Value, decode
from immersiverse.auth.events.protofile._wire import Malformed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.descriptor import FieldDescriptor, FileDescriptor
    from google.protobuf.message import Message

    from immersiverse.auth.events.protofile._schema import Field
    from immersiverse.auth.events.protofile._value import Entry


class OptionPrinter:
    """Prints options by the declarations of their extensions, and by the default pool where those lack."""

    def __init__(self, symbols: Symbols) -> None:
        self._symbols = symbols
        self._schema = Schema(symbols)

    def of(self, element: Message, scope: str) -> list[str]:
        """Each option of a declaration as ``name = value``, named as seen from a scope.

        Raises:
            InvalidSchema: an option whose definition is nowhere, or a value that is not of its type.
        """
        if not element.HasField("options"):
            return []
        type_name = options_type(element)
        data = element.options.SerializeToString(deterministic=True)  # type: ignore[attr-defined]  # has options
        try:
            value = self._decode(type_name, data)
        except Malformed as error:
            raise InvalidSchema(f"an option of {scope or 'the file'} cannot be read: {error}") from error
        return list(self._assignments(value, scope, ""))

    def _decode(self, type_name: str, data: bytes) -> MessageValue:
        value = decode(self._schema, type_name, data)
        learned = [self._learn(type_name, chunk.number) for chunk in value.unknown]
        return decode(self._schema, type_name, data) if any(learned) else value

    def _learn(self, type_name: str, number: int) -> bool:
        pool = descriptor_pool.Default()
        try:
            extension = pool.FindExtensionByNumber(pool.FindMessageTypeByName(type_name), number)
        except KeyError:
            return False
        for file in _with_dependencies(_file_of(extension)):
            self._symbols.include(symbols_of(FileDescriptorProto.FromString(file.serialized_pb)))
        self._schema = Schema(self._symbols)
        return True

    def _assignments(self, message: MessageValue, scope: str, prefix: str) -> Iterator[str]:
        _refuse_unknown(message)
        for _, entry in sorted(message.entries.items()):
            name = prefix + self._name(entry.field, scope)
            for value in entry.values:
                # Features are set one by one: protoc takes no braces for them.
                if isinstance(value, MessageValue) and (prefix or name == "features"):
                    yield from self._assignments(value, scope, f"{name}.")
                else:
                    yield f"{name} = {self._value(entry.field, value, in_braces=False)}"

    def _name(self, field: Field, scope: str) -> str:
        if not field.is_extension:
            return field.name
        plain = self._symbols.resolve(field.name, scope, EXTENSIONS) == field.name
        return f"({field.name})" if plain else f"(.{field.name})"

    def _value(self, field: Field, value: Value, *, in_braces: bool) -> str:
        if isinstance(value, MessageValue):
            return self._braces(value)
        if isinstance(value, bytes):
            return _string(value, is_text=field.type == F.TYPE_STRING)
        if field.type == F.TYPE_ENUM:
            return self._enum(field, int(value), in_braces=in_braces)
        if isinstance(value, bool):
            return "true" if value else "false"
        return (
            number_text(value, single=field.type == F.TYPE_FLOAT) if isinstance(value, float) else str(value)
        )

    def _braces(self, message: MessageValue) -> str:
        _refuse_unknown(message)
        return "{" + ", ".join(self._item(entry) for _, entry in sorted(message.entries.items())) + "}"

    def _item(self, entry: Entry) -> str:
        field = entry.field
        name = f"[{field.name}]" if field.is_extension else field.text_name
        values = ", ".join(self._value(field, value, in_braces=True) for value in entry.values)
        return f"{name}: [{values}]" if field.is_repeated else f"{name}: {values}"

    def _enum(self, field: Field, number: int, *, in_braces: bool) -> str:
        name = self._schema.value_name(field.type_name, number)
        if name is None and not in_braces:
            raise InvalidSchema(f"option {field.name} cannot be written as text: {number} has no name")
        return str(number) if name is None else name


def _file_of(extension: FieldDescriptor) -> FileDescriptor:
    file: FileDescriptor = extension.file  # type: ignore[attr-defined]  # missing in the stubs only
    return file


def _with_dependencies(file: FileDescriptor) -> Iterator[FileDescriptor]:
    waiting, seen = [file], set[str]()
    while waiting:
        file = waiting.pop()
        if file.name not in seen:
            seen.add(file.name)
            waiting += file.dependencies
            yield file


def _refuse_unknown(message: MessageValue) -> None:
    if message.unknown:
        number = message.unknown[0].number
        raise InvalidSchema(
            f"field {number} of {message.type_name} is set and not defined anywhere; "
            "give the file that defines it, with what that imports, as an extension"
        )


def _string(value: bytes, *, is_text: bool) -> str:
    if not is_text:
        return quote_bytes(value)
    try:
        return quote(value.decode())
    except UnicodeDecodeError as error:
        raise InvalidSchema(f"a string option is not UTF-8: {quote_bytes(value)}") from error
