"""The partitions of the outbox in PostgreSQL: one for each day in UTC, and DEFAULT for all other rows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

if TYPE_CHECKING:
    from immersiverse.auth.events.outbox.tables import OutboxTables

_BOUNDS: Final = re.compile(r"FOR VALUES FROM \((?:'(.+)'|MINVALUE)\) TO \((?:'(.+)'|MAXVALUE)\)")
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Partition:
    """One of them.

    Attributes:
        table: its name in SQL.
        begin: the first time in it; None if it has no such bound.
        until: the first time after it; None if it has no such bound.
        is_default: whether it takes the rows of no other one.
        is_detached: whether it was detached to be dropped.
        bytes: its size with its index.
        rows: how many rows it has, as PostgreSQL last estimated it; negative if it never did.
    """

    table: str
    begin: datetime | None
    until: datetime | None
    is_default: bool
    is_detached: bool
    bytes: int
    rows: int

    def covers(self, time: datetime) -> bool:
        """Whether rows of this time belong to it rather than to the DEFAULT one."""
        if self.is_default or self.is_detached:
            return False
        return (self.begin is None or self.begin <= time) and (self.until is None or time < self.until)


def partitions(connection: sa.Connection, tables: OutboxTables) -> list[Partition]:
    """All of them, oldest first. Sets the transaction's time zone."""
    connection.exec_driver_sql("SET LOCAL TimeZone = 'UTC'")
    rows = connection.execute(
        sa.text(
            "SELECT c.oid::regclass::text, coalesce(pg_get_expr(c.relpartbound, c.oid), ''), "
            "NOT c.relispartition, pg_total_relation_size(c.oid), c.reltuples::bigint "
            "FROM pg_class o JOIN pg_class c ON c.relnamespace = o.relnamespace "
            "WHERE o.oid = CAST(:outbox AS regclass) AND c.relkind = 'r' AND (c.oid IN "
            "(SELECT inhrelid FROM pg_inherits WHERE inhparent = o.oid) "
            "OR (NOT c.relispartition AND c.relname ~ ('^' || o.relname || '_p[0-9]{8}$'))) "
            "ORDER BY c.relname"
        ),
        {"outbox": tables.outbox},
    )
    return [_partition(*row) for row in rows]


def name_of(tables: OutboxTables, day: datetime) -> str:
    """The name of a day's partition."""
    return f"{tables.outbox}_p{day:%Y%m%d}"


def attach(connection: sa.Connection, tables: OutboxTables, day: datetime) -> bool:
    """Create and attach a day's partition; False if the DEFAULT one has rows of that day.

    Writers and relays go on meanwhile: unlike CREATE TABLE ... PARTITION OF, ATTACH locks only the DEFAULT
    partition against them, which is empty as long as there are partitions.
    """
    begin, until = day.isoformat(), (day + _DAY).isoformat()
    rows = (
        f"SELECT EXISTS (SELECT 1 FROM {tables.outbox}_default "
        f"WHERE created_at >= timestamptz '{begin}' AND created_at < timestamptz '{until}')"
    )
    if connection.exec_driver_sql(rows).scalar_one():
        return False
    name = name_of(tables, day)
    connection.exec_driver_sql(
        f"CREATE TABLE {name} (LIKE {tables.outbox} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)"
    )
    connection.exec_driver_sql(
        f"ALTER TABLE {tables.outbox} ATTACH PARTITION {name} FOR VALUES FROM ('{begin}') TO ('{until}')"
    )
    return True


def _partition(table: str, bound: str, is_detached: bool, size: int, rows: int) -> Partition:
    found = _BOUNDS.fullmatch(bound)
    begin, until = (
        (text and datetime.fromisoformat(text) for text in found.groups()) if found else (None, None)
    )
    return Partition(table, begin or None, until or None, bound == "DEFAULT", is_detached, size, rows)
