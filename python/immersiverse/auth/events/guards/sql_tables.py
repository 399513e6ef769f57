"""The two tables of a SQL guard."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BigInteger, Column, DateTime, LargeBinary, MetaData, String, Table


@dataclass(frozen=True, slots=True)
class GuardTables:
    """What a SQL guard remembers, and where.

    Attributes:
        handled: the id of every event that was handled, by consumer, and when.
        versions: the last version that was handled of each consumer, topic and key, and the one before it.
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
        schema=schema,
    )
    return GuardTables(handled, versions)
