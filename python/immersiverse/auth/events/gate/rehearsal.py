"""A registration rehearsed: what it would write, and whether the registry would let it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

from immersiverse.auth.events.compatibility import Level, Rules
from immersiverse.auth.events.errors import RegistryRefused, SchemaNotRegistered
from immersiverse.auth.events.gate.contract import installed_contract
from immersiverse.auth.events.gate.subjects import judge_subject, targets, versions
from immersiverse.auth.events.registry.contract import OPTIONS_FILE, contract_schema
from immersiverse.auth.events.registry.failures import registry_failures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from immersiverse.auth.events.gate.verdict import JudgedChange
    from immersiverse.auth.events.registry import SchemaRegistry
    from immersiverse.auth.events.registry.contract import ContractSchema, Form
    from immersiverse.auth.events.serialization.schemas import SchemaType

    References = list[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What registering would do to one subject.

    Attributes:
        subject: the subject.
        type: which schemas it holds, or is to hold.
        action: ``nothing`` if it is registered already, ``create`` a subject, or ``add`` a version to it.
        version: the version that it has, or would be about to get.
        level: the subject's compatibility level; empty if it is not asked.
        compatible: whether the registry would take it.
        asked: whether the registry itself said so, of the latest version. It is not asked about what it
            holds, and cannot judge what refers to something that is still to be written.
        refused: why not, as far as its rules are known here.
    """

    subject: str
    type: SchemaType
    action: Literal["nothing", "create", "add"]
    version: int
    level: str = ""
    compatible: bool = True
    asked: bool = False
    refused: tuple[JudgedChange, ...] = ()

    def document(self) -> dict[str, Any]:
        """It as JSON."""
        return {
            "subject": self.subject,
            "type": self.type,
            "action": self.action,
            "version": self.version,
            "level": self.level or None,
            "compatible": self.compatible,
            "registryAsked": self.asked,
            "changes": [judged.document() for judged in self.refused],
        }


def rehearse(
    registry: SchemaRegistry, topics: Sequence[str] | None, types: Sequence[SchemaType], form: Form
) -> list[Rehearsed]:
    """What registering the installed contract would do; one row a subject. Nothing is written.

    A new version is judged twice: by Confluent's rules at the subject's level against every version that the
    level asks, and by the registry itself against the latest.

    Raises:
        SubjectCollision: a subject holds schemas of another type.
        MissingExtra: for Avro without its dependency.
        RegistryError: the registry cannot be asked.
    """
    references: References | None = []
    rows = []
    for subject, schema_type in targets(registry, topics, types):
        options = subject == OPTIONS_FILE.name
        schema = contract_schema(schema_type, form if schema_type == "PROTOBUF" else "text")
        wanted = schema.references[0][1] if options else schema
        asked = [] if options or schema_type != "PROTOBUF" else references
        row = _rehearse(registry, subject, wanted, asked)
        if options:
            references = [(subject, row.version)] if row.action == "nothing" else None
        rows.append(row)
    return rows


def _rehearse(
    registry: SchemaRegistry, subject: str, schema: ContractSchema, references: References | None
) -> Rehearsed:
    history = versions(registry, subject, schema.schema_type)
    if not history:
        return Rehearsed(subject, schema.schema_type, "create", 1)
    # A schema that refers to a version which is still to be written is new, too, and cannot be asked about.
    found = None if references is None else _registered(registry, subject, schema, references)
    if found is not None:
        return Rehearsed(subject, schema.schema_type, "nothing", found)
    level = _level(registry, subject)
    judged = judge_subject(subject, history, installed_contract(), level=level, rules=Rules.CONFLUENT)
    refused = tuple(each for each in judged if not each.change.compatible)
    said = None if references is None else _said(registry, subject, schema, references)
    return Rehearsed(
        subject,
        schema.schema_type,
        "add",
        max(history) + 1,
        level,
        compatible=not refused and said is not False,
        asked=said is not None,
        refused=refused,
    )


def _registered(
    registry: SchemaRegistry, subject: str, schema: ContractSchema, references: References
) -> int | None:
    try:
        with registry_failures(subject):
            version: int = registry.client.lookup_schema(subject, _confluent(schema, references)).version
    except SchemaNotRegistered:
        return None
    return version


def _said(
    registry: SchemaRegistry, subject: str, schema: ContractSchema, references: References
) -> bool | None:
    """The registry's own verdict; None if it gives none, as Apicurio does of schemas with references."""
    try:
        with registry_failures(subject):
            return bool(registry.client.test_compatibility(subject, _confluent(schema, references)))
    except RegistryRefused:
        return None


def _level(registry: SchemaRegistry, subject: str) -> Level:
    """The level that holds for a subject: its own, or the one for all."""
    # The client has no method for it: of a subject without a level of its own, it tells Apicurio's NONE.
    rest = registry.client._rest_client  # noqa: SLF001 - see above
    with registry_failures():
        answer = rest.get(f"config/{quote(subject, safe='')}", {"defaultToGlobal": "true"})
    try:
        return Level(answer["compatibilityLevel"])
    except (KeyError, TypeError, ValueError) as error:
        raise RegistryRefused(f"the registry's compatibility level is unknown: {answer}", 200) from error


def _confluent(schema: ContractSchema, references: References) -> Any:
    from confluent_kafka.schema_registry import Schema, SchemaReference  # noqa: PLC0415 - HTTP stack

    return Schema(
        schema.text,
        schema.schema_type,
        references=[SchemaReference(path, path, version) for path, version in references],
    )
