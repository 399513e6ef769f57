"""What a registry answers for an id, understood: the writer's schema with the files that it imports."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Protocol

from immersiverse.auth.events.errors import InvalidSchema
from immersiverse.auth.events.protofile import is_well_known, parse_descriptor, parse_file
from immersiverse.auth.events.registry.contract import OPTIONS_FILE, contract_schema
from immersiverse.auth.events.serialization.schemas import CONTRACT_FILE, WriterSchema

if TYPE_CHECKING:
    from google.protobuf.descriptor_pb2 import FileDescriptorProto

_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]+")
_MAX_DEPTH = 32


class ReferencedVersions(Protocol):
    """The part of Confluent's client that fetches what a schema refers to."""

    def get_version(self, subject_name: str, version: int, *, deleted: bool) -> Any:
        """A version of a subject."""
        ...


def understand(schema: Any, client: ReferencedVersions) -> WriterSchema:
    """The writer's schema in a registry's answer.

    Text equal to what this version registers is trusted as it is; other text is parsed.

    Args:
        schema: Confluent's ``Schema``.
        client: what fetches its references.

    Raises:
        InvalidSchema: if it cannot be understood.
    """
    if schema.schema_type == "PROTOBUF":
        if schema.schema_str == contract_schema("PROTOBUF").text:
            return WriterSchema("PROTOBUF", CONTRACT_FILE)
        return WriterSchema("PROTOBUF", _file(schema, client, "", 0))
    return WriterSchema(schema.schema_type, text=schema.schema_str)


def _file(schema: Any, client: ReferencedVersions, name: str, depth: int) -> FileDescriptorProto:
    text = schema.schema_str or ""
    if _BASE64.fullmatch(text):
        file = parse_descriptor(text)
        file.name = name or file.name
        return file
    if name == OPTIONS_FILE.name and text == contract_schema("PROTOBUF").references[0][1].text:
        return OPTIONS_FILE
    if depth > _MAX_DEPTH:
        raise InvalidSchema(f"{name}: references are nested deeper than {_MAX_DEPTH}, or in a circle")
    dependencies = {
        reference.name: _reference(reference, client, depth)
        for reference in schema.references or ()
        if not is_well_known(reference.name)
    }
    return parse_file(text, name=name, dependencies=dependencies)


def _reference(reference: Any, client: ReferencedVersions, depth: int) -> FileDescriptorProto:
    registered = client.get_version(reference.subject, reference.version, deleted=True)
    return _file(registered.schema, client, reference.name, depth + 1)
