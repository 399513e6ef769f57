"""Protobuf schemas in the registry: stored as a descriptor, given back as text or as base64 of it."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from google.protobuf import message
from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto

from immersiverse.auth.events.embedded.registry.refusals import invalid_schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def read(schema: str, imports: Mapping[str, str]) -> tuple[str, bytes]:
    """The schema as stored, and its identity, equal for a file's text and its descriptor.

    Args:
        schema: ``.proto`` text, or base64 of a ``FileDescriptorProto``.
        imports: stored schemas by the path that imports them.

    Raises:
        Refusal: 42201.
    """
    file = _descriptor(schema)
    file.ClearField("name")
    file.ClearField("source_code_info")
    _set_json_names(file.message_type)
    stored = file.SerializeToString(deterministic=True)
    return base64.b64encode(stored).decode(), stored


def write(stored: str, imports: Mapping[str, str], *, serialized: bool) -> str:
    """The schema as text, or serialized: base64 of its descriptor, with every field's JSON name."""
    return stored


def _descriptor(schema: str) -> FileDescriptorProto:
    try:
        return FileDescriptorProto.FromString(base64.b64decode(schema, validate=True))
    except (binascii.Error, ValueError, message.DecodeError) as error:
        raise invalid_schema(str(error)) from error


def _set_json_names(messages: Iterable[DescriptorProto]) -> None:
    """Compilers leave default JSON names out of the descriptors they embed; Node's client needs them."""
    for declared in messages:
        for field in declared.field:
            field.json_name = field.json_name or _json_name(field.name)
        _set_json_names(declared.nested_type)


def _json_name(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)
