"""The options for an outbox's database."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from typer import Option

from immersiverse.auth.events.cli.output import WRONG_USE, CommandFailed

if TYPE_CHECKING:
    from collections.abc import Iterator

    import sqlalchemy as sa

    from immersiverse.auth.events.outbox.tables import OutboxTables

DATABASE_VARIABLE = "AUTH_EVENTS_DATABASE"


class OutboxDatabaseAndTables(NamedTuple):
    """Where an outbox is."""

    engine: sa.Engine
    tables: OutboxTables


@dataclass(frozen=True, slots=True)
class OutboxOptions:
    """Which outbox, in which database."""

    database: str | None = Option(
        None,
        "--database",
        metavar="URL",
        envvar=DATABASE_VARIABLE,
        help="The outbox's database, such as postgresql://NAME:PASSWORD@HOST/DATABASE.",
    )
    schema: str | None = Option(
        None, "--schema", metavar="NAME", help="The database schema of the outbox's tables."
    )

    def tables(self) -> OutboxTables:
        """The names of its tables."""
        from immersiverse.auth.events.outbox.tables import OutboxTables

        return OutboxTables(self.schema)

    @contextmanager
    def opened(self) -> Iterator[OutboxDatabaseAndTables]:
        """Its database, which nothing has connected to yet.

        Raises:
            CommandFailed: the URL is missing.
            ConfigurationError: it is not one. The error does not show it: it may hold a password.
        """
        if self.database is None:
            hint = f"pass --database URL, or set {DATABASE_VARIABLE}"
            raise CommandFailed(f"no database given: {hint}", WRONG_USE)
        tables = self.tables()
        from immersiverse.auth.events.outbox.databases import engine_of

        engine = engine_of(self.database)
        try:
            yield OutboxDatabaseAndTables(engine, tables)
        finally:
            engine.dispose()
