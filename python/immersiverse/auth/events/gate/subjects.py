"""The contract against what a registry holds: every version of every subject of the package."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from immersiverse.auth.events.catalog import TOPICS
from immersiverse.auth.events.compatibility import Level, Rules, Schema
from immersiverse.auth.events.compatibility import avro as avro_rules
from immersiverse.auth.events.errors import InvalidSchema, SubjectCollision
from immersiverse.auth.events.gate.judged import JudgedChange
from immersiverse.auth.events.gate.verdict import Unjudged, Verdict, judge_file
from immersiverse.auth.events.registry.contract import OPTIONS_FILE, contract_schema
from immersiverse.auth.events.serialization.schemas import CONTRACT_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from immersiverse.auth.events.gate.version import Version
    from immersiverse.auth.events.registry import SchemaRegistry
    from immersiverse.auth.events.serialization.schemas import SchemaType, WriterSchema


def judge_registry(  # noqa: PLR0913 - what is compared, by keyword
    registry: SchemaRegistry,
    new: Version,
    *,
    topics: Sequence[str] | None = None,
    types: Sequence[SchemaType] = ("PROTOBUF", "AVRO"),
    level: Level = Level.BACKWARD_TRANSITIVE,
    rules: Rules = Rules.STRICT,
) -> Verdict:
    """Compare a version of the contract with every version that a registry holds. Nothing is written.

    Args:
        registry: the registry.
        new: the version that is to be registered. Of Avro, the installed contract's schema is compared.
        topics: the contract's topics unless given.
        types: which schemas.
        level: which versions are asked, and who must be able to read whom.
        rules: what counts as breaking in Protobuf; Avro has rules of its own.

    Raises:
        InvalidSchema: `new` does not hold the contract.
        MissingExtra: for Avro without its dependency.
        RegistryError: the registry cannot be asked.
    """
    found = Verdict(())
    for name, schema_type in targets(registry, topics, types):
        if schema_type == "PROTOBUF":
            _schema(name, new)  # so that whatever cannot be understood below is the subject's
        try:
            history = registry.inspect(name, schema_type).versions()
            changes = tuple(judge_subject(name, history, new, level=level, rules=rules))
        except (SubjectCollision, InvalidSchema) as error:
            found += Verdict((), unjudged=(Unjudged(name, error),))
        else:
            found += Verdict(changes, len(level.versions(len(history))))
    return found


def targets(
    registry: SchemaRegistry, topics: Sequence[str] | None, types: Sequence[SchemaType]
) -> dict[tuple[str, SchemaType], str]:
    """Subject and type of all that would be registered, what is referred to first; each with a topic."""
    found: dict[tuple[str, SchemaType], str] = {}
    for schema_type in types:
        if schema_type == "PROTOBUF":
            found[OPTIONS_FILE.name, schema_type] = ""
        for topic in topics or TOPICS:
            found.setdefault((registry.subject(topic, schema_type), schema_type), topic)
    return found


def judge_subject(
    subject: str, history: dict[int, WriterSchema], new: Version, *, level: Level, rules: Rules
) -> Iterator[JudgedChange]:
    """Every change between the versions of a subject that a level asks and the one that is to be registered.

    Raises:
        InvalidSchema: a schema cannot be understood, or `new` does not hold the contract.
        MissingExtra: for Avro without its dependency.
    """
    numbers = list(history)
    for place in level.versions(len(numbers)):
        writer = history[numbers[place]]
        against = f"{subject} version {numbers[place]}"
        if writer.schema_type != "PROTOBUF":
            for change in avro_rules.check(contract_schema("AVRO").text, [writer.text], level=level):
                yield JudgedChange(
                    replace(change, version=place),
                    against,
                    subject=subject,
                    place=change.path.removeprefix("#/"),
                )
            continue
        changed = _schema(subject, new)
        if changed is None:
            return
        for judged in judge_file(Schema(writer.descriptor()), Schema(changed.root), level=level, rules=rules):
            change = replace(judged.change, version=place)
            yield replace(judged, change=change, against=against, subject=subject)


def _schema(subject: str, new: Version) -> Schema | None:
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
