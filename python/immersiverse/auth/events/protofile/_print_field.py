"""Fields as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.descriptor_pb2 import FieldDescriptorProto as F

from immersiverse.auth.events.errors import InvalidSchema
from immersiverse.auth.events.protofile._literals import number_text, quote, quote_bytes, unquote
from immersiverse.auth.events.protofile._names import is_full_name, is_identifier, is_json_name, json_name
from immersiverse.auth.events.protofile._types import FLOATING_TYPES, LABEL_NAMES, SCALAR_NAMES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from google.protobuf.descriptor_pb2 import DescriptorProto


def identifier(name: str) -> str:
    """A declared name, checked: what is no identifier would change the meaning of the text.

    Raises:
        InvalidSchema: it is none.
    """
    if not is_identifier(name):
        raise InvalidSchema(f"{name!r} is not a name")
    return name


def reference(name: str) -> str:
    """A type's name where something refers to it, with the leading dot that resolved names have.

    Raises:
        InvalidSchema: it is no name.
    """
    if not is_full_name(name.removeprefix(".")):
        raise InvalidSchema(f"{name!r} is not the name of a type")
    return name


def declaration(field: F, type_text: str, label: str, options: Sequence[str]) -> str:
    """A field up to its semicolon or brace."""
    name = field.type_name.rpartition(".")[2] if field.type == F.TYPE_GROUP else field.name
    return f"{label}{type_text} {identifier(name)} = {field.number}{bracketed([*_own(field), *options])}"


def bracketed(options: Sequence[str]) -> str:
    """Options behind a declaration, with a space before; nothing if there are none."""
    return f" [{', '.join(options)}]" if options else ""


def label_text(field: F, syntax: str) -> str:
    """The label that a field outside of oneofs needs in this syntax, with a space behind."""
    if syntax == "proto2" or field.label == F.LABEL_REPEATED or field.proto3_optional:
        return f"{LABEL_NAMES[field.label]} "
    if field.label == F.LABEL_REQUIRED:
        raise InvalidSchema(f"field {field.name} is required, which only proto2 can say")
    return ""


def type_text(field: F) -> str:
    """A field's type that is no map."""
    if field.type == F.TYPE_GROUP:
        return "group"
    if field.type in SCALAR_NAMES:
        return SCALAR_NAMES[field.type]
    return reference(field.type_name)


def map_text(entry: DescriptorProto) -> str:
    """The type of a map, from the message of its entries.

    Raises:
        InvalidSchema: the message is not one that a map makes.
    """
    if [(field.name, field.number) for field in entry.field] != [("key", 1), ("value", 2)]:
        raise InvalidSchema(f"{entry.name} says it is a map's entry and has not just a key and a value")
    key, value = entry.field
    return f"map<{type_text(key)}, {type_text(value)}>"


def _own(field: F) -> list[str]:
    options = []
    if field.HasField("default_value"):
        options.append(f"default = {_default(field)}")
    if (
        field.HasField("json_name")
        and not field.HasField("extendee")
        and field.json_name != json_name(field.name)
    ):
        options.append(f"json_name = {quote(_checked_json_name(field.json_name))}")
    return options


def _checked_json_name(name: str) -> str:
    if not is_json_name(name):
        raise InvalidSchema(f"{name!r} cannot be a JSON name")
    return name


def _default(field: F) -> str:
    value = field.default_value
    if field.type == F.TYPE_STRING:
        return quote(value)
    if field.type == F.TYPE_BYTES:
        return _bytes_default(value)
    if field.type in FLOATING_TYPES:
        return _number_default(field)
    if field.type not in SCALAR_NAMES or field.type == F.TYPE_BOOL:
        return identifier(value)
    try:
        return str(int(value))
    except ValueError as error:
        raise InvalidSchema(f"{value!r} is no default of {field.name}") from error


def _bytes_default(value: str) -> str:
    try:
        return quote_bytes(unquote(f'"{value}"'))
    except ValueError as error:
        raise InvalidSchema(f"{value!r} is no default for bytes") from error


def _number_default(field: F) -> str:
    try:
        value = float(field.default_value)
    except ValueError as error:
        raise InvalidSchema(f"{field.default_value!r} is no default for a number") from error
    return number_text(value, single=field.type == F.TYPE_FLOAT)
