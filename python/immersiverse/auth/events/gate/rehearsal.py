"""A registration rehearsed: what it would write, and whether the registry would let it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from immersiverse.auth.events.compatibility import Rules
from immersiverse.auth.events.errors import InvalidSchema, SubjectCollision
from immersiverse.auth.events.gate.contract import installed_contract
from immersiverse.auth.events.gate.subjects import judge_subject, targets
from immersiverse.auth.events.registry.contract import OPTIONS_FILE, contract_schema

if TYPE_CHECKING:
    from collections.abc import Sequence

    from immersiverse.auth.events.gate.judged import JudgedChange
    from immersiverse.auth.events.registry import SchemaRegistry
    from immersiverse.auth.events.registry.contract import ContractSchema, Form
    from immersiverse.auth.events.registry.inspection import Subject
    from immersiverse.auth.events.serialization.schemas import SchemaType, WriterSchema


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What registering would do to one subject.

    Attributes:
        subject: the subject.
        type: which schemas it holds, or is to hold.
        action: ``nothing`` if it is registered already, ``create`` a subject, ``add`` a version to it, or
            ``fail`` before anything is written.
        version: the version that it has, or would be about to get; 0 if it would fail.
        level: the subject's compatibility level; empty if it is not asked.
        compatible: whether the registry would take it.
        asked: whether the registry itself said so, of the latest version. It is not asked about what it
            holds, and cannot judge what refers to something that is still to be written.
        refused: why not, as far as its rules are known here.
        problem: why it would fail, or cannot be judged; empty if nothing is in the way.
    """

    subject: str
    type: SchemaType
    action: Literal["nothing", "create", "add", "fail"]
    version: int
    level: str = ""
    compatible: bool = True
    asked: bool = False
    refused: tuple[JudgedChange, ...] = ()
    problem: str = ""

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
            "problem": self.problem or None,
        }


def rehearse(
    registry: SchemaRegistry, topics: Sequence[str] | None, types: Sequence[SchemaType], form: Form
) -> list[Rehearsed]:
    """What registering the installed contract would do; one row a subject. Nothing is written.

    A new version is judged twice: by Confluent's rules at the subject's level against every version that the
    level asks, and by the registry itself against the latest.

    Raises:
        MissingExtra: for Avro without its dependency.
        RegistryError: the registry cannot be asked.
    """
    return [
        _rehearse(registry.inspect(subject, schema_type), _schema(subject, schema_type, form))
        for subject, schema_type in targets(registry, topics, types)
    ]


def _schema(subject: str, schema_type: SchemaType, form: Form) -> ContractSchema:
    schema = contract_schema(schema_type, form if schema_type == "PROTOBUF" else "text")
    return schema.references[0][1] if subject == OPTIONS_FILE.name else schema


def _rehearse(subject: Subject, schema: ContractSchema) -> Rehearsed:
    try:
        return _foreseen(subject, schema)
    except (SubjectCollision, InvalidSchema) as error:
        return Rehearsed(subject.name, schema.schema_type, "fail", 0, compatible=False, problem=str(error))


def _foreseen(subject: Subject, schema: ContractSchema) -> Rehearsed:
    history = subject.versions()
    if not history:
        return Rehearsed(subject.name, schema.schema_type, "create", 1)
    found = subject.find(schema)
    if found is not None:
        return Rehearsed(subject.name, schema.schema_type, "nothing", found.version)
    return _judged(subject, schema, history)


def _judged(subject: Subject, schema: ContractSchema, history: dict[int, WriterSchema]) -> Rehearsed:
    level = subject.level()
    judged = judge_subject(subject.name, history, installed_contract(), level=level, rules=Rules.CONFLUENT)
    refused = tuple(each for each in judged if not each.change.compatible)
    said = subject.takes(schema)
    return Rehearsed(
        subject.name,
        schema.schema_type,
        "add",
        max(history) + 1,
        level,
        compatible=not refused and said is not False,
        asked=said is not None,
        refused=refused,
    )
