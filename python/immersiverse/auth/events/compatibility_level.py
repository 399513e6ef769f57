"""Compatibility levels: which versions a new schema is checked against, and who must be able to read whom."""

from __future__ import annotations

from enum import StrEnum


class Direction(StrEnum):
    """Who reads whom.

    Attributes:
        BACKWARD: the new version reads what the old one wrote.
        FORWARD: the old version reads what the new one wrote.
    """

    BACKWARD = "backward"
    FORWARD = "forward"


class Level(StrEnum):
    """The levels of Confluent's Schema Registry.

    BACKWARD: the new version reads the old ones' data. FORWARD: the old ones read the new version's. FULL:
        both. The plain levels check the last version, the TRANSITIVE ones every version, NONE no version.
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
        """Whether every version is checked, not only the last."""
        return self.endswith("_TRANSITIVE")

    @property
    def directions(self) -> tuple[Direction, ...]:
        """Who must be able to read whom."""
        return _DIRECTIONS[self.removesuffix("_TRANSITIVE")]

    def versions(self, count: int) -> range:
        """The indexes, in a history of `count` versions, oldest first, of those that are checked."""
        if self is Level.NONE:
            return range(0)
        return range(0 if self.transitive else max(count - 1, 0), count)


_DIRECTIONS = {
    "NONE": (),
    "BACKWARD": (Direction.BACKWARD,),
    "FORWARD": (Direction.FORWARD,),
    "FULL": (Direction.BACKWARD, Direction.FORWARD),
}
