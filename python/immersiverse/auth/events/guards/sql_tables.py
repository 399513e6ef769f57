"""The two tables of a SQL guard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, Column, DateTime, LargeBinary, MetaData, String, Table, inspect, text

if TYPE_CHECKING:
    from sqlalchemy import Connection

_LOCK = 0x617574685F6576  # any number that others do not use


@dataclass(frozen=True, slots=True)
class GuardTables:
    """What a SQL guard remembers, and where.

    Attributes:
        handled: the id of every event that was handled, by consumer, and when.
        versions: the last version that was handled of each consumer, topic and key, the one before it, and
            the end of the day on which it was handled, in UTC (empty in rows of 0.1.0, which lacked it).
    """

    handled: Table
    versions: Table


def guard_tables(metadata: MetaData | None = None, *, schema: str | None = None) -> GuardTables:
    """The tables, for a migration tool to create: add them to its metadata.

    Args:
        metadata: where they are added; one of their own unless given.
        schema: the database schema that they live in; the connection's default unless given.
    """
    metadata = MetaData() if metadata is None else metadata
    handled = Table(
        "auth_events_handled",
        metadata,
        Column("consumer", String(255), primary_key=True),
        Column("event_id", String(64), primary_key=True),
        Column("handled_at", DateTime(timezone=True), nullable=False, index=True),
        schema=schema,
    )
    versions = Table(
        "auth_events_versions",
        metadata,
        Column("consumer", String(255), primary_key=True),
        Column("topic", String(249), primary_key=True),  # the longest name that Kafka allows
        Column("key", LargeBinary(255), primary_key=True),
        Column("version", BigInteger, nullable=False),
        Column("previous", BigInteger, nullable=False),
        Column("handled_at", DateTime(timezone=True), index=True),
        schema=schema,
    )
    return GuardTables(handled, versions)


def create(connection: Connection, tables: GuardTables) -> None:
    """Create the tables where they are missing, and the column and index that those of 0.1.0 lack."""
    if connection.dialect.name == "postgresql":  # two that create one table at once fail, whatever they check
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
    tables.handled.create(connection, checkfirst=True)
    tables.versions.create(connection, checkfirst=True)
    found = inspect(connection).get_columns(tables.versions.name, tables.versions.schema)
    column = tables.versions.c.handled_at
    if column.name not in {each["name"] for each in found}:
        name = connection.dialect.identifier_preparer.format_table(tables.versions)
        kind = column.type.compile(connection.dialect)
        connection.execute(text(f"ALTER TABLE {name} ADD COLUMN {column.name} {kind}"))
    for index in tables.versions.indexes:
        index.create(connection, checkfirst=True)
