"""The SQL guard for ``async`` handlers."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from immersiverse.auth.events.errors import MissingExtra
from immersiverse.auth.events.guards.guard import MAX_VERSION_JUMP, Admission, Forgotten, Verdict

try:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, async_sessionmaker

    from immersiverse.auth.events.guards.sql_ledger import Ledger
    from immersiverse.auth.events.guards.sql_pruning import PRUNE_EVERY, REMEMBER, Pruning, in_all
    from immersiverse.auth.events.guards.sql_tables import GuardTables, create, guard_tables
    from immersiverse.auth.events.guards.sql_transaction import (
        HandlerTransaction,
        asking,
        connection_of,
        watch,
    )
except ImportError as error:
    raise MissingExtra("outbox", "AsyncSqlGuard") from error

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from datetime import timedelta

    from sqlalchemy import Connection, Engine
    from sqlalchemy.orm import Session

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
        max_version_jump: how far a version may be beyond the last one; see `SqlGuard`.
        remember: how long ids and versions are remembered; see `SqlGuard`.
        prune_every: how often a subscriber deletes what is older than that; see `SqlGuard`.

    Raises:
        ConfigurationError: if the database is of another kind, or a time or the limit is not positive.
        MissingExtra: on import, if SQLAlchemy is not installed.
    """

    def __init__(  # noqa: PLR0913 - what it is made of, by keyword
        self,
        database: AsyncEngine | async_sessionmaker[AsyncSession],
        consumer: str,
        *,
        tables: GuardTables | None = None,
        max_version_jump: int | None = MAX_VERSION_JUMP,
        remember: timedelta = REMEMBER,
        prune_every: timedelta | None = PRUNE_EVERY,
    ) -> None:
        engine = _sync_engine(database)
        self._database = database
        self._tables = tables or guard_tables()
        self._ledger = Ledger(consumer, engine.dialect.name, self._tables, max_version_jump)
        self._pruning = Pruning(engine, remember, prune_every)
        watch(engine)

    @property
    def prune_every(self) -> timedelta | None:
        """How often a subscriber calls ``prune``; None for never."""
        return self._pruning.every

    @asynccontextmanager
    async def admit_async(self, event: AuthEvent, topic: str, key: bytes | None) -> AsyncIterator[Admission]:
        """See `Guard.admit`.

        Raises:
            GuardUnavailable: if the database does not answer, or the tables are missing.
        """
        opened = self._database.connect() if isinstance(self._database, AsyncEngine) else self._database()
        async with _asked(opened) as transaction:
            with asking():
                admission = await transaction.run_sync(self._note, event, topic, key)
                if admission.verdict is not Verdict.FRESH:
                    await transaction.rollback()
            if admission.verdict is not Verdict.FRESH:
                yield admission
                return
            handlers = await transaction.run_sync(HandlerTransaction)
            with handlers.handling():
                yield admission._replace(transaction=transaction)
                await transaction.run_sync(lambda _: handlers.check())
            with handlers.committing():
                await transaction.commit()

    async def create_tables(self) -> None:
        """See `SqlGuard.create_tables`.

        Raises:
            GuardUnavailable: if the database does not do it.
        """
        with asking():
            async with AsyncEngine(_sync_engine(self._database)).begin() as connection:
                await connection.run_sync(create, self._tables)

    async def prune(self, older_than: timedelta | None = None) -> Forgotten:
        """See `SqlGuard.prune`.

        Raises:
            GuardUnavailable: if the database does not do it.
        """
        age = older_than or self._pruning.remember
        return await self._repeat(lambda connection: self._ledger.prune(connection, age))

    async def forget(self, key: bytes) -> Forgotten:
        """See `SqlGuard.forget`.

        Raises:
            GuardUnavailable: if the database does not do it.
        """
        with asking():
            async with AsyncEngine(_sync_engine(self._database)).begin() as connection:
                return await connection.run_sync(self._ledger.forget, key)

    async def forget_all(self) -> Forgotten:
        """See `SqlGuard.forget_all`.

        Raises:
            GuardUnavailable: if the database does not do it.
        """
        return await self._repeat(self._ledger.forget_some)

    async def _repeat(self, step: Callable[[Connection], tuple[Forgotten, bool]]) -> Forgotten:
        """Do something batch by batch, each in a transaction of its own."""
        forgotten, more = [Forgotten()], True
        while more:
            with asking():
                async with AsyncEngine(_sync_engine(self._database)).begin() as connection:
                    done, more = await connection.run_sync(step)
            forgotten.append(done)
        return in_all(forgotten)

    def _note(
        self, transaction: Connection | Session, event: AuthEvent, topic: str, key: bytes | None
    ) -> Admission:
        return self._ledger.note(connection_of(transaction), event, topic, key)


@asynccontextmanager
async def _asked(opened: AsyncConnection | AsyncSession) -> AsyncIterator[AsyncConnection | AsyncSession]:
    """A transaction that is rolled back unless it is committed."""
    with asking():
        transaction = await opened.__aenter__()
    try:
        yield transaction
    finally:
        await transaction.close()


def _sync_engine(database: AsyncEngine | async_sessionmaker[AsyncSession]) -> Engine:
    if isinstance(database, AsyncEngine):
        return database.sync_engine
    return database().get_bind().engine
