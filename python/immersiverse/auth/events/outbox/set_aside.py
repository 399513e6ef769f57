"""Rows that Kafka refuses for good, and the rows of the same users that wait behind them.

They are copies: the outbox's own rows go with their partition. A row that was refused stays until an operator
retries or drops it; a row that waits is sent as soon as none of its user's is refused any more.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from immersiverse.auth.events.errors import OperationRefused
from immersiverse.auth.events.outbox.database import row_of_texts
from immersiverse.auth.events.outbox.tables import HEADERS, MESSAGE, database_errors

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from immersiverse.auth.events.outbox.database import Row
    from immersiverse.auth.events.outbox.tables import OutboxTables

_COLUMN_OF: Final = {header: column for column, header in HEADERS.items()}
_MAX_REASON: Final = 1_000  # characters


@dataclass(frozen=True, slots=True)
class SetAsideRow:
    """A row that was set aside, for operators.

    Attributes:
        sequence: its number in the outbox.
        event_id: the event's id.
        event_type: the event's full type name.
        topic: where it goes.
        key: its partition key: the user.
        bytes: the size of its payload.
        set_aside_at: when, as the database has it.
        reason: why.
        is_waiting: whether it only waits behind another row of its user.
        retry: whether it will be tried again.
    """

    sequence: int
    event_id: str
    event_type: str
    topic: str
    key: str
    bytes: int
    set_aside_at: datetime | str
    reason: str
    is_waiting: bool
    retry: bool


class SetAside:
    """The rows of one outbox that were set aside.

    Args:
        engine: the database.
        tables: the outbox's tables.
    """

    def __init__(self, engine: sa.Engine, tables: OutboxTables) -> None:
        self._engine = engine
        self._table = tables.set_aside

    def add(self, refused: Iterable[tuple[Row, str]], *, is_waiting: bool) -> None:
        """Set rows aside, each with its reason; those that are there already get the new one.

        Raises:
            OutboxUnavailable: if the database does not answer or refuses.
        """
        rows = [_values(row, reason, is_waiting=is_waiting) for row, reason in refused]
        if not rows:
            return
        columns = ("sequence", "shard", "reason", "is_waiting", *MESSAGE)
        names, values = ", ".join(columns), ", ".join(f":{column}" for column in columns)
        insert = (
            f"INSERT INTO {self._table} ({names}) VALUES ({values}) ON CONFLICT (sequence) "
            "DO UPDATE SET reason = excluded.reason, is_waiting = excluded.is_waiting, retry = FALSE"
        )
        with self._transaction() as connection:
            connection.execute(sa.text(insert), rows)

    def held_keys(self, shards: Sequence[int]) -> set[bytes]:
        """The keys of all rows set aside in these shards."""
        query = sa.text(f"SELECT DISTINCT aggregateid FROM {self._table} WHERE shard IN :shards")
        with self._transaction() as connection:
            found = connection.execute(query.bindparams(_expanding("shards", shards)))
            return {key.encode() for (key,) in found}

    def due(self, shards: Sequence[int], limit: int) -> list[Row]:
        """Rows to send now: those to be retried, and those that wait for nothing any more."""
        columns = ", ".join(("sequence", "shard", "0", *MESSAGE))
        query = sa.text(
            f"SELECT {columns} FROM {self._table} s WHERE shard IN :shards AND NOT EXISTS (SELECT 1 "
            f"FROM {self._table} p WHERE p.aggregateid = s.aggregateid AND NOT p.is_waiting AND NOT p.retry) "
            "ORDER BY sequence LIMIT :limit"
        )
        with self._transaction() as connection:
            found = connection.execute(query.bindparams(_expanding("shards", shards)), {"limit": limit})
            return [row_of_texts(each) for each in found]

    def sent(self, sequences: Sequence[int]) -> None:
        """Forget rows that are in Kafka now."""
        self._delete(sequences)

    def rows(self, limit: int = 1_000) -> list[SetAsideRow]:
        """The rows set aside, refused ones first, oldest first."""
        query = sa.text(
            "SELECT sequence, id, type, aggregatetype, aggregateid, length(payload), set_aside_at, reason, "
            f"is_waiting, retry FROM {self._table} ORDER BY is_waiting, sequence LIMIT :limit"
        )
        with self._transaction() as connection:
            return [_for_operators(each) for each in connection.execute(query, {"limit": limit})]

    def retry(self, sequences: Sequence[int] | None = None) -> int:
        """Have refused rows tried again, and the rows behind them; how many refused ones there are.

        Args:
            sequences: which; all unless given.
        """
        condition = "" if sequences is None else " AND sequence IN :sequences"
        query = sa.text(f"UPDATE {self._table} SET retry = TRUE WHERE NOT is_waiting{condition}")
        if sequences is not None:
            query = query.bindparams(_expanding("sequences", sequences))
        with self._transaction() as connection:
            return connection.execute(query).rowcount

    def drop(self, sequences: Sequence[int]) -> int:
        """Delete refused rows forever: their events are never published. The rows behind them are sent.

        Raises:
            OperationRefused: if one of them only waits: dropping it would tear a hole into its user's events.
        """
        query = sa.text(f"SELECT sequence FROM {self._table} WHERE is_waiting AND sequence IN :sequences")
        with self._transaction() as connection:
            waiting = connection.execute(query.bindparams(_expanding("sequences", sequences))).scalars().all()
        if waiting:
            numbers = ", ".join(map(str, waiting))
            raise OperationRefused("WAITING", f"row {numbers} only waits behind a refused one: drop that one")
        return self._delete(sequences)

    def _delete(self, sequences: Sequence[int]) -> int:
        query = sa.text(f"DELETE FROM {self._table} WHERE sequence IN :sequences")
        with self._transaction() as connection:
            return connection.execute(query.bindparams(_expanding("sequences", sequences))).rowcount

    @contextmanager
    def _transaction(self) -> Iterator[sa.Connection]:
        with database_errors("cannot use the rows set aside"), self._engine.begin() as connection:
            yield connection


def _expanding(name: str, values: Sequence[int]) -> sa.BindParameter[Any]:
    return sa.bindparam(name, list(values), expanding=True)


def _values(row: Row, reason: str, *, is_waiting: bool) -> dict[str, Any]:
    values: dict[str, Any] = dict.fromkeys(MESSAGE)
    values |= {"sequence": row.sequence, "shard": row.shard, "reason": reason[:_MAX_REASON]}
    values |= {"is_waiting": is_waiting, "aggregatetype": row.topic, "aggregateid": row.key.decode()}
    values["payload"] = row.value
    return values | {_COLUMN_OF[name]: value.decode() for name, value in row.headers}


def _for_operators(row: sa.Row[Any]) -> SetAsideRow:
    sequence, event_id, event_type, topic, key, size, set_aside_at, reason, is_waiting, retry = tuple(row)
    return SetAsideRow(
        sequence, event_id, event_type, topic, key, size, set_aside_at, reason, bool(is_waiting), bool(retry)
    )
