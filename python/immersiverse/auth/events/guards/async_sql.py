"""The SQL guard for ``async`` handlers."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from immersiverse.auth.events.errors import MissingExtra
from immersiverse.auth.events.guards.guard import Admission, Verdict

try:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, async_sessionmaker

    from immersiverse.auth.events.guards.sql_failures import asking, committing
    from immersiverse.auth.events.guards.sql_ledger import Ledger
    from immersiverse.auth.events.guards.sql_tables import GuardTables, guard_tables
except ImportError as error:
    raise MissingExtra("outbox", "AsyncSqlGuard") from error

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import timedelta

    from sqlalchemy import Engine

    from immersiverse.auth.events.v1.events_pb2 import AuthEvent


class AsyncSqlGuard:
    """`SqlGuard` for ``async`` handlers, on SQLAlchemy's asyncio; in the same tables.

    ``Context.transaction`` is an ``AsyncConnection``, or an ``AsyncSession`` if the guard was made from an
    ``async_sessionmaker``. SQLite lets one transaction write at a time: there, leave the policy's concurrency
    at 1.

    Args:
        database: where both the guard's tables and the handler's are.
        consumer: whose memory it is, such as the group's id: consumers may share the tables.
        tables: the tables, if a migration tool made them; else see ``create_tables``.

    Raises:
        ConfigurationError: if the database is of another kind.
        MissingExtra: on import, if SQLAlchemy is not installed.
    """

    def __init__(
        self,
        database: AsyncEngine | async_sessionmaker[AsyncSession],
        consumer: str,
        *,
        tables: GuardTables | None = None,
    ) -> None:
        self._database = database
        self._tables = tables or guard_tables()
        self._ledger = Ledger(consumer, _sync_engine(database).dialect.name, self._tables)

    @asynccontextmanager
    async def admit_async(self, event: AuthEvent, topic: str, key: bytes | None) -> AsyncIterator[Admission]:
        """See `Guard.admit`.

        Raises:
            GuardUnavailable: if the database does not answer, or the tables are missing.
        """
        opened = self._database.connect() if isinstance(self._database, AsyncEngine) else self._database()
        async with _asked(opened) as transaction:
            with asking():
                connection = await _connection(transaction)
                verdict, last = await connection.run_sync(self._ledger.note, event, topic, key)
                if verdict is not Verdict.FRESH:
                    await transaction.rollback()
            yield Admission(verdict, last, transaction)
            if verdict is Verdict.FRESH:
                with committing():
                    await transaction.commit()

    async def create_tables(self) -> None:
        """Create the guard's tables where they are missing.

        Raises:
            GuardUnavailable: if the database does not do it.
        """
        with asking():
            async with AsyncEngine(_sync_engine(self._database)).begin() as connection:
                await connection.run_sync(self._tables.handled.create, checkfirst=True)
                await connection.run_sync(self._tables.versions.create, checkfirst=True)

    async def prune(self, older_than: timedelta) -> None:
        """Forget ids that were handled long ago. No repeat can come after as long as the topics keep events.

        Raises:
            GuardUnavailable: if the database does not do it.
        """
        more = True
        while more:
            with asking():
                async with AsyncEngine(_sync_engine(self._database)).begin() as connection:
                    more = await connection.run_sync(self._ledger.prune, older_than)


@asynccontextmanager
async def _asked(opened: AsyncConnection | AsyncSession) -> AsyncIterator[AsyncConnection | AsyncSession]:
    """A transaction that is rolled back unless it is committed."""
    with asking():
        transaction = await opened.__aenter__()
    try:
        yield transaction
    finally:
        await transaction.close()


async def _connection(transaction: AsyncConnection | AsyncSession) -> AsyncConnection:
    return transaction if isinstance(transaction, AsyncConnection) else await transaction.connection()


def _sync_engine(database: AsyncEngine | async_sessionmaker[AsyncSession]) -> Engine:
    if isinstance(database, AsyncEngine):
        return database.sync_engine
    return database().get_bind().engine
