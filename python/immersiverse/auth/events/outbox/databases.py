"""Opens an outbox by its kind of database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from immersiverse.auth.events.errors import ConfigurationError, MissingExtra

if TYPE_CHECKING:
    from immersiverse.auth.events.outbox.database import OutboxDatabase
    from immersiverse.auth.events.outbox.tables import OutboxTables


_DRIVERS: Final = {"postgres": "postgresql+psycopg", "postgresql": "postgresql+psycopg", "sqlite": "sqlite"}


def engine_of(database: sa.Engine | str) -> sa.Engine:
    """An engine for the outbox of a database, whatever driver its URL names: relays bring their own.

    Raises:
        ConfigurationError: if it is not a URL, or of another database system. The error does not show it.
        MissingExtra: if the driver is not installed.
    """
    if isinstance(database, sa.Engine):
        return database
    if not isinstance(database, str):
        raise ConfigurationError("database", f"is an engine or its URL, not {type(database).__name__}")
    try:
        parsed = sa.make_url(database)
        name = parsed.get_backend_name() if "+" in parsed.drivername else parsed.drivername
        driver = _DRIVERS.get(name)
        if driver is None:
            raise ConfigurationError("database", f"{name} is not supported: use PostgreSQL or SQLite")
        return sa.create_engine(parsed.set(drivername=driver), pool_pre_ping=True)
    except ImportError as error:
        raise MissingExtra("sql", "an outbox in PostgreSQL") from error
    except (sa.exc.ArgumentError, ValueError) as error:
        example = "postgresql://NAME:PASSWORD@HOST/DATABASE"
        raise ConfigurationError("database", f"is not a database URL: write one such as {example}") from error


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
