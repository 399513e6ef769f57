"""Versions compared: every change, and whether any is refused."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from immersiverse.auth.events.compatibility import Change, Direction, Level, Rules, Schema, check, compare
from immersiverse.auth.events.gate.effects import Effects
from immersiverse.auth.events.gate.judged import JudgedChange
from immersiverse.auth.events.gate.version import Version, pairs
from immersiverse.auth.events.gate.views import View, judge_views

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from immersiverse.auth.events.errors import InvalidSchema, SubjectCollision


@dataclass(frozen=True, slots=True)
class Unjudged:
    """A subject of a registry that cannot take the contract, or holds what nobody can read.

    Attributes:
        subject: the subject.
        reason: why; SubjectCollision is a refusal, InvalidSchema no verdict at all.
    """

    subject: str
    reason: SubjectCollision | InvalidSchema

    @property
    def sentence(self) -> str:
        """The reason, with the subject in it."""
        said = str(self.reason)
        return said if self.subject in said else f"{self.subject}: {said}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a new version would do.

    Attributes:
        changes: every change, harmless ones too.
        versions: how many earlier versions were asked.
        unjudged: the subjects that could not be.
    """

    changes: tuple[JudgedChange, ...]
    versions: int = 0
    unjudged: tuple[Unjudged, ...] = ()

    def __add__(self, other: Verdict) -> Verdict:
        """Both verdicts in one."""
        return Verdict(
            self.changes + other.changes, self.versions + other.versions, self.unjudged + other.unjudged
        )

    @property
    def refused(self) -> tuple[JudgedChange, ...]:
        """The changes that break somebody."""
        return tuple(judged for judged in self.changes if not judged.change.compatible)

    @property
    def compatible(self) -> bool:
        """Whether nobody breaks, as far as that could be judged, and it could of every subject."""
        return not self.refused and not self.unjudged


def judge(
    new: Version,
    history: Sequence[Version],
    *,
    level: Level = Level.BACKWARD_TRANSITIVE,
    rules: Rules = Rules.STRICT,
    views: Collection[View] = ("JSON Schema", "Avro"),
) -> Verdict:
    """Compare a version with earlier ones.

    Args:
        new: the version that is to be published.
        history: earlier versions, oldest first.
        level: which of them are asked, and who must be able to read whom.
        rules: what counts as breaking.
        views: which schemas that follow from the contract are judged too, by strict rules.

    Raises:
        InvalidSchema: a version contradicts itself, or a lone file has no counterpart.
        MissingExtra: for Avro without its dependency.
    """
    asked = level.versions(len(history))
    return Verdict(
        tuple(
            replace(judged, change=replace(judged.change, version=place), against=history[place].label)
            for place in asked
            for old, changed in pairs(history[place], new)
            for judged in _judge(old, changed, level, rules, views)
        ),
        len(asked),
    )


def _judge(
    old: Schema, new: Schema, level: Level, rules: Rules, views: Collection[View]
) -> Iterator[JudgedChange]:
    """The views come last: what breaks in Protobuf breaks there too, and would be told three times."""
    found = tuple(judge_file(old, new, level=level, rules=rules))
    yield from found
    if rules is Rules.STRICT and all(judged.change.compatible for judged in found):
        yield from judge_views(old, new, level=level, which=views)


def judge_file(old: Schema, new: Schema, *, level: Level, rules: Rules) -> Iterator[JudgedChange]:
    """Every change between two versions of a file: the refused ones by the level, then the harmless ones."""
    effects = Effects(old.root, new.root)
    for change in _changes(old, new, level, rules):
        yield JudgedChange(
            change,
            file=new.root.name,
            place=effects.place(change.path),
            events=effects.events(change.path),
        )


def _changes(old: Schema, new: Schema, level: Level, rules: Rules) -> Iterator[Change]:
    found = compare(old, new, rules=rules)
    if level.directions == (Direction.BACKWARD,):  # then what is refused is among them, found once
        yield from (change for change in found if not change.compatible)
    else:
        yield from check(new, [old], level=level, rules=rules)
    yield from (change for change in found if change.compatible)
