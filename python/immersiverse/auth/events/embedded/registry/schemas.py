"""From what a client sends to content with an identity, and back to what a client reads."""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import TYPE_CHECKING, Protocol

from immersiverse.auth.events.embedded.registry import avro, json_schema, protobuf
from immersiverse.auth.events.embedded.registry.built_in import FOLDERS
from immersiverse.auth.events.embedded.registry.records import JSON, Content, Reference
from immersiverse.auth.events.embedded.registry.refusals import Refusal, invalid_schema, invalid_schema_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from immersiverse.auth.events.embedded.registry.store import Store


LONGEST = 1024 * 1024
"""Characters of a schema."""


class Form(Protocol):
    """A schema type: how it is read and stored, and how it is written out."""

    def read(self, schema: str, imports: Mapping[str, str]) -> tuple[str, bytes]:
        """The schema as stored, and the bytes that tell it from others; Refusal 42201."""

    def write(self, stored: str, imports: Mapping[str, str], *, serialized: bool) -> str:
        """The stored schema as clients read it."""


FORMS: Mapping[str, Form] = {"AVRO": avro, "JSON": json_schema, "PROTOBUF": protobuf}


def content_of(body: Mapping[str, JSON], store: Store) -> Content:
    """The content that a request's body describes, its references resolved.

    Raises:
        Refusal: 42201.
    """
    schema, schema_type = body.get("schema"), body.get("schemaType") or "AVRO"
    if is_blank(body):
        raise invalid_schema("Empty schema")
    if not isinstance(schema_type, str) or schema_type not in FORMS:
        raise invalid_schema(f"Invalid schema type {schema_type}")
    try:
        return _content(schema, schema_type, body, store)
    except Refusal as refusal:
        raise invalid_schema_of(schema_type, refusal.message) from refusal


def is_blank(body: Mapping[str, JSON]) -> bool:
    """Whether a request brings no schema."""
    schema = body.get("schema")
    return schema is None or (isinstance(schema, str) and not schema.strip())


def _content(schema: JSON, schema_type: str, body: Mapping[str, JSON], store: Store) -> Content:
    if not isinstance(schema, str):
        raise invalid_schema("the schema is not a string")
    if len(schema) > LONGEST:
        raise invalid_schema(f"the schema is longer than {LONGEST} characters")
    # Go's client names what is imported publicly twice.
    references = tuple(dict.fromkeys(_reference(item, store) for item in _list(body.get("references"))))
    stored, identity = FORMS[schema_type].read(schema, imports(references, schema_type, store))
    metadata, rule_set = body.get("metadata"), body.get("ruleSet")
    guid = _guid(schema_type, identity, references, [metadata, rule_set])
    return Content(schema_type, stored, guid, references, metadata, rule_set)


def written(content: Content, store: Store, *, serialized: bool) -> str:
    """The content's schema as text, or in the form that Protobuf's Python and Node clients ask for.

    Raises:
        Refusal: 42201, if what it imports is gone.
    """
    form = FORMS[content.schema_type]
    return form.write(
        content.schema, imports(content.references, content.schema_type, store), serialized=serialized
    )


def imports(references: Iterable[Reference], schema_type: str, store: Store) -> dict[str, str]:
    """Stored schemas by reference name, of references and of theirs, each after those it needs.

    Raises:
        Refusal: 42201, if one leads nowhere or to another type.
    """
    found: dict[str, str] = {}
    # Not recursive, so that a long chain of references costs no stack.
    pending = [(reference, False) for reference in reversed(tuple(references))]
    while pending:
        reference, ready = pending.pop()
        if reference.name in found:
            continue
        content = _referenced(reference, store)
        if content.schema_type != schema_type:
            raise invalid_schema(f"{schema_type} cannot import {content.schema_type}: {reference}")
        if ready:
            found[reference.name] = content.schema
        else:
            pending.append((reference, True))
            pending.extend((needed, False) for needed in reversed(content.references))
    return found


def _referenced(reference: Reference, store: Store) -> Content:
    try:
        version = store.version(reference.subject, reference.version, deleted=True)
    except Refusal as refusal:
        raise _leads_nowhere(reference.subject, reference.version) from refusal
    return store.content(version.schema_id)


def _reference(item: JSON, store: Store) -> Reference:
    """A reference to something not deleted, its version made definite if it was ``-1``."""
    fields = item if isinstance(item, dict) else {}
    name, subject, number = fields.get("name"), fields.get("subject"), fields.get("version")
    if not isinstance(name, str) or not isinstance(subject, str) or type(number) is not int:
        raise invalid_schema(f"Invalid reference: {item!r}")
    try:
        return Reference(name, subject, store.version(subject, number).number)
    except Refusal as refusal:
        raise _leads_nowhere(subject, number) from refusal


def _leads_nowhere(subject: str, number: int) -> Refusal:
    return invalid_schema(f'No schema reference found for subject "{subject}" and version {number}')


def _list(value: JSON) -> list[JSON]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise invalid_schema("references are not a list")
    return value


def _guid(schema_type: str, identity: bytes, references: Iterable[Reference], rest: JSON) -> str:
    # Some clients name the files that all of them have, others leave them out: it is the same schema.
    named = [reference.as_json() for reference in references if not reference.name.startswith(FOLDERS)]
    facts = [schema_type, sorted(named, key=str), rest]
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode() + b"\0" + identity).digest()
    return str(uuid.UUID(bytes=digest[:16], version=5))
