"""What a registry answers for an id, understood: the writer's schema.

A writer who may register schemas chooses what is read here with one message. So the number of files and their
size are limited, no file is fetched twice for one schema, and text is verified by an outline of it. Its
descriptor, which only payloads of unknown event types need, is the registry's if it gives one, else protoc's
if that is installed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from immersiverse.auth.events import protoc
from immersiverse.auth.events.catalog import CONTRACT_FILE
from immersiverse.auth.events.descriptors import WELL_KNOWN, is_base64, parse_descriptor
from immersiverse.auth.events.errors import InvalidSchema, MissingExtra, RegistryError, RegistryRefused
from immersiverse.auth.events.proto_text import outline
from immersiverse.auth.events.registry.contract import descriptor_of
from immersiverse.auth.events.registry.failures import registry_failures
from immersiverse.auth.events.serialization.schemas import WriterSchema

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.protobuf.descriptor_pb2 import FileDescriptorProto

MAX_FILES: Final = 100
"""Files of one schema, itself included."""

MAX_TEXT: Final = 1024 * 1024
"""Characters of one schema with all its files; the contract has 20,000."""

_COMPILING = 10.0  # seconds: a third of what an id may take


class ReferencedVersions(Protocol):
    """The part of Confluent's client that fetches what a schema refers to."""

    def get_version(self, subject_name: str, version: int, *, deleted: bool) -> Any:
        """A version of a subject."""
        ...


def understand(
    schema: Any, client: ReferencedVersions, serialized: Callable[[], Any] | None = None
) -> WriterSchema:
    """The writer's schema in a registry's answer.

    Args:
        schema: Confluent's ``Schema``, in the form that the registry gives unasked.
        client: what fetches its references.
        serialized: asks the registry for the same schema with ``format=serialized``. Not every registry
            answers that, and Apicurio with something else: so it is asked for text only, and checked.

    Raises:
        InvalidSchema: if it cannot be understood, or exceeds a limit.
        RegistryRefused: if the answer is not of the shape that the API describes.
    """
    text = require_schema(schema)
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
        return WriterSchema("PROTOBUF", _compiled(schema, text, client), text)
    except (MissingExtra, InvalidSchema, RegistryRefused) as error:
        return WriterSchema("PROTOBUF", outlined, text, incomplete=error)


def _serialized(outlined: FileDescriptorProto, ask: Callable[[], Any]) -> FileDescriptorProto | None:
    """The descriptor that the registry gives; None if it gives none, or another one than the text's."""
    try:
        with registry_failures():
            file = parse_descriptor(require_schema(ask()))
    except (RegistryError, InvalidSchema):
        return None
    return file if _outlined(file) == _outlined(outlined) else None


def _outlined(file: FileDescriptorProto) -> tuple[object, ...]:
    fields = {
        (field.number, field.name)
        for first in file.message_type[:1]
        for field in first.field
        if field.HasField("oneof_index") and not field.proto3_optional
    }
    return file.package, [message.name for message in file.message_type], fields


def _compiled(schema: Any, text: str, client: ReferencedVersions) -> FileDescriptorProto:
    if not protoc.installed():
        raise MissingExtra("cli", "reading a schema that the registry gives as .proto text")
    with registry_failures():
        imported = _imported(schema, len(text), client)
    texts = {path: content for path, content in imported.items() if not is_base64(content)}
    descriptors = [_named(path, content) for path, content in imported.items() if path not in texts]
    root = CONTRACT_FILE.name
    return protoc.compile_files({**texts, root: text}, descriptors=descriptors, timeout=_COMPILING)[root]


def _imported(schema: Any, size: int, client: ReferencedVersions) -> dict[str, str]:
    """What the references of a schema lead to, by import path: texts, and descriptors in base64."""
    found: dict[str, str] = {}
    todo = [schema]
    while todo:
        for reference in todo.pop().references or ():
            if reference.name in found or reference.name in WELL_KNOWN:
                continue
            if len(found) + 1 >= MAX_FILES:
                raise InvalidSchema(f"the schema has more than {MAX_FILES} files")
            file = client.get_version(reference.subject, reference.version, deleted=True).schema
            found[reference.name] = require_schema(file)
            size += len(found[reference.name])
            _require_size(size)
            todo.append(file)
    return found


def _named(path: str, content: str) -> FileDescriptorProto:
    file = parse_descriptor(content)
    file.name = path
    return file


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
