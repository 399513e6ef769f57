"""Why one Avro schema cannot read what another wrote, and where in the two."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from immersiverse.auth.events.compatibility.kinds import ChangeKind


class Incompatibility(NamedTuple):
    """Why a reader cannot read, in this package's terms and in those of Apache Avro's own library.

    Attributes:
        path: of names, such as ``#/Login/userId``.
        old: the writer's side.
        new: the reader's side.
        pointer: JSON pointer (RFC 6901) to the place in the reader's schema, where it was met first.
        detail: what the library adds.
    """

    kind: ChangeKind
    path: str
    old: str
    new: str
    pointer: str
    detail: str


class Place(NamedTuple):
    """Where a walk has come to: by names, and as a JSON pointer."""

    path: str
    tokens: tuple[str, ...] = ()

    def below(self, *tokens: str, path: str = "") -> Place:
        """A place further in, under the same name unless another is given."""
        return Place(path or self.path, self.tokens + tokens)

    def found(self, kind: ChangeKind, sides: tuple[str, str], detail: str) -> Incompatibility:
        """What is wrong here; the sides are the writer's and the reader's."""
        return Incompatibility(kind, self.path, *sides, "/" + "/".join(self.tokens), detail)
