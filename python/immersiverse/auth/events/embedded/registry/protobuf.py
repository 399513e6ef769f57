"""Protobuf schemas in the registry: stored in the form that they came in, compiled to be judged."""

from __future__ import annotations

import base64
from functools import lru_cache
from typing import TYPE_CHECKING

from google.protobuf.descriptor_pb2 import FileDescriptorProto

from immersiverse.auth.events.descriptors import default_json_name, identity, is_base64
from immersiverse.auth.events.embedded.registry.built_in import built_in, found, named_in
from immersiverse.auth.events.embedded.registry.linking import link
from immersiverse.auth.events.embedded.registry.refusals import invalid_schema
from immersiverse.auth.events.errors import InvalidSchema, MissingExtra
from immersiverse.auth.events.protoc import compile_files
from immersiverse.auth.events.registry.contract import descriptor_of
from immersiverse.auth.events.schema_checks.version import ProtoSchema

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from google.protobuf.descriptor_pb2 import DescriptorProto

_ROOT = "schema.proto"
_TIMEOUT = 10.0  # seconds; clients wait as long for an answer


def read(schema: str, imports: Mapping[str, str]) -> tuple[str, bytes]:
    """The schema as stored, and its identity, equal for a file's text and its descriptor.

    Args:
        schema: ``.proto`` text, or base64 of a ``FileDescriptorProto``.
        imports: stored schemas by the path that imports them.

    Raises:
        Refusal: 42201.
    """
    try:
        file, dependencies = _compiled(schema, imports)
        if is_base64(schema):
            link(file, dependencies)
        return schema, identity(file)
    except (InvalidSchema, MissingExtra) as error:
        raise invalid_schema(str(error)) from error


def write(stored: str, imports: Mapping[str, str], *, serialized: bool) -> str:
    """The schema as it was registered, or base64 of its descriptor with every field's JSON name.

    Raises:
        Refusal: 42201, if what it imports is gone.
    """
    if not serialized:
        return stored
    try:
        file, _ = _compiled(stored, imports)
    except (InvalidSchema, MissingExtra) as error:
        raise invalid_schema(str(error)) from error
    file.ClearField("name")
    file.ClearField("source_code_info")
    _set_json_names(file.message_type)
    return base64.b64encode(file.SerializeToString(deterministic=True)).decode()


def parsed(stored: str, imports: Mapping[str, str]) -> ProtoSchema:
    """The schema with all that it imports, to be judged."""
    file, dependencies = _compiled(stored, imports)
    return ProtoSchema(file, dependencies | found(file.dependency))


def _compiled(
    schema: str, imports: Mapping[str, str]
) -> tuple[FileDescriptorProto, dict[str, FileDescriptorProto]]:
    """The file and those that it imports, each a copy of the caller's own."""
    # A client may have registered what every client has; the latter is what counts.
    files = {path: stored for path, stored in imports.items() if built_in(path) is None}
    serialized = _serialized(tuple((files | {_ROOT: schema}).items()))
    descriptors = {path: FileDescriptorProto.FromString(data) for path, data in serialized.items()}
    return descriptors.pop(_ROOT), descriptors


@lru_cache(maxsize=256)
def _serialized(files: tuple[tuple[str, str], ...]) -> dict[str, bytes]:
    """Descriptors of files that import each other, by path; remembered, since protoc is slow to start."""
    known, texts = {}, {}
    for path, schema in files:
        file = descriptor_of(schema)
        if file is None:
            texts[path] = schema
        else:
            known[path] = FileDescriptorProto.FromString(file.SerializeToString())
            known[path].name = path
    if texts:
        brought = found(name for file in known.values() for name in file.dependency)
        for text in texts.values():
            brought |= named_in(text)
        known |= compile_files(texts, descriptors=[*known.values(), *brought.values()], timeout=_TIMEOUT)
    return {path: file.SerializeToString() for path, file in known.items()}


def _set_json_names(messages: Iterable[DescriptorProto]) -> None:
    """Compilers leave default JSON names out of the descriptors they embed; Node's client needs them."""
    for declared in messages:
        for field in declared.field:
            field.json_name = field.json_name or default_json_name(field.name)
        _set_json_names(declared.nested_type)
