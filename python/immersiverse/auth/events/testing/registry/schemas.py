"""Schemas of the three types: which are equal, how they are shown, and whether one may follow others.

Protobuf comes as ``.proto`` text or as base64 of a descriptor, and is compiled to be compared. Avro is parsed
by fastavro, where it is installed. JSON Schemas are stored and served, and each may follow each.
"""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from contextlib import suppress
from functools import cache, lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool

from immersiverse.auth.events.compatibility_level import Direction
from immersiverse.auth.events.descriptors import WELL_KNOWN, default_json_name, identity, is_base64
from immersiverse.auth.events.errors import AuthEventsError, InvalidSchema, MissingExtra
from immersiverse.auth.events.protoc import compile_files
from immersiverse.auth.events.registry.contract import descriptor_of
from immersiverse.auth.events.schema_checks import avro
from immersiverse.auth.events.schema_checks.verdict import refused_changes
from immersiverse.auth.events.schema_checks.version import ProtoSchema
from immersiverse.auth.events.testing.registry.store import ApiError, Reference, SchemaStore, StoredSchema

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from google.protobuf.descriptor_pb2 import DescriptorProto

    from immersiverse.auth.events.compatibility_level import Level
    from immersiverse.auth.events.schema_checks.changes import Change
    from immersiverse.auth.events.testing.registry.store import SubjectVersion

TYPES: Final = ("AVRO", "JSON", "PROTOBUF")

_MAX_LENGTH = 1024 * 1024  # characters of a schema
_ROOT = "schema.proto"
_TIMEOUT = 10.0  # seconds for protoc; clients wait no longer for an answer


def schema_of(body: Mapping[str, Any], store: SchemaStore) -> StoredSchema:
    """The schema that the body of a request has.

    Raises:
        ApiError: 42201, it is not valid, or what it imports is missing.
    """
    text, schema_type = body.get("schema"), body.get("schemaType") or "AVRO"
    if schema_type not in TYPES:
        raise ApiError(42201, f"the schema type {schema_type!r} is not one of {', '.join(TYPES)}")
    if not isinstance(text, str) or not text.strip():
        raise ApiError(42201, "the request has no schema")
    if len(text) > _MAX_LENGTH:
        raise ApiError(42201, f"the schema is longer than {_MAX_LENGTH} characters")
    references = _references(body.get("references"), store)
    extras = {key: body[key] for key in ("metadata", "ruleSet") if body.get(key) is not None}
    try:
        content = _content(schema_type, text, _imports(references, store))
    except (AuthEventsError, ValueError, RecursionError) as error:
        raise ApiError(42201, f"the {schema_type} schema is not valid: {_reason(error)}") from error
    guid = _guid(schema_type, content, references, extras)
    return StoredSchema(schema_type, text, guid, references, extras)


def shown(schema: StoredSchema, store: SchemaStore, *, serialized: bool) -> str:
    """The schema as it was registered, or for Protobuf base64 of its descriptor with all JSON names."""
    if schema.schema_type != "PROTOBUF" or not serialized:
        return schema.text
    file, _ = _compiled(schema.text, _imports(schema.references, store))
    file.ClearField("name")
    file.ClearField("source_code_info")
    _set_json_names(file.message_type)
    return base64.b64encode(file.SerializeToString(deterministic=True)).decode()


def objections(
    new: StoredSchema, olds: Sequence[SubjectVersion], level: Level, store: SchemaStore
) -> list[str]:
    """Why a level does not let a schema follow the versions of a subject, oldest first; empty if it may.

    Returns:
        A line for each change that the newest version refuses, then a line that names the version.

    Raises:
        ApiError: 42201, a schema cannot be compared.
    """
    for index in reversed(level.versions(len(olds))):
        old = store.schema(olds[index].schema_id)
        if old.schema_type != new.schema_type:
            return [f"the subject holds {old.schema_type} schemas"]
        try:
            changes = _refused_changes(old, new, level, store)
        except (AuthEventsError, RecursionError) as error:
            raise ApiError(42201, f"the schema cannot be compared: {_reason(error)}") from error
        if changes:
            return [*map(_line, changes), f"compared with version {olds[index].number} at level {level}"]
    return []


def _line(change: Change) -> str:
    readers = " for readers on the old version" if change.direction is Direction.FORWARD else ""
    return f"{change.kind} at {change.path}{readers}: {change.sentence}"


def _refused_changes(old: StoredSchema, new: StoredSchema, level: Level, store: SchemaStore) -> list[Change]:
    files = [(each.text, _imports(each.references, store)) for each in (old, new)]
    if new.schema_type == "PROTOBUF":
        before, after = (ProtoSchema(*_compiled(*each)) for each in files)
        return refused_changes(after, [before], level=level)
    if new.schema_type == "AVRO":
        written, read = (avro.parse(text, imported.values()) for text, imported in files)
        return [change for way in level.directions for change in avro.incompatible(written, read, way)]
    return []


def _references(sent: Any, store: SchemaStore) -> tuple[Reference, ...]:
    """The references of a request, without repetitions; Go's client repeats what is imported publicly."""
    if not isinstance(sent, list | None):
        raise ApiError(42201, "references must be a list")
    return tuple(dict.fromkeys(_reference(each, store) for each in sent or ()))


def _reference(sent: Any, store: SchemaStore) -> Reference:
    match sent:
        case {"name": str(name), "subject": str(subject), "version": int(number)} if number is not True:
            try:
                return Reference(name, subject, store.version(subject, number).number)
            except ApiError as error:
                raise ApiError(42201, f"the reference {name!r} cannot be found: {error.message}") from error
    raise ApiError(42201, "a reference must have a name, a subject and the number of a version")


def _imports(references: Iterable[Reference], store: SchemaStore) -> dict[str, str]:
    """The schemas behind references, and behind theirs, by name; each after those that it imports."""
    found: dict[str, str] = {}

    def add(references: Iterable[Reference]) -> None:
        for each in references:
            if each.name not in found:
                schema = store.schema(store.version(each.subject, each.version, deleted=True).schema_id)
                add(schema.references)
                found[each.name] = schema.text

    add(references)
    return found


def _content(schema_type: str, text: str, imported: Mapping[str, str]) -> bytes:
    """Bytes that are equal for schemas that mean the same.

    Raises:
        InvalidSchema: it is not valid; as ValueError, it is not JSON.
    """
    if schema_type == "PROTOBUF":
        file, known = _compiled(text, imported)
        if is_base64(text):
            _check_types(file, known)
        return identity(file)
    document = json.loads(text)
    if schema_type == "JSON" and not isinstance(document, dict):
        raise InvalidSchema("it is not a JSON object")
    if schema_type == "AVRO":
        with suppress(MissingExtra):  # then it is not checked, and how names are written counts
            document = _unmarked(avro.parse(text, imported.values()).root)
    return json.dumps(document, sort_keys=True).encode()


def _unmarked(schema: Any) -> Any:
    """A parsed Avro schema without the keys that fastavro adds."""
    if isinstance(schema, list):
        return [_unmarked(each) for each in schema]
    if isinstance(schema, dict):
        return {key: _unmarked(each) for key, each in schema.items() if not key.startswith("__")}
    return schema


def _guid(schema_type: str, content: bytes, references: Iterable[Reference], extras: Any) -> str:
    # Some clients refer to the files that every runtime has, others do not: it is the same schema.
    counted = [(one.name, one.subject, one.version) for one in references if one.name not in WELL_KNOWN]
    facts = json.dumps([schema_type, sorted(counted), extras], sort_keys=True).encode()
    return str(uuid.UUID(bytes=hashlib.sha256(facts + b"\0" + content).digest()[:16], version=5))


def _reason(error: Exception) -> str:
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)


def _compiled(
    text: str, imported: Mapping[str, str]
) -> tuple[FileDescriptorProto, dict[str, FileDescriptorProto]]:
    """The descriptor of a Protobuf schema, and those of what it imports by path; the caller may change them.

    Raises:
        InvalidSchema: one of them is not valid.
        MissingExtra: one is text to be compiled, and grpcio-tools is not installed.
    """
    files = {path: schema for path, schema in imported.items() if path not in WELL_KNOWN}
    compiled = _compiled_bytes(tuple({**files, _ROOT: text}.items()))
    found = {path: FileDescriptorProto.FromString(data) for path, data in compiled.items()}
    return found.pop(_ROOT), found


@lru_cache(maxsize=256)
def _compiled_bytes(files: tuple[tuple[str, str], ...]) -> dict[str, bytes]:
    """Descriptors of files that import each other, by path; cached, since starting protoc takes 100 ms."""
    known, texts = {}, {}
    for path, schema in files:
        if (file := descriptor_of(schema)) is None:
            texts[path] = schema
        else:
            known[path] = FileDescriptorProto.FromString(file.SerializeToString())
            known[path].name = path
    if texts:
        known |= compile_files(texts, descriptors=known.values(), timeout=_TIMEOUT)
    return {path: file.SerializeToString() for path, file in known.items()}


def _check_types(file: FileDescriptorProto, known: Mapping[str, FileDescriptorProto]) -> None:
    """Check that a descriptor's imports are there and have its types: protoc has not seen it.

    Raises:
        InvalidSchema: they are not.
    """
    pool, waiting = DescriptorPool(), {**_well_known(), **known, file.name: file}

    def add(path: str) -> None:
        if one := waiting.pop(path, None):  # else it is there already, or missing, which the pool says
            for imported in one.dependency:
                add(imported)
            pool.AddSerializedFile(one.SerializeToString())

    try:
        add(file.name)
        pool.FindFileByName(file.name)  # only this makes some runtimes look for its types
    except (TypeError, KeyError) as error:
        raise InvalidSchema(f"a type or an import is missing: {error}") from error


@cache
def _well_known() -> dict[str, FileDescriptorProto]:
    modules = (import_module(path.removesuffix(".proto").replace("/", ".") + "_pb2") for path in WELL_KNOWN)
    files = (FileDescriptorProto.FromString(module.DESCRIPTOR.serialized_pb) for module in modules)
    return {file.name: file for file in files}


def _set_json_names(messages: Iterable[DescriptorProto]) -> None:
    """Set the JSON names that compilers leave out; Confluent's Node client needs them."""
    for message in messages:
        for field in message.field:
            field.json_name = field.json_name or default_json_name(field.name)
        _set_json_names(message.nested_type)
