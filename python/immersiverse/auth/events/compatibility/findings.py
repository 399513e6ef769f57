"""What a comparison yields while it walks: plain facts, and pairs of messages still to be compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from immersiverse.auth.events.compatibility.declarations import EnumType, MessageType
    from immersiverse.auth.events.compatibility.kinds import ChangeKind


class Finding(NamedTuple):
    """One difference, not yet judged."""

    kind: ChangeKind
    path: str
    old: str = ""
    new: str = ""


class MessagePair(NamedTuple):
    """Two messages to be compared, and the path of the field that led to them ("" for nesting)."""

    old: MessageType
    new: MessageType
    path: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """Tells whether the pair was met before."""
        return self.old.name, self.new.name


class EnumPair(NamedTuple):
    """Two imported enums to be compared, because a field is of that type."""

    old: EnumType
    new: EnumType

    @property
    def key(self) -> tuple[str, str]:
        """Tells whether the pair was met before."""
        return self.old.name, self.new.name


Step = Finding | MessagePair | EnumPair
