"""A dry run of a registration: what it would write, and whether the registry would take it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from immersiverse.auth.events.catalog import OPTIONS_FILE
from immersiverse.auth.events.errors import InvalidSchema, SubjectCollision
from immersiverse.auth.events.registry.contract import contract_schema
from immersiverse.auth.events.registry.subjects import contract_subjects
from immersiverse.auth.events.schema_checks.kinds import Rules
from immersiverse.auth.events.schema_checks.registry import judge_subject
from immersiverse.auth.events.schema_checks.sources.contract import installed_contract

if TYPE_CHECKING:
    from collections.abc import Sequence

    from immersiverse.auth.events.registry import SchemaRegistry
    from immersiverse.auth.events.registry.contract import ContractSchema, Form
    from immersiverse.auth.events.registry.inspection import Subject
    from immersiverse.auth.events.schema_checks.changes import Change
    from immersiverse.auth.events.serialization.schemas import SchemaType, WriterSchema


@dataclass(frozen=True, slots=True)
class DryRunResult:
    """What registering would do to one subject.

    Attributes:
        subject: the subject.
        type: which schemas it holds, or is to hold.
        action: ``nothing`` if the contract is registered already, ``create`` a subject, ``add`` a version to
            it, or ``fail`` before anything is written.
        version: the version that the contract has, or would get; 0 if registering would fail.
        level: the subject's compatibility level; empty if it is not asked for.
        compatible: whether the registry would take it.
        asked: whether the registry itself gave a verdict, on the latest version. It is not asked about what
            it holds, and cannot judge a schema whose references are not registered yet.
        refused: why not, as far as its rules are known here.
        problem: why registering would fail, or cannot be judged; empty without a problem.
    """

    subject: str
    type: SchemaType
    action: Literal["nothing", "create", "add", "fail"]
    version: int
    level: str = ""
    compatible: bool = True
    asked: bool = False
    refused: tuple[Change, ...] = ()
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
            "changes": [change.document() for change in self.refused],
            "problem": self.problem or None,
        }


def dry_run(
    registry: SchemaRegistry, topics: Sequence[str] | None, types: Sequence[SchemaType], form: Form
) -> list[DryRunResult]:
    """What registering the installed contract would do; one row a subject. Nothing is written.

    A new version is judged twice: by Confluent's rules at the subject's level against every version that the
    level checks, and by the registry itself against the latest.

    Raises:
        MissingExtra: for Avro without its dependency.
        RegistryError: the registry cannot be asked.
    """
    return [
        _result(registry.inspect(subject, schema_type), _schema(subject, schema_type, form))
        for subject, schema_type in contract_subjects(registry, topics, types)
    ]


def _schema(subject: str, schema_type: SchemaType, form: Form) -> ContractSchema:
    schema = contract_schema(schema_type, form if schema_type == "PROTOBUF" else "text")
    return schema.references[0][1] if subject == OPTIONS_FILE.name else schema


def _result(subject: Subject, schema: ContractSchema) -> DryRunResult:
    name, schema_type = subject.name, schema.schema_type
    try:
        history = subject.versions()
        if not history:
            return DryRunResult(name, schema_type, "create", 1)
        found = subject.find(schema)
        if found is not None:
            return DryRunResult(name, schema_type, "nothing", found.version)
        return _added(subject, schema, history)
    except (SubjectCollision, InvalidSchema) as error:
        return DryRunResult(name, schema_type, "fail", 0, compatible=False, problem=str(error))


def _added(subject: Subject, schema: ContractSchema, history: dict[int, WriterSchema]) -> DryRunResult:
    level = subject.level()
    judged = judge_subject(subject.name, history, installed_contract(), level=level, rules=Rules.CONFLUENT)
    refused = tuple(change for change in judged if not change.compatible)
    taken = subject.takes(schema)
    return DryRunResult(
        subject.name,
        schema.schema_type,
        "add",
        max(history) + 1,
        level,
        compatible=not refused and taken is not False,
        asked=taken is not None,
        refused=refused,
    )
