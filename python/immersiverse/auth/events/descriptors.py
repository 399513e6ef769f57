"""Descriptors of .proto files: read from bytes, compared, and which files every protobuf runtime has."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Final

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.message import DecodeError, Message
from google.protobuf.unknown_fields import UnknownFieldSet

from immersiverse.auth.events.errors import InvalidSchema

if TYPE_CHECKING:
    from collections.abc import Iterable

    from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto

WELL_KNOWN: Final = frozenset(
    f"google/protobuf/{stem}.proto"
    for stem in (
        "any", "api", "compiler/plugin", "descriptor", "duration", "empty", "field_mask", "source_context",
        "struct", "timestamp", "type", "wrappers",
    )
)  # fmt: skip
"""Import paths that every protobuf runtime resolves by itself."""

_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]+")
_UNDERSCORES = re.compile(r"_+([^_]?)")


def parse_descriptor(data: str | bytes) -> FileDescriptorProto:
    """A descriptor from its bytes, or from the base64 of them that registries hold.

    Raises:
        InvalidSchema: this is not a serialized FileDescriptorProto.
    """
    try:
        serialized = base64.b64decode("".join(data.split()), validate=True) if isinstance(data, str) else data
        file = FileDescriptorProto.FromString(serialized)
    except (DecodeError, binascii.Error, ValueError) as error:
        raise InvalidSchema("not a file descriptor, nor base64 of one") from error
    # Much else parses as some message: text, a descriptor set, nothing at all.
    unlike = not file.ListFields() or len(UnknownFieldSet(file)) or not _is_utf8(file)
    if unlike or not file.name.isprintable():
        raise InvalidSchema("not a file descriptor, nor base64 of one")
    return file


def is_base64(schema: str) -> bool:
    """Whether a Protobuf schema is a descriptor in base64: the text of a .proto file has other characters."""
    return _BASE64.fullmatch(schema) is not None


def identity(file: FileDescriptorProto) -> bytes:
    """Equal bytes for descriptors that say the same, whichever compiler or client wrote them.

    The file's name, source information, the order of imports and JSON names that follow from the field's name
    do not count. The order of messages does: frames carry indexes into it.
    """
    plain = FileDescriptorProto.FromString(file.SerializeToString())
    plain.ClearField("name")
    plain.ClearField("source_code_info")
    if plain.syntax in ("", "proto2"):
        plain.ClearField("syntax")
    if not plain.package:
        plain.ClearField("package")
    _sort_imports(plain)
    drop_default_json_names(plain)
    return plain.SerializeToString(deterministic=True)


def drop_default_json_names(file: FileDescriptorProto) -> None:
    """Remove each ``json_name`` that follows from the field's name: generated code has none of those."""
    _drop(file.extension)
    _drop_within(file.message_type)


def default_json_name(name: str) -> str:
    """The JSON name that follows from a field's name: ``user_id`` gives ``userId``."""
    return _UNDERSCORES.sub(lambda match: match[1].upper(), name)


def scalar_kind(field: FieldDescriptor) -> int:
    """What a scalar field holds, however it is encoded: a ``CPPTYPE``, and ``TYPE_BYTES`` for bytes."""
    return field.type if field.type == FieldDescriptor.TYPE_BYTES else field.cpp_type


def _is_utf8(message: Message) -> bool:
    """Whether every string of a descriptor is text: runtimes give one that is not UTF-8 as bytes."""
    for field, value in message.ListFields():
        values = (value,) if isinstance(value, Message | str | bytes | int | float) else tuple(value)
        for one in values:
            if isinstance(one, Message) and not _is_utf8(one):
                return False
            if isinstance(one, bytes) and field.type == FieldDescriptor.TYPE_STRING:
                return False
    return True


def _drop_within(messages: Iterable[DescriptorProto]) -> None:
    for message in messages:
        _drop(message.field)
        _drop(message.extension)
        _drop_within(message.nested_type)


def _drop(fields: Iterable[FieldDescriptorProto]) -> None:
    for field in fields:
        if field.json_name == default_json_name(field.name):
            field.ClearField("json_name")


def _sort_imports(file: FileDescriptorProto) -> None:
    count = len(file.dependency)
    if any(not 0 <= index < count for index in (*file.public_dependency, *file.weak_dependency)):
        raise InvalidSchema(f"{file.name or 'the descriptor'} marks an import that it does not have")
    public = {file.dependency[index] for index in file.public_dependency}
    weak = {file.dependency[index] for index in file.weak_dependency}
    paths = sorted(file.dependency)
    file.dependency[:] = paths
    file.public_dependency[:] = [index for index, path in enumerate(paths) if path in public]
    file.weak_dependency[:] = [index for index, path in enumerate(paths) if path in weak]
