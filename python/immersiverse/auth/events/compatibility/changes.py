"""A change between two versions, with its verdict."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from immersiverse.auth.events.compatibility.json_schema_explanations import JSON_SCHEMA
from immersiverse.auth.events.compatibility.registry_explanations import AVRO, CONFLUENT, FORWARD
from immersiverse.auth.events.compatibility.strict_explanations import STRICT

if TYPE_CHECKING:
    from immersiverse.auth.events.compatibility.audiences import Audience, Explanation
    from immersiverse.auth.events.compatibility.kinds import ChangeKind


_EXPLANATIONS = CONFLUENT | AVRO | JSON_SCHEMA | STRICT


class Direction(StrEnum):
    """Who reads whom.

    Attributes:
        BACKWARD: the new version reads what the old one wrote.
        FORWARD: the old version reads what the new one wrote; kinds are then named as the registry names
            them, looking back from new to old.
    """

    BACKWARD = "backward"
    FORWARD = "forward"


@dataclass(frozen=True, slots=True)
class Change:
    """One change and its verdict.

    Attributes:
        kind: what changed.
        path: where, such as ``#/LoginFailed/3``: message, nested message, oneof, number of field or value. An
            Avro path names fields instead of numbers, and a JSON Schema's is a pointer such as
            ``#/properties/email/maxLength``. ``#/`` is the file.
        old: the earlier version's side as text, empty if it has none.
        new: the later version's side as text, empty if it has none.
        compatible: whether the rule set lets it pass.
        direction: who reads whom.
        version: place of the earlier version in the history it was checked against, from 0; None outside one.
    """

    kind: ChangeKind
    path: str
    old: str
    new: str
    compatible: bool
    direction: Direction = Direction.BACKWARD
    version: int | None = None

    @property
    def affects(self) -> tuple[Audience, ...]:
        """Who has to do with it."""
        return self._explanation.affects

    @property
    def sentence(self) -> str:
        """Who breaks, or why nobody does, and how to do it instead."""
        return self._explanation.text

    def as_dict(self) -> dict[str, object]:
        """The change as plain data, such as JSON takes."""
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
        }

    @property
    def _explanation(self) -> Explanation:
        if self.direction is Direction.FORWARD and self.kind in FORWARD:
            return FORWARD[self.kind]
        return _EXPLANATIONS[self.kind]
