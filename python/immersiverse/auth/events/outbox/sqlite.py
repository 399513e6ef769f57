"""A relay's view of an outbox in SQLite, for development, tests and the demonstration.

SQLite lets one transaction write at a time, so the order of rows is the order of commits. One relay holds all
shards; its lease is a row with the time of its last sign of life.
"""

from __future__ import annotations

import time
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from immersiverse.auth.events.outbox.database import LEASE, RENEW, Found, LeaseLost, row_of_texts
from immersiverse.auth.events.outbox.snapshots import Position
from immersiverse.auth.events.outbox.tables import MESSAGE, database_errors

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from immersiverse.auth.events.outbox.database import Row
    from immersiverse.auth.events.outbox.tables import OutboxTables

_NOW: Final = "julianday('now')"
_DAY: Final = 86_400  # seconds


class SqliteOutbox:
    """See `OutboxDatabase`. Its positions have a sequence only.

    Args:
        engine: the database.
        tables: the outbox's tables.
        relay: a name that no other relay has.

    Raises:
        OutboxUnavailable: if the database cannot be opened, or the tables are missing.
    """

    def __init__(self, engine: sa.Engine, tables: OutboxTables, relay: str) -> None:
        self.held: dict[int, Position] = {}
        self._relay = relay
        self._tables = tables
        self._renewed = 0.0
        columns = ("sequence", "shard", "(julianday(created_at) - 2440587.5) * 86400", *MESSAGE)
        self._select = (
            f"SELECT {', '.join(columns)} FROM {tables.outbox} WHERE sequence > :after ORDER BY sequence"
        )
        with database_errors("cannot open the outbox"), ExitStack() as opening:
            connection = opening.enter_context(engine.connect())
            self._connection = connection.execution_options(isolation_level="AUTOCOMMIT")
            self._execute(self._select + " LIMIT 0", {"after": 0})
            opening.pop_all()  # nothing failed: it stays open

    def renew(self) -> bool:
        """See `OutboxDatabase.renew`."""
        now, had = time.monotonic(), bool(self.held)
        if now - self._renewed < RENEW:
            return False
        with database_errors("cannot renew the relay's lease"):
            self._execute(f"DELETE FROM {self._tables.relays} WHERE seen_at < {self._ago}")
            taken = self._execute(
                f"INSERT INTO {self._tables.relays} (relay, seen_at) SELECT :relay, {_NOW} WHERE NOT EXISTS "
                f"(SELECT 1 FROM {self._tables.relays} WHERE relay <> :relay) "
                f"ON CONFLICT (relay) DO UPDATE SET seen_at = {_NOW}",
                {"relay": self._relay},
            ).rowcount
            if not taken:
                if had:
                    raise LeaseLost("another relay has taken this one's shards")
            elif not had:
                self._take()
        self._renewed = now
        return bool(self.held) != had

    def require_lease(self) -> None:
        """See `OutboxDatabase.require_lease`."""
        if time.monotonic() - self._renewed >= RENEW:
            self.renew()

    def poll(self, position: Position, shards: Sequence[int], limit: int) -> Found:  # noqa: ARG002 - it holds all
        """See `OutboxDatabase.poll`."""
        with database_errors("cannot read the outbox"):
            values = {"after": position.sequence, "limit": limit}
            rows = [row_of_texts(each) for each in self._execute(self._select + " LIMIT :limit", values)]
        return Found(rows, Position(sequence=rows[-1].sequence if rows else position.sequence))

    def stream(self, position: Position, shards: Sequence[int], size: int) -> Generator[list[Row]]:
        """See `OutboxDatabase.stream`: never asked for, since no poll has a target."""
        raise NotImplementedError

    def save(self, shards: Sequence[int], position: Position) -> None:
        """See `OutboxDatabase.save`."""
        self.held.update(dict.fromkeys(shards, position))
        with database_errors("cannot save the relay's position"):
            self._execute(
                f"UPDATE {self._tables.shards} SET sequence = :sequence, saved_at = {_NOW}, holder = :relay",
                {"sequence": position.sequence, "relay": self._relay},
            )

    def close(self) -> None:
        """See `OutboxDatabase.close`."""
        with suppress(sa.exc.SQLAlchemyError):
            self._execute(f"DELETE FROM {self._tables.relays} WHERE relay = :relay", {"relay": self._relay})
        self._connection.close()

    def _take(self) -> None:
        rows = self._execute(f"SELECT shard, sequence FROM {self._tables.shards}").all()
        self.held = {row.shard: Position(sequence=row.sequence) for row in rows}

    def _execute(self, statement: str, values: dict[str, Any] | None = None) -> sa.CursorResult[Any]:
        return self._connection.execute(sa.text(statement), values or {})

    @property
    def _ago(self) -> str:
        return f"julianday('now') - {LEASE / _DAY}"
