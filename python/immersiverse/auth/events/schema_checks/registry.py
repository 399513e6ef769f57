"""The contract against what a registry holds: every version of every subject of the package."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from immersiverse.auth.events.catalog import CONTRACT_FILE, OPTIONS_FILE
from immersiverse.auth.events.compatibility_level import Level
from immersiverse.auth.events.errors import InvalidSchema, SubjectCollision
from immersiverse.auth.events.registry.contract import contract_schema
from immersiverse.auth.events.registry.subjects import contract_subjects
from immersiverse.auth.events.schema_checks import avro
from immersiverse.auth.events.schema_checks.kinds import Rules
from immersiverse.auth.events.schema_checks.verdict import SchemaVerdict, UnjudgedSubject, judge_file
from immersiverse.auth.events.schema_checks.version import ProtoSchema

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from immersiverse.auth.events.registry import SchemaRegistry
    from immersiverse.auth.events.schema_checks.changes import Change
    from immersiverse.auth.events.schema_checks.version import ContractVersion
    from immersiverse.auth.events.serialization.schemas import SchemaType, WriterSchema


def judge_registry(  # noqa: PLR0913 - what is compared, by keyword
    registry: SchemaRegistry,
    new: ContractVersion,
    *,
    topics: Sequence[str] | None = None,
    types: Sequence[SchemaType] = ("PROTOBUF", "AVRO"),
    level: Level = Level.BACKWARD_TRANSITIVE,
    rules: Rules = Rules.STRICT,
) -> SchemaVerdict:
    """Compare a version of the contract with every version that a registry holds. Nothing is written.

    Args:
        registry: the registry.
        new: the version that is to be registered. Of Avro, the installed contract's schema is compared.
        topics: the contract's topics unless given.
        types: which schemas.
        level: which versions are checked, and who must be able to read whom.
        rules: what counts as breaking in Protobuf; Avro has rules of its own.

    Raises:
        InvalidSchema: `new` does not hold the contract.
        MissingExtra: for Avro without its dependency.
        RegistryError: the registry cannot be asked.
    """
    found = SchemaVerdict(())
    for name, schema_type in contract_subjects(registry, topics, types):
        if schema_type == "PROTOBUF":
            _file(name, new)  # raises here, so that an InvalidSchema below is the subject's
        try:
            history = registry.inspect(name, schema_type).versions()
            changes = tuple(judge_subject(name, history, new, level=level, rules=rules))
        except (SubjectCollision, InvalidSchema) as error:
            found += SchemaVerdict((), unjudged=(UnjudgedSubject(name, error),))
        else:
            found += SchemaVerdict(changes, len(level.versions(len(history))))
    return found


def judge_subject(
    subject: str, history: dict[int, WriterSchema], new: ContractVersion, *, level: Level, rules: Rules
) -> Iterator[Change]:
    """Every change between the versions of a subject that a level checks and the one to be registered.

    Raises:
        InvalidSchema: a schema cannot be understood, or `new` does not hold the contract.
        MissingExtra: for Avro without its dependency.
    """
    numbers = list(history)
    for index in level.versions(len(numbers)):
        writer = history[numbers[index]]
        against = f"{subject} version {numbers[index]}"
        for change in _judged(subject, writer, new, level, rules):
            yield replace(change, version=index, against=against, subject=subject)


def _judged(
    subject: str, writer: WriterSchema, new: ContractVersion, level: Level, rules: Rules
) -> Iterator[Change]:
    if writer.schema_type != "PROTOBUF":
        for change in avro.check(contract_schema("AVRO").text, [writer.text], level=level):
            yield replace(change, place=change.path.removeprefix("#/"))
    elif (changed := _file(subject, new)) is not None:
        old = ProtoSchema(writer.descriptor())
        yield from judge_file(old, ProtoSchema(changed.root), level=level, rules=rules)


def _file(subject: str, new: ContractVersion) -> ProtoSchema | None:
    """The file that would be registered; None if a lone file is the other one."""
    options = subject == OPTIONS_FILE.name
    if new.lone:
        is_options = new.files[0].root.name == OPTIONS_FILE.name.rpartition("/")[2]
        return new.files[0] if options == is_options else None
    name = OPTIONS_FILE.name if options else CONTRACT_FILE.name
    found = new.file(name)
    if found is None:
        raise InvalidSchema(f"{new.label} holds no {name}")
    return found
