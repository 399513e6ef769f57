"""What a registry answers for an id, understood: the writer's schema with the files that it imports.

A writer who may register schemas chooses what is read here with one message. So the number of files, their
text and their nesting are limited, and no file is fetched or parsed twice for one schema.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, Protocol

from immersiverse.auth.events.errors import InvalidSchema, RegistryRefused
from immersiverse.auth.events.protofile import is_well_known, parse_descriptor, parse_file
from immersiverse.auth.events.registry.contract import OPTIONS_FILE, contract_schema
from immersiverse.auth.events.serialization.schemas import CONTRACT_FILE, WriterSchema

if TYPE_CHECKING:
    from google.protobuf.descriptor_pb2 import FileDescriptorProto

MAX_FILES: Final = 100
"""Files of one schema, itself included."""

MAX_TEXT: Final = 1024 * 1024
"""Characters of one schema with all its files; the contract has 60,000."""

MAX_DEPTH: Final = 32
"""Levels of files that import files."""

_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]+")


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
        InvalidSchema: if it cannot be understood, or exceeds a limit.
        RegistryRefused: if the answer is not of the shape that the API describes.
    """
    text = require_schema(schema)
    if schema.schema_type != "PROTOBUF":
        _require_size(len(text))
        return WriterSchema(schema.schema_type, text=text)
    if text == contract_schema("PROTOBUF").text:
        return WriterSchema("PROTOBUF", CONTRACT_FILE)
    return WriterSchema("PROTOBUF", _Files(client).parse(schema, ""))


class _Files:
    """The files of one schema, each parsed once."""

    def __init__(self, client: ReferencedVersions) -> None:
        self._client = client
        self._schemas: dict[tuple[str, int], Any] = {}
        self._parsed: dict[tuple[str, str, int], FileDescriptorProto] = {}
        self._open: set[tuple[str, str, int]] = set()
        self._count = 0
        self._size = 0

    def parse(self, schema: Any, name: str) -> FileDescriptorProto:
        """The descriptor of a file, with those that it imports."""
        text = require_schema(schema)
        self._count_in(schema, text)
        if _BASE64.fullmatch(text):
            file = parse_descriptor(text)
            file.name = name or file.name
            return file
        if name == OPTIONS_FILE.name and text == contract_schema("PROTOBUF").references[0][1].text:
            return OPTIONS_FILE
        dependencies = {
            reference.name: self._imported(reference)
            for reference in schema.references or ()
            if not is_well_known(reference.name)
        }
        return parse_file(text, name=name, dependencies=dependencies)

    def _imported(self, reference: Any) -> FileDescriptorProto:
        key = (reference.name, reference.subject, reference.version)
        if key in self._parsed:
            return self._parsed[key]
        if key in self._open:
            raise InvalidSchema(f"{reference.name}: references go in a circle")
        if len(self._open) >= MAX_DEPTH:
            raise InvalidSchema(f"{reference.name}: references are nested deeper than {MAX_DEPTH}")
        self._open.add(key)
        self._parsed[key] = self.parse(self._fetched(reference.subject, reference.version), reference.name)
        self._open.discard(key)
        return self._parsed[key]

    def _fetched(self, subject: str, version: int) -> Any:
        key = (subject, version)
        if key not in self._schemas:
            self._schemas[key] = self._client.get_version(subject, version, deleted=True).schema
        return self._schemas[key]

    def _count_in(self, schema: Any, text: str) -> None:
        self._count += 1
        self._size += len(text)
        if max(self._count, len(schema.references or ())) > MAX_FILES:
            raise InvalidSchema(f"the schema has more than {MAX_FILES} files")
        _require_size(self._size)


def _require_size(size: int) -> None:
    if size > MAX_TEXT:
        raise InvalidSchema(f"the schema with its files is longer than {MAX_TEXT} characters")


def require_schema(schema: Any) -> str:
    """The text of Confluent's ``Schema``, which that client makes of whatever a registry answers.

    Raises:
        RegistryRefused: if the answer was no schema.
    """
    text = schema.schema_str or ""
    references = list(schema.references or ())
    if (
        isinstance(text, str)
        and isinstance(schema.schema_type, str)
        and all(isinstance(one.name, str) and isinstance(one.subject, str) for one in references)
        and all(isinstance(one.version, int) for one in references)
    ):
        return text
    raise RegistryRefused("the schema registry's answer is not a schema", 200)
