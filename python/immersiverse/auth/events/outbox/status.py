"""What an operator looks at: backlog, shards and their holders, open transactions, sizes, what is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from immersiverse.auth.events.outbox.partitions import Partition, partitions
from immersiverse.auth.events.outbox.shard_states import ShardState, prefer_index, shard_states, undelivered
from immersiverse.auth.events.outbox.tables import database_errors

if TYPE_CHECKING:
    from immersiverse.auth.events.outbox.tables import OutboxTables

LONG_TRANSACTION: Final = 300.0
"""Seconds after which an open transaction with events is a finding."""
_OLD_TRANSACTION: Final = 5.0  # seconds; younger ones are not shown
_NOW_SQLITE: Final = "julianday('now')"
_DAY: Final = 86_400  # seconds


@dataclass(frozen=True, slots=True)
class Backlog:
    """Rows that are not delivered yet, set aside ones not counted.

    Attributes:
        rows: how many.
        oldest_seconds: since the transaction of the oldest one began; 0 if there is none.
        set_aside: how many rows are set aside.
        waiting: how many of these only wait behind another one.
    """

    rows: int
    oldest_seconds: float
    set_aside: int
    waiting: int


@dataclass(frozen=True, slots=True)
class ShardStatus:
    """One shard.

    Attributes:
        state: what is saved of it.
        rows: how many of its rows are not delivered.
        oldest_seconds: since the transaction of the oldest one began; 0 if there is none.
    """

    state: ShardState
    rows: int
    oldest_seconds: float


@dataclass(frozen=True, slots=True)
class OpenTransaction:
    """A transaction that has added events and is still open: they wait for it, and hold up no others.

    Attributes:
        pid: of its connection; None for a prepared transaction.
        seconds: since it began; None if this role may not see it.
        application: its application's name, or the prepared transaction's.
        state: of its connection, such as ``idle in transaction``.
    """

    pid: int | None
    seconds: float | None
    application: str
    state: str


@dataclass(frozen=True, slots=True)
class OutboxStatus:
    """An outbox at one time.

    Attributes:
        measured_at: that time.
        added: how many rows were ever numbered, rolled back ones included: for rates.
        shards: the shards, by number.
        backlog: all of them together.
        open_transactions: those with events that have been open for seconds, oldest first.
        partitions: the outbox's; none in SQLite.
        findings: what is wrong, a sentence each, with what to do.
    """

    measured_at: datetime
    added: int
    shards: list[ShardStatus]
    backlog: Backlog
    open_transactions: list[OpenTransaction]
    partitions: list[Partition]
    findings: list[str]

    def rates(self, earlier: OutboxStatus) -> tuple[float, float]:
        """Rows added, and delivered, a second since an earlier status; both count rolled back rows, too."""
        seconds = (self.measured_at - earlier.measured_at).total_seconds()
        added = self.added - earlier.added
        delivered = added - (self.backlog.rows - earlier.backlog.rows)
        return max(0.0, added / seconds), max(0.0, delivered / seconds)


def backlog(engine: sa.Engine, tables: OutboxTables) -> Backlog:
    """How many rows are undelivered, and how old the oldest is.

    Raises:
        OutboxUnavailable: if the database does not answer or refuses.
    """
    with database_errors("cannot measure the outbox's backlog"), engine.begin() as connection:
        return _sum(connection, tables, _shards(connection, tables))


def status(engine: sa.Engine, tables: OutboxTables) -> OutboxStatus:
    """All there is to see.

    Raises:
        OutboxUnavailable: if the database does not answer or refuses.
    """
    with database_errors("cannot read the outbox's status"), engine.begin() as connection:
        is_postgres = connection.dialect.name == "postgresql"
        shards = _shards(connection, tables)
        opened = _open_transactions(connection, tables) if is_postgres else []
        parts = partitions(connection, tables) if is_postgres else []
        findings = _findings_of_postgres(connection, tables, parts) if is_postgres else []
        return OutboxStatus(
            datetime.now(UTC),
            _added(connection, tables),
            shards,
            _sum(connection, tables, shards),
            opened,
            parts,
            [*_findings(shards, opened), *findings],
        )


def _shards(connection: sa.Connection, tables: OutboxTables) -> list[ShardStatus]:
    dialect = connection.dialect.name
    age = f"({_NOW_SQLITE} - julianday(min(created_at))) * {_DAY}"
    if dialect == "postgresql":
        prefer_index(connection)
        age = "extract(epoch FROM clock_timestamp() - min(created_at))::float8"
    states = shard_states(connection, tables)
    query = undelivered(dialect, tables.outbox, states, "shard, created_at")
    counted = connection.exec_driver_sql(f"SELECT shard, count(*), {age} FROM ({query}) AS u GROUP BY shard")
    found = {shard: (rows, max(0.0, seconds)) for shard, rows, seconds in counted}
    return [ShardStatus(state, *found.get(state.shard, (0, 0.0))) for state in states]


def _sum(connection: sa.Connection, tables: OutboxTables, shards: list[ShardStatus]) -> Backlog:
    set_aside, waiting = connection.exec_driver_sql(
        f"SELECT count(*), count(CASE WHEN is_waiting THEN 1 END) FROM {tables.set_aside}"
    ).one()
    oldest = max((shard.oldest_seconds for shard in shards), default=0.0)
    return Backlog(sum(shard.rows for shard in shards), oldest, set_aside, waiting)


def _added(connection: sa.Connection, tables: OutboxTables) -> int:
    if connection.dialect.name == "postgresql":
        query = f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {tables.sequence}"
    else:
        query = f"SELECT coalesce(max(sequence), 0) FROM {tables.outbox}"
    return int(connection.exec_driver_sql(query).scalar_one())


def _open_transactions(connection: sa.Connection, tables: OutboxTables) -> list[OpenTransaction]:
    values = {"outbox": tables.outbox, "seconds": _OLD_TRANSACTION}
    rows = connection.execute(_OPEN_TRANSACTIONS, values)
    return [OpenTransaction(*row) for row in rows]


def _findings(shards: list[ShardStatus], opened: list[OpenTransaction]) -> list[str]:
    found: list[str] = []
    free = [shard.state.shard for shard in shards if not shard.state.is_alive]
    if free:
        found.append(f"no relay holds shard {_list(free)}: start one with: auth-events outbox relay")
    if not all(shard.state.is_current for shard in shards):
        found.append(
            "the database was restored or failed over: the next relay sends the last minutes again, and "
            "inboxes drop what they have"
        )
    for each in opened:
        if each.seconds is not None and each.seconds >= LONG_TRANSACTION:
            where = f"pid {each.pid}" if each.pid else "prepared"
            found.append(
                f"a transaction with events has been open for {each.seconds:,.0f} s "
                f"({each.application or 'no name'}, {where}): they are not published before it commits"
            )
    return found


def _findings_of_postgres(
    connection: sa.Connection, tables: OutboxTables, parts: list[Partition]
) -> list[str]:
    found: list[str] = []
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    if not any(part.covers(tomorrow) for part in parts):
        found.append("there is no partition for tomorrow: run auth-events outbox maintain every day")
    found += [
        f"{part.table} has rows, which are dropped only when all are old: run auth-events outbox maintain "
        "every day"
        for part in parts
        if part.is_default and _has_rows(connection, part.table)
    ]
    missing = connection.execute(_WITHOUT_INDEX, {"outbox": tables.outbox}).scalars().all()
    found += [
        f"{table} has no valid index on transaction_id, so that relays read all of it: run auth-events "
        "outbox ddl --apply"
        for table in missing
    ]
    tables_kept = {"shards": tables.shards, "versions": tables.versions, "relays": tables.relays}
    for name in tables_kept.values():
        is_off = connection.execute(_AUTOVACUUM_OFF, {"name": name}).scalar_one()
        if is_off:
            found.append(f"autovacuum is off for {name}, which is updated all the time: turn it on")
    return found


def _has_rows(connection: sa.Connection, table: str) -> bool:
    """By its size: a relay's role has rights on the outbox, and none on its partitions."""
    query = sa.text("SELECT pg_relation_size(CAST(:table AS regclass)) > 0")
    return bool(connection.execute(query, {"table": table}).scalar_one())


# Who inserts into a table holds this lock until the end; a prepared transaction holds it without a pid.
_OPEN_TRANSACTIONS: Final = sa.text("""
    SELECT * FROM (
        SELECT a.pid, extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS age,
            coalesce(a.application_name, ''), coalesce(a.state, '')
        FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
        WHERE l.relation = CAST(:outbox AS regclass) AND l.mode = 'RowExclusiveLock' AND l.granted
        UNION ALL
        SELECT NULL, extract(epoch FROM clock_timestamp() - p.prepared)::float8, p.gid, 'prepared'
        FROM pg_locks l JOIN pg_prepared_xacts p ON l.virtualtransaction = '-1/' || p.transaction
        WHERE l.relation = CAST(:outbox AS regclass) AND l.mode = 'RowExclusiveLock'
    ) AS found
    WHERE age IS NULL OR age >= :seconds ORDER BY age DESC NULLS LAST""")
_WITHOUT_INDEX: Final = sa.text("""
    SELECT c.oid::regclass::text FROM pg_class c
    WHERE c.oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = CAST(:outbox AS regclass))
    AND NOT EXISTS (SELECT 1 FROM pg_index i JOIN pg_attribute a
        ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] AND a.attname = 'transaction_id'
        WHERE i.indrelid = c.oid AND i.indisvalid)
    ORDER BY 1""")
_AUTOVACUUM_OFF: Final = sa.text("""
    SELECT current_setting('autovacuum') = 'off'
        OR EXISTS (SELECT 1 FROM unnest(reloptions) AS option
            WHERE option IN ('autovacuum_enabled=false', 'autovacuum_enabled=off'))
    FROM pg_class WHERE oid = CAST(:name AS regclass)""")


def _list(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers))
