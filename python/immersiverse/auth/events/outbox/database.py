"""What a relay needs of a database: shards that it holds alone, and rows in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from immersiverse.auth.events.errors import OutboxUnavailable
from immersiverse.auth.events.outbox.tables import HEADERS

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from immersiverse.auth.events.outbox.snapshots import Position

LEASE: Final = 5.0
"""Seconds after which another relay takes the shards of one that was not seen."""
RENEW: Final = 1.0
"""Seconds between two signs of life."""
_HEADER_NAMES: Final = tuple(HEADERS.values())


class Row(NamedTuple):
    """A row of the outbox.

    Attributes:
        sequence: its number: the order of a user's events.
        shard: the shard of its key.
        created: when its transaction began, in seconds since 1970.
        topic: where the message goes.
        key: the message's key.
        value: the message's value.
        headers: the message's headers.
    """

    sequence: int
    shard: int
    created: float
    topic: str
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


class LeaseLost(OutboxUnavailable):
    """This relay was silent for so long that another may have taken its shards: it must start again."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a poll found.

    Attributes:
        rows: the rows, in order.
        after: the position after them.
        more: whether there are more rows than were asked for: then `rows` is empty, and all rows found are
            between the snapshot and the target of `after`.
    """

    rows: list[Row]
    after: Position
    more: bool = False


class OutboxDatabase(Protocol):
    """One relay's view of the outbox."""

    held: dict[int, Position]
    """The shards that this relay holds, and how far they are relayed."""

    def renew(self) -> bool:
        """Give a sign of life, and take or release shards; True if others are held than before."""
        ...

    def require_lease(self) -> None:
        """Check that no other relay can have taken the shards. Raises LeaseLost."""
        ...

    def poll(self, position: Position, shards: Sequence[int], limit: int) -> Found:
        """The next rows after a position without a target."""
        ...

    def stream(self, position: Position, shards: Sequence[int], size: int) -> Generator[list[Row]]:
        """All rows between a position and its target, in lists of this size."""
        ...

    def save(self, shards: Sequence[int], position: Position) -> None:
        """Record how far shards are relayed, at once here and soon in the database. Raises LeaseLost."""
        ...

    def close(self) -> None:
        """Release the shards and close the connections."""
        ...


def row_of(values: Sequence[Any]) -> Row:
    """A row from the values of its columns, in their order: numbers, topic, key, value, headers."""
    sequence, shard, created, topic, key, value, *headers = values
    written = [(name, text) for name, text in zip(_HEADER_NAMES, headers, strict=True) if text is not None]
    return Row(sequence, shard, created, topic, key, value, written)


def row_of_texts(values: Sequence[Any]) -> Row:
    """`row_of`, for values whose key and headers are text."""
    sequence, shard, created, topic, key, value, *headers = values
    texts = (None if text is None else text.encode() for text in headers)
    return row_of((sequence, shard, created, topic, key.encode(), bytes(value), *texts))
