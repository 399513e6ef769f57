"""The contract's subjects in a registry: register them, and see whether they hold this version."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import orjson

from immersiverse.auth.events.catalog import CONTRACT_FILE, OPTIONS_FILE, TOPICS
from immersiverse.auth.events.descriptors import identity, is_base64
from immersiverse.auth.events.errors import (
    DecodeError,
    InvalidSchema,
    MissingExtra,
    RegistryRefused,
    SchemaNotRegistered,
)
from immersiverse.auth.events.registry.contract import contract_schema

if TYPE_CHECKING:
    from collections.abc import Sequence

    from immersiverse.auth.events.registry.client import SchemaRegistry
    from immersiverse.auth.events.registry.contract import Form, Registered
    from immersiverse.auth.events.serialization.schemas import SchemaType


@dataclass(frozen=True, slots=True)
class SubjectState:
    """What a registry holds under one of the contract's subjects.

    Attributes:
        subject: the subject.
        schema_type: which schemas it holds, or is to hold.
        latest: its latest version; None if there is none.
        contract: whether the latest version is this program's contract.
    """

    subject: str
    schema_type: SchemaType
    latest: Registered | None
    contract: Literal["this", "another version", "not registered"]


def contract_subjects(
    registry: SchemaRegistry, topics: Sequence[str] | None, types: Sequence[SchemaType]
) -> dict[tuple[str, SchemaType], str]:
    """Subject and type of all that is to be registered, referenced files first; each with one of its topics.

    Args:
        registry: names the subjects.
        topics: the contract's topics unless given.
        types: which schemas.
    """
    found: dict[tuple[str, SchemaType], str] = {}
    for schema_type in types:
        if schema_type == "PROTOBUF":
            found[OPTIONS_FILE.name, schema_type] = ""
        for topic in topics or TOPICS:
            found.setdefault((registry.subject(topic, schema_type), schema_type), topic)
    return found


def register_contract(
    registry: SchemaRegistry, topics: Sequence[str] | None, types: Sequence[SchemaType], form: Form
) -> list[Registered]:
    """Register the contract for topics; one version a subject, referenced files first.

    Raises:
        MissingExtra: a type needs what is not installed; nothing was written then.
        RegistryError: as of ``SchemaRegistry.register``.
    """
    for schema_type in types:
        contract_schema(schema_type, form)
    subjects = contract_subjects(registry, topics, types)
    done = [registry.register(topic, kind, form=form) for (_, kind), topic in subjects.items() if topic]
    options = registry.registered(OPTIONS_FILE.name) if "PROTOBUF" in types else None
    return [options, *done] if options else done


def registered_contract(
    registry: SchemaRegistry, topics: Sequence[str] | None, types: Sequence[SchemaType]
) -> list[SubjectState]:
    """What a registry holds for topics.

    Raises:
        RegistryError: if the registry cannot be asked.
    """
    subjects = contract_subjects(registry, topics, types)
    return [_state(registry, topic, kind, subject) for (subject, kind), topic in subjects.items() if topic]


def _state(registry: SchemaRegistry, topic: str, schema_type: SchemaType, subject: str) -> SubjectState:
    latest = registry.registered(subject)
    if latest is None:
        return SubjectState(subject, schema_type, None, "not registered")
    same = _is_registered_as(registry, topic, schema_type, latest) or _says_the_same(registry, latest)
    return SubjectState(subject, latest.schema_type, latest, "this" if same else "another version")


def _is_registered_as(
    registry: SchemaRegistry, topic: str, schema_type: SchemaType, latest: Registered
) -> bool:
    try:
        return registry.schema_id(topic, schema_type).number == latest.id
    except SchemaNotRegistered:
        return False


def _says_the_same(registry: SchemaRegistry, latest: Registered) -> bool:
    """Whether a version has this contract's content, in the spelling of another client."""
    try:
        writer = registry.writer_schema(latest.id)
        if writer.schema_type == "AVRO":
            return bool(orjson.loads(writer.text) == orjson.loads(contract_schema("AVRO").text))
        return identity(writer.descriptor()) == identity(CONTRACT_FILE)
    except (DecodeError, InvalidSchema, MissingExtra, RegistryRefused, orjson.JSONDecodeError):
        return False


def latest_schema(registry: SchemaRegistry, topic: str, schema_type: SchemaType, form: Form) -> str | None:
    """The latest schema that a registry holds for a topic, in the form that is wanted; None if it holds none.

    Raises:
        RegistryError: if the registry cannot be asked.
        InvalidSchema: if what it holds cannot be understood, or has no such form.
    """
    latest = registry.registered(registry.subject(topic, schema_type))
    if latest is None:
        return None
    writer = registry.writer_schema(latest.id)
    if writer.schema_type != "PROTOBUF":
        return writer.text
    if form == "descriptor":
        return base64.b64encode(writer.descriptor().SerializeToString()).decode("ascii")
    if not is_base64(writer.text):
        return writer.text
    if identity(writer.descriptor()) == identity(CONTRACT_FILE):
        return contract_schema("PROTOBUF").text
    raise InvalidSchema(
        f"{latest.subject} version {latest.version} is registered as a descriptor of another version of the "
        "contract, which has no .proto text: use --form descriptor"
    )
