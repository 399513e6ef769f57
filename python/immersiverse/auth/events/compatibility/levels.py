"""Compatibility levels: which versions are asked, and who must be able to read whom."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING

from immersiverse.auth.events.compatibility.changes import Change, Direction
from immersiverse.auth.events.compatibility.comparison import compare
from immersiverse.auth.events.compatibility.rules import Rules

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from immersiverse.auth.events.compatibility.schema import Schema


class Level(StrEnum):
    """The levels of Confluent's Schema Registry.

    BACKWARD: the new version reads the old ones' data. FORWARD: the old ones read the new version's. FULL:
    both. The plain levels ask the last version, the TRANSITIVE ones every version, NONE none.
    """

    NONE = "NONE"
    BACKWARD = "BACKWARD"
    BACKWARD_TRANSITIVE = "BACKWARD_TRANSITIVE"
    FORWARD = "FORWARD"
    FORWARD_TRANSITIVE = "FORWARD_TRANSITIVE"
    FULL = "FULL"
    FULL_TRANSITIVE = "FULL_TRANSITIVE"

    @property
    def transitive(self) -> bool:
        """Whether every version is asked, not only the last."""
        return self.endswith("_TRANSITIVE")

    @property
    def directions(self) -> tuple[Direction, ...]:
        """Who must be able to read whom."""
        return _DIRECTIONS[self.removesuffix("_TRANSITIVE")]

    def versions(self, count: int) -> range:
        """The places, in a history of this length and oldest first, of the versions that are asked."""
        if self is Level.NONE:
            return range(0)
        return range(0 if self.transitive else max(count - 1, 0), count)


_DIRECTIONS = {
    "NONE": (),
    "BACKWARD": (Direction.BACKWARD,),
    "FORWARD": (Direction.FORWARD,),
    "FULL": (Direction.BACKWARD, Direction.FORWARD),
}


def check(
    new: Schema, olds: Sequence[Schema], *, level: Level, rules: Rules = Rules.CONFLUENT
) -> list[Change]:
    """List the changes that forbid a new version.

    What the strict rules add is about promises kept over time, not about who reads whom: it holds in the
    order of the versions, at every level but NONE.

    Args:
        new: the version that is to be added.
        olds: the history, oldest first.
        level: which versions are asked, and in which direction.
        rules: what counts as incompatible.

    Returns:
        The incompatible changes, each with the version it is about; empty if the new version may be added.

    Raises:
        InvalidSchema: a descriptor contradicts itself.
    """
    return [
        replace(change, version=version)
        for version in level.versions(len(olds))
        for change in _incompatible(olds[version], new, level, rules)
    ]


def _incompatible(old: Schema, new: Schema, level: Level, rules: Rules) -> Iterator[Change]:
    backward = Direction.BACKWARD in level.directions
    if backward or rules is Rules.STRICT:
        for change in compare(old, new, rules=rules):
            if not change.compatible and (backward or not Rules.CONFLUENT.breaks(change.kind)):
                yield change
    if Direction.FORWARD in level.directions:
        for change in compare(new, old):
            if not change.compatible:
                yield replace(change, old=change.new, new=change.old, direction=Direction.FORWARD)
