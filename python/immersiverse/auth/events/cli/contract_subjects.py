"""What `schema` does to the contract's subjects, and the rows that it shows."""

from __future__ import annotations

import base64
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from immersiverse.auth.events.catalog import CONTRACT_FILE, OPTIONS_FILE, TOPICS
from immersiverse.auth.events.descriptors import identity, is_base64
from immersiverse.auth.events.errors import InvalidSchema, SchemaNotRegistered
from immersiverse.auth.events.registry.contract import contract_schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from immersiverse.auth.events.registry import Registered, SchemaRegistry
    from immersiverse.auth.events.registry.contract import Form
    from immersiverse.auth.events.serialization.schemas import SchemaType

THIS, ANOTHER, NONE = "this", "another version", "not registered"


@dataclass(frozen=True, slots=True)
class Row:
    """One subject in an answer.

    Attributes:
        subject: the subject.
        type: which schemas it holds, or is to hold.
        version: the version under it; None if there is none.
        id: the id that frames carry; None if there is none.
    """

    subject: str
    type: str
    version: int | None
    id: int | None

    def document(self) -> dict[str, Any]:
        """It as JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class StateRow:
    """One subject, and what its latest version is to this program.

    Attributes:
        subject: as of Row, like the next three.
        type: as of Row.
        version: as of Row.
        id: as of Row.
        contract: whether it is this program's contract.
    """

    subject: str
    type: str
    version: int | None
    id: int | None
    contract: str

    def document(self) -> dict[str, Any]:
        """It as JSON."""
        return asdict(self)


def register_contract(
    client: SchemaRegistry, topics: Sequence[str] | None, types: Sequence[SchemaType], form: Form
) -> list[Row]:
    """Register the contract for topics; one row a subject, what it refers to first.

    Raises:
        MissingExtra: a type needs what is not installed; nothing was written then.
        RegistryError: as of ``SchemaRegistry.register``.
    """
    for schema_type in types:
        contract_schema(schema_type, form)
    done = [
        client.register(topic, schema_type, form=form)
        for topic, schema_type, _ in _targets(client, topics, types)
    ]
    options = client.registered(OPTIONS_FILE.name) if "PROTOBUF" in types else None
    return [_row(each) for each in ([options] if options else []) + done]


def registered_contract(
    client: SchemaRegistry, topics: Sequence[str] | None, types: Sequence[SchemaType]
) -> list[StateRow]:
    """What a registry holds for topics; one row a subject.

    Raises:
        RegistryError: if the registry cannot be asked.
    """
    return [_state(client, *target) for target in _targets(client, topics, types)]


def own_schema(schema_type: SchemaType, form: Form) -> str:
    """The contract of this program as it would be registered.

    Raises:
        MissingExtra: for Avro without its dependency.
    """
    return contract_schema(schema_type, form).text


def latest_schema(client: SchemaRegistry, topic: str, schema_type: SchemaType, form: Form) -> str | None:
    """The latest schema that a registry holds for a topic, in the form that is wanted; None if it holds none.

    Raises:
        RegistryError: if the registry cannot be asked.
        InvalidSchema: if what it holds cannot be understood, or has no such form.
    """
    latest = client.registered(client.subject(topic, schema_type))
    if latest is None:
        return None
    writer = client.writer_schema(latest.id)
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


def _targets(
    client: SchemaRegistry, topics: Sequence[str] | None, types: Sequence[SchemaType]
) -> Iterator[tuple[str, SchemaType, str]]:
    """Topic, type and subject; a subject that several topics share comes once."""
    seen = set()
    for schema_type in types:
        for topic in topics or TOPICS:
            subject = client.subject(topic, schema_type)
            if subject not in seen:
                seen.add(subject)
                yield topic, schema_type, subject


def _row(registered: Registered) -> Row:
    return Row(registered.subject, registered.schema_type, registered.version, registered.id)


def _state(client: SchemaRegistry, topic: str, schema_type: SchemaType, subject: str) -> StateRow:
    latest = client.registered(subject)
    if latest is None:
        return StateRow(subject, schema_type, None, None, NONE)
    try:
        ours = client.schema_id(topic, schema_type).number
    except SchemaNotRegistered:
        ours = None
    return StateRow(
        subject, latest.schema_type, latest.version, latest.id, THIS if ours == latest.id else ANOTHER
    )
