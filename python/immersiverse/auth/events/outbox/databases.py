"""Opens an outbox by its kind of database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from immersiverse.auth.events.errors import ConfigurationError, MissingExtra

if TYPE_CHECKING:
    import sqlalchemy as sa

    from immersiverse.auth.events.outbox.database import OutboxDatabase
    from immersiverse.auth.events.outbox.tables import OutboxTables


def open_outbox(engine: sa.Engine, tables: OutboxTables, relay: str) -> OutboxDatabase:
    """The outbox of a database, for a relay of this name.

    Raises:
        ConfigurationError: if the database system is not supported.
        MissingExtra: if PostgreSQL's driver is not installed.
        OutboxUnavailable: if the database does not answer, or its tables are missing.
    """
    name = engine.dialect.name
    if name == "postgresql":
        try:
            from immersiverse.auth.events.outbox.postgres import PostgresOutbox  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise MissingExtra("sql", "a relay from PostgreSQL") from error
        return PostgresOutbox(engine.url, tables, relay)
    if name == "sqlite":
        from immersiverse.auth.events.outbox.sqlite import SqliteOutbox  # noqa: PLC0415 - seldom used

        return SqliteOutbox(engine, tables, relay)
    raise ConfigurationError("outbox", f"{name} is not supported: use PostgreSQL or SQLite")
