"""A change between two versions, with its verdict and where it was found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from immersiverse.auth.events.compatibility_level import Direction
from immersiverse.auth.events.schema_checks.explanations import explanation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from immersiverse.auth.events.schema_checks.kinds import Audience, ChangeKind


@dataclass(frozen=True, slots=True)
class Change:
    """One change and its verdict; what compared two files or a subject says where it was found.

    Attributes:
        kind: what changed.
        path: where, such as ``#/LoginFailed/3``: message, nested message, oneof, number of field or value. An
            Avro path names fields instead of numbers. ``#/`` is the file.
        old: the earlier version's side as text, empty if it has none.
        new: the later version's side as text, empty if it has none.
        compatible: whether the rule set allows it.
        direction: who reads whom. Forward kinds are named as the registry names them, from new to old.
        version: index of the earlier version in the history that was checked, from 0; None outside one.
        against: the earlier version, such as ``git#main`` or ``auth.events.user-value version 3``.
        file: the import path of the file that changed; empty for an Avro schema.
        subject: the registry's subject; empty outside one.
        place: the path with names instead of numbers, such as ``LoginFailed.reason``.
        events: the events that it concerns.
    """

    kind: ChangeKind
    path: str
    old: str
    new: str
    compatible: bool
    direction: Direction = Direction.BACKWARD
    version: int | None = None
    against: str = ""
    file: str = ""
    subject: str = ""
    place: str = ""
    events: tuple[str, ...] = ()

    @property
    def affects(self) -> tuple[Audience, ...]:
        """Who is affected."""
        return explanation(self.kind, self.direction).affects

    @property
    def sentence(self) -> str:
        """Who breaks and what to do instead, or why no reader breaks."""
        return explanation(self.kind, self.direction).text

    def document(self) -> dict[str, Any]:
        """It as plain data, such as JSON takes."""
        return {
            "kind": self.kind.value,
            "path": self.path,
            "old": self.old,
            "new": self.new,
            "compatible": self.compatible,
            "direction": self.direction.value,
            "version": self.version,
            "affects": [audience.value for audience in self.affects],
            "sentence": self.sentence,
            "file": self.file,
            "against": self.against,
            "subject": self.subject or None,
            "place": self.place,
            "events": list(self.events),
        }


def by_event(changes: Iterable[Change]) -> dict[tuple[str, ...], list[Change]]:
    """The changes by the events that they concern: changes of one event first, in each the refused first."""
    groups: dict[tuple[str, ...], list[Change]] = {}
    for change in sorted(changes, key=lambda change: change.compatible):
        groups.setdefault(change.events, []).append(change)
    return dict(sorted(groups.items(), key=lambda item: (not item[0], len(item[0]), item[0])))
