"""Protobuf schemas in the registry: stored as a descriptor, given back as text or as base64 of it."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.message import DecodeError

from immersiverse.auth.events.compatibility import Schema
from immersiverse.auth.events.embedded.registry.built_in import imported_by, named_in
from immersiverse.auth.events.embedded.registry.linking import link
from immersiverse.auth.events.embedded.registry.refusals import invalid_schema
from immersiverse.auth.events.embedded.registry.spelling import check_spelling
from immersiverse.auth.events.errors import InvalidSchema
from immersiverse.auth.events.protofile import canonical, parse_descriptor, parse_file, print_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from google.protobuf.descriptor_pb2 import DescriptorProto

# No .proto text of even one declaration is without a space, a quote or a semicolon.
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")


def read(schema: str, imports: Mapping[str, str]) -> tuple[str, bytes]:
    """The schema as stored, and its identity, equal for a file's text and its descriptor.

    Args:
        schema: ``.proto`` text, or base64 of a ``FileDescriptorProto``.
        imports: stored schemas by the path that imports them.

    Raises:
        Refusal: 42201.
    """
    dependencies = _dependencies(imports)
    try:
        file = _file(schema.strip(), dependencies)
        dependencies |= imported_by(file)
        identity = canonical(file, extensions=dependencies.values())
        # What has no valid text could not be read by half of the clients, so it is better refused now.
        parse_file(print_file(file, extensions=dependencies.values()), dependencies=dependencies)
    except InvalidSchema as error:
        raise invalid_schema(str(error)) from error
    file.ClearField("name")
    file.ClearField("source_code_info")
    return base64.b64encode(file.SerializeToString(deterministic=True)).decode(), identity


def write(stored: str, imports: Mapping[str, str], *, serialized: bool) -> str:
    """The schema as text, or serialized: base64 of its descriptor, with every field's JSON name.

    Raises:
        Refusal: 42201, if what it imports is gone.
    """
    file = parse_descriptor(stored)
    if serialized:
        _set_json_names(file.message_type)
        return base64.b64encode(file.SerializeToString(deterministic=True)).decode()
    try:
        return print_file(file, extensions=(_dependencies(imports) | imported_by(file)).values())
    except InvalidSchema as error:
        raise invalid_schema(str(error)) from error


def parsed(stored: str, imports: Mapping[str, str]) -> Schema:
    """The schema with all that it imports, to be judged."""
    file = parse_descriptor(stored)
    return Schema(file, _dependencies(imports) | imported_by(file))


def _file(schema: str, dependencies: Mapping[str, FileDescriptorProto]) -> FileDescriptorProto:
    if _BASE64.fullmatch(schema):
        return _from_base64(schema, dependencies)
    file = parse_file(schema, dependencies={**dependencies, **named_in(schema)})
    link(file, dependencies)
    return file


def _from_base64(schema: str, dependencies: Mapping[str, FileDescriptorProto]) -> FileDescriptorProto:
    try:
        data = base64.b64decode(schema, validate=True)
        file = FileDescriptorProto.FromString(data)
    except (ValueError, DecodeError) as error:
        raise InvalidSchema("it is neither .proto text nor a descriptor in base64") from error
    check_spelling(file)
    link(file, dependencies)
    return parse_descriptor(data)


def _dependencies(imports: Mapping[str, str]) -> dict[str, FileDescriptorProto]:
    files = {name: parse_descriptor(stored) for name, stored in imports.items()}
    for name, file in files.items():
        file.name = name
    return files


def _set_json_names(messages: Iterable[DescriptorProto]) -> None:
    """Compilers leave default JSON names out of the descriptors they embed; Node's client needs them."""
    for declared in messages:
        for field in declared.field:
            field.json_name = field.json_name or _json_name(field.name)
        _set_json_names(declared.nested_type)


def _json_name(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)
