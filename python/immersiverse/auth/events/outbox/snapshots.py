"""PostgreSQL's snapshots as text, and how far a shard is relayed in terms of them.

A snapshot ``xmin:xmax:running`` says which transactions had committed: those below xmax that were not
running. The rows to relay are the difference between two: of transactions that the last snapshot did not see
and the new one does. A row that commits late is in a later difference, and an open transaction elsewhere
delays nothing. (PostgreSQL documentation, 9.27.10, Transaction ID and Snapshot Information Functions.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple, Self

BEGINNING: Final = "1:1:"
"""The snapshot that has seen nothing."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Which transactions had committed.

    Attributes:
        xmax: the first transaction id that was not given out yet.
        running: the lower ones that were running, ascending.
    """

    xmax: int
    running: tuple[int, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """A snapshot from PostgreSQL's text.

        Raises:
            ValueError: if it is not one.
        """
        _, xmax, running = text.split(":")
        return cls(int(xmax), tuple(int(each) for each in running.split(",") if each))

    def sees(self, transaction_id: int) -> bool:
        """Whether a committed transaction is visible in it."""
        return transaction_id < self.xmax and transaction_id not in self.running


class Position(NamedTuple):
    """How far a shard is relayed.

    Attributes:
        snapshot: all rows that it sees were delivered.
        target: the snapshot up to which rows are being delivered; empty if none are.
        sequence: up to which of the rows between the two were delivered.
        restored: rows up to this one may have come from another cluster, with a dump: their transaction ids
            mean nothing here. They are delivered before anything else, and never again.
    """

    snapshot: str = BEGINNING
    target: str = ""
    sequence: int = 0
    restored: int = 0

    def at_target(self) -> Position:
        """The position when all rows up to the target are delivered."""
        return Position(self.target, restored=self.restored)
