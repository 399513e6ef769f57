"""Parses what a registry answers for an id: the writer schema.

A writer who may register schemas chooses with one message what is parsed here. So the number of files and
their size are limited, no file is fetched twice for one schema, and text is verified by an outline of it. Its
descriptor, which only payloads of unknown event types need, is the registry's if it gives one, else protoc's
if that is installed.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from immersiverse.auth.events import protoc
from immersiverse.auth.events.catalog import CONTRACT_FILE
from immersiverse.auth.events.descriptors import WELL_KNOWN, is_base64, parse_descriptor
from immersiverse.auth.events.errors import InvalidSchema, MissingExtra, RegistryError, RegistryRefused
from immersiverse.auth.events.proto_text import outline
from immersiverse.auth.events.registry.connection import malformed
from immersiverse.auth.events.registry.contract import descriptor_of
from immersiverse.auth.events.serialization.schemas import WriterSchema

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.protobuf.descriptor_pb2 import FileDescriptorProto

    from immersiverse.auth.events.registry.connection import RegistryConnection

MAX_FILES: Final = 100
"""Files of one schema, itself included."""

MAX_TEXT: Final = 1024 * 1024
"""Characters of one schema with all its files; the contract has 20,000."""

_COMPILE_SECONDS = 10.0  # a third of what loading a schema may take


def parse_writer_schema(
    schema: Any, connection: RegistryConnection, serialized: Callable[[], Any] | None = None
) -> WriterSchema:
    """The writer schema in a registry's response.

    Args:
        schema: Confluent's ``Schema`` that `require_schema` has checked, in the form given by default.
        connection: to the registry, which has its references.
        serialized: requests the same schema with ``format=serialized``. Not every registry supports that, and
            Apicurio answers something else: so it is called for text only, and its result is checked.

    Raises:
        InvalidSchema: the schema cannot be parsed, or exceeds a limit.
        RegistryUnavailable: an import cannot be had now.
    """
    text: str = schema.schema_str
    _require_size(len(text))
    if schema.schema_type != "PROTOBUF":
        return WriterSchema(schema.schema_type, text=text)
    known = descriptor_of(text)
    if known is not None:
        return WriterSchema("PROTOBUF", known, text)
    outlined = outline(text)
    given = _serialized(outlined, serialized) if serialized else None
    if given is not None:
        return WriterSchema("PROTOBUF", given, text)
    try:
        return WriterSchema("PROTOBUF", _compile(schema, text, connection), text)
    except (MissingExtra, InvalidSchema, RegistryRefused) as error:
        return WriterSchema("PROTOBUF", outlined, text, incomplete=error)


def require_schema(schema: Any) -> Any:
    """Confluent's ``Schema``, which that client makes of any response.

    Raises:
        RegistryUnavailable: the response was not a schema.
    """
    text, references = schema.schema_str, schema.references or ()
    named = isinstance(references, list | tuple) and all(
        isinstance(one.name, str) and isinstance(one.subject, str) and isinstance(one.version, int)
        for one in references
    )
    if not (named and isinstance(text, str) and text and isinstance(schema.schema_type, str)):
        raise malformed("it is not a schema")
    return schema


def _serialized(outlined: FileDescriptorProto, request: Callable[[], Any]) -> FileDescriptorProto | None:
    """The descriptor that the registry gives; None if it gives none, or one that differs from the text."""
    try:
        file = parse_descriptor(request().schema_str)
    except (RegistryError, InvalidSchema):
        return None
    return file if _declared(file) == _declared(outlined) else None


def _declared(file: FileDescriptorProto) -> tuple[object, ...]:
    """What verifies frames: package, messages, and payload fields of the first message."""
    fields = {
        (field.number, field.name)
        for first in file.message_type[:1]
        for field in first.field
        if field.HasField("oneof_index") and not field.proto3_optional
    }
    return file.package, [message.name for message in file.message_type], fields


def _compile(schema: Any, text: str, connection: RegistryConnection) -> FileDescriptorProto:
    if not protoc.installed():
        raise MissingExtra("cli", "reading a schema that the registry gives as .proto text")
    imports = _fetch_imports(schema, len(text), connection)
    texts = {path: content for path, content in imports.items() if not is_base64(content)}
    descriptors = [_named(path, content) for path, content in imports.items() if path not in texts]
    root = CONTRACT_FILE.name
    files = {**texts, root: text}
    return protoc.compile_files(files, descriptors=descriptors, timeout=_COMPILE_SECONDS)[root]


def _fetch_imports(schema: Any, size: int, connection: RegistryConnection) -> dict[str, str]:
    """What the references of a schema lead to, by import path: texts, and descriptors in base64."""
    found: dict[str, str] = {}
    todo = [schema]
    while todo:
        for reference in todo.pop().references or ():
            if reference.name in found or reference.name in WELL_KNOWN:
                continue
            if len(found) + 1 >= MAX_FILES:
                raise InvalidSchema(f"the schema has more than {MAX_FILES} files")
            file = connection.ask(partial(_version, reference))
            found[reference.name] = file.schema_str
            size += len(found[reference.name])
            _require_size(size)
            todo.append(file)
    return found


def _version(reference: Any, client: Any) -> Any:
    return require_schema(client.get_version(reference.subject, reference.version, deleted=True).schema)


def _named(path: str, content: str) -> FileDescriptorProto:
    file = parse_descriptor(content)
    file.name = path
    return file


def _require_size(size: int) -> None:
    if size > MAX_TEXT:
        raise InvalidSchema(f"the schema with its files is longer than {MAX_TEXT} characters")
