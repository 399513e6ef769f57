"""Versions compared: every change, and whether any is refused."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from immersiverse.auth.events.compatibility_level import Direction, Level
from immersiverse.auth.events.errors import InvalidSchema
from immersiverse.auth.events.schema_checks.impact import EventImpact
from immersiverse.auth.events.schema_checks.kinds import Rules
from immersiverse.auth.events.schema_checks.protobuf.comparison import compare
from immersiverse.auth.events.schema_checks.version import pairs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from immersiverse.auth.events.errors import SubjectCollision
    from immersiverse.auth.events.schema_checks.changes import Change
    from immersiverse.auth.events.schema_checks.version import ContractVersion, ProtoSchema


@dataclass(frozen=True, slots=True)
class UnjudgedSubject:
    """A subject of a registry that cannot take the contract, or holds a schema that cannot be read.

    Attributes:
        subject: the subject.
        reason: why; SubjectCollision is a refusal, InvalidSchema no verdict at all.
    """

    subject: str
    reason: SubjectCollision | InvalidSchema

    @property
    def sentence(self) -> str:
        """The reason, with the subject in it."""
        text = str(self.reason)
        return text if self.subject in text else f"{self.subject}: {text}"


@dataclass(frozen=True, slots=True)
class SchemaVerdict:
    """What a new version would do.

    Attributes:
        changes: every change, safe ones too.
        versions: how many earlier versions were checked.
        unjudged: the subjects that could not be checked.
        notes: what was not compared, and why.
    """

    changes: tuple[Change, ...]
    versions: int = 0
    unjudged: tuple[UnjudgedSubject, ...] = ()
    notes: tuple[str, ...] = ()

    def __add__(self, other: SchemaVerdict) -> SchemaVerdict:
        """Both verdicts in one."""
        return SchemaVerdict(
            self.changes + other.changes,
            self.versions + other.versions,
            self.unjudged + other.unjudged,
            self.notes + other.notes,
        )

    @property
    def refused(self) -> tuple[Change, ...]:
        """The changes that break a reader."""
        return tuple(change for change in self.changes if not change.compatible)

    @property
    def compatible(self) -> bool:
        """Whether no change is refused, and every subject could be checked."""
        return not self.refused and not self.unjudged

    @property
    def unreadable(self) -> bool:
        """Whether a schema of a registry could not be read, so that there is no verdict on it."""
        return any(isinstance(each.reason, InvalidSchema) for each in self.unjudged)

    def document(self) -> dict[str, Any]:
        """It as plain data, such as JSON takes."""
        document: dict[str, Any] = {
            "compatible": self.compatible,
            "changes": [change.document() for change in self.changes],
        }
        if self.unjudged:
            reasons = [{"subject": each.subject, "reason": each.sentence} for each in self.unjudged]
            document["unjudged"] = reasons
        return document


def judge(
    new: ContractVersion,
    history: Sequence[ContractVersion],
    *,
    level: Level = Level.BACKWARD_TRANSITIVE,
    rules: Rules = Rules.STRICT,
) -> SchemaVerdict:
    """Compare a version with earlier ones.

    Args:
        new: the version that is to be published.
        history: earlier versions, oldest first.
        level: which of them are checked, and who must be able to read whom.
        rules: what counts as breaking.

    Raises:
        InvalidSchema: a version contradicts itself, or a lone file has no counterpart.
    """
    checked = level.versions(len(history))
    changes = (
        replace(change, version=index, against=history[index].label)
        for index in checked
        for old, changed in pairs(history[index], new)
        for change in judge_file(old, changed, level=level, rules=rules)
    )
    return SchemaVerdict(tuple(changes), len(checked))


def judge_file(old: ProtoSchema, new: ProtoSchema, *, level: Level, rules: Rules) -> Iterator[Change]:
    """Every change between two versions of a file: those that the level refuses, then the safe ones."""
    impact = EventImpact(old.root, new.root)
    found = compare(old, new, rules=rules)
    safe = (change for change in found if change.compatible)
    for change in (*_refused(found, old, new, level, rules), *safe):
        place, events = impact.place(change.path), impact.events(change.path)
        yield replace(change, file=new.root.name, place=place, events=events)


def refused_changes(
    new: ProtoSchema, olds: Sequence[ProtoSchema], *, level: Level, rules: Rules = Rules.CONFLUENT
) -> list[Change]:
    """The changes that forbid a new version of a file, each with the earlier version it is about.

    What the strict rules add is about promises kept over time, not about who reads whom: it holds in the
    order of the versions, at every level but NONE.

    Raises:
        InvalidSchema: a descriptor contradicts itself.
    """
    return [
        replace(change, version=index)
        for index in level.versions(len(olds))
        for change in _refused(compare(olds[index], new, rules=rules), olds[index], new, level, rules)
    ]


def _refused(
    found: list[Change], old: ProtoSchema, new: ProtoSchema, level: Level, rules: Rules
) -> Iterator[Change]:
    """The refused ones of the changes that were found, and those that the old version's readers meet."""
    backward = Direction.BACKWARD in level.directions
    for change in found:
        kept_promise = rules is Rules.STRICT and not Rules.CONFLUENT.refuses(change.kind)
        if not change.compatible and level is not Level.NONE and (backward or kept_promise):
            yield change
    if Direction.FORWARD in level.directions:
        for change in compare(new, old):
            if not change.compatible:
                yield replace(change, old=change.new, new=change.old, direction=Direction.FORWARD)
