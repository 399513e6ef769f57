"""The SQL inbox: it shares the handler's database transaction, so that effects happen exactly once."""

from __future__ import annotations

from contextlib import aclosing, asynccontextmanager, contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, cast

from immersiverse.auth.events.errors import ConfigurationError, MissingExtra
from immersiverse.auth.events.inbox.interface import (
    MAX_VERSION_JUMP,
    REMEMBER,
    Admission,
    Forgotten,
    Verdict,
    require_settings,
)

try:
    from sqlalchemy import Connection, Engine
    from sqlalchemy.ext.asyncio import AsyncEngine
    from sqlalchemy.pool import SingletonThreadPool, StaticPool
    from sqlalchemy.util import greenlet_spawn

    from immersiverse.auth.events.inbox import sql_transaction
    from immersiverse.auth.events.inbox.sql_store import InboxTables, SqlStore, create, inbox_tables
    from immersiverse.auth.events.inbox.sql_transaction import HandlerTransaction, sql_errors
except ImportError as error:
    raise MissingExtra("sql", "SqlInbox") from error

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
    from sqlalchemy.orm import Session, sessionmaker

    from immersiverse.auth.events.v1.events_pb2 import AuthEvent

_HOURLY: Final = timedelta(hours=1)

__all__ = ["AsyncSqlInbox", "SqlInbox", "inbox_tables"]


class SqlInbox:
    """Records handled events in the transaction that a plain handler writes in; PostgreSQL or SQLite.

    ``Context.transaction`` is a ``Connection``, or a ``Session`` if the inbox has a ``sessionmaker``. What a
    handler writes with it is committed together with the record when the handler returns, and rolled back
    together with it when the handler raises: handlers neither commit nor roll back. If two consumers get the
    same event at once, the second waits in the database and then finds a duplicate.

    Args:
        database: holds the inbox's tables and the handler's.
        consumer: name of the consumer, such as its group's id: consumers may share the tables.
        tables: the tables, if a migration tool creates them; else see ``create_tables``.
        max_version_jump: longest step between two versions of a user. An event beyond it is handled and
            reported, but its version is not recorded. None for no limit.
        remember: how long ids and versions are remembered: longer than topics keep events, and than dead
            letters wait for their redrive.
        prune_every: how often a subscriber deletes what is older; None if you call ``prune`` yourself.

    Attributes:
        prune_every: as given, but None for a database that exists in one connection only (SQLite in memory):
            there it would prune in a handler's transaction.

    Raises:
        ConfigurationError: if the database system is not supported, or a time or ``max_version_jump`` is not
            positive.
        MissingExtra: on import, if SQLAlchemy is not installed.
        InboxUnavailable: by every method, if the database does not answer or the tables are missing.
    """

    def __init__(  # noqa: PLR0913 - options by keyword
        self,
        database: Engine | sessionmaker[Session],
        consumer: str,
        *,
        tables: InboxTables | None = None,
        max_version_jump: int | None = MAX_VERSION_JUMP,
        remember: timedelta = REMEMBER,
        prune_every: timedelta | None = _HOURLY,
    ) -> None:
        require_settings(max_version_jump, remember=remember, prune_every=prune_every)
        self._database = database
        self._engine = _engine_of(database)
        self._tables = tables or inbox_tables()
        self._store = SqlStore(consumer, self._engine.dialect.name, self._tables, max_version_jump)
        self._remember = remember
        in_one_connection = isinstance(self._engine.pool, StaticPool | SingletonThreadPool)
        self.prune_every = None if in_one_connection else prune_every
        sql_transaction.watch(self._engine)

    @contextmanager
    def admit(self, event: AuthEvent, topic: str, key: bytes | None) -> Iterator[Admission]:
        """See `Inbox.admit`."""
        with sql_errors():
            opened = self._database.connect() if isinstance(self._database, Engine) else self._database()
        with opened as transaction:
            admission, shared = self._record(transaction, event, topic, key)
            if shared is None:
                yield admission
                return
            try:
                yield admission._replace(transaction=transaction)
                shared.check()
            except Exception as error:
                shared.raise_outage(error)
                raise
            finally:
                shared.release()
            shared.commit()

    def create_tables(self) -> None:
        """Create missing tables, and the column and index that tables of 0.1.0 lack."""
        with sql_errors(), self._engine.begin() as connection:
            create(connection, self._tables)

    def prune(self, older_than: timedelta | None = None) -> Forgotten:
        """Delete old ids and versions, in short transactions that wait for no handler.

        Without pruning the tables grow with every event and user. A subscriber calls this every
        ``prune_every``; call it yourself if that is None, or if you use the inbox without a subscriber.

        Args:
            older_than: age of what is deleted; ``remember`` by default. A duplicate or stale event that comes
                later than that is handled.
        """
        age = older_than or self._remember
        return self._in_batches(lambda connection: self._store.prune_batch(connection, age))

    def forget(self, key: bytes) -> Forgotten:
        """Forget the versions of a user (its message key): its next event is fresh, whatever its version."""
        with sql_errors(), self._engine.begin() as connection:
            return self._store.forget(connection, key)

    def forget_all(self) -> Forgotten:
        """Forget all that the consumer handled. Stop its subscribers first: they would go on recording."""
        return self._in_batches(self._store.forget_batch)

    def _record(
        self, transaction: Connection | Session, event: AuthEvent, topic: str, key: bytes | None
    ) -> tuple[Admission, HandlerTransaction | None]:
        """Record an event in a transaction; roll back unless it is fresh."""
        with sql_errors():
            connection = sql_transaction.connection_of(transaction)
            admission = self._store.record(connection, event, topic, key)
            if admission.verdict is not Verdict.FRESH:
                transaction.rollback()
                return admission, None
        return admission, HandlerTransaction(transaction)

    def _in_batches(self, delete_batch: Callable[[Connection], tuple[Forgotten, bool]]) -> Forgotten:
        ids, versions, more = 0, 0, True
        while more:
            with sql_errors(), self._engine.begin() as connection:
                deleted, more = delete_batch(connection)
            ids, versions = ids + deleted.ids, versions + deleted.versions
        return Forgotten(ids, versions)


class AsyncSqlInbox:
    """`SqlInbox` for ``async`` handlers, on SQLAlchemy's asyncio extension and in the same tables.

    ``Context.transaction`` is an ``AsyncConnection``, or an ``AsyncSession`` if the inbox has an
    ``async_sessionmaker``. SQLite lets one transaction write at a time: leave the policy's concurrency at 1.

    Everything but opening a transaction is done by a `SqlInbox` in a greenlet, where SQLAlchemy's blocking
    calls await, as in SQLAlchemy's own asyncio classes. Arguments, attributes and errors are those of
    `SqlInbox`.
    """

    def __init__(  # noqa: PLR0913 - options by keyword
        self,
        database: AsyncEngine | async_sessionmaker[AsyncSession],
        consumer: str,
        *,
        tables: InboxTables | None = None,
        max_version_jump: int | None = MAX_VERSION_JUMP,
        remember: timedelta = REMEMBER,
        prune_every: timedelta | None = _HOURLY,
    ) -> None:
        self._database = database
        self._inbox = SqlInbox(
            _engine_of(database),
            consumer,
            tables=tables,
            max_version_jump=max_version_jump,
            remember=remember,
            prune_every=prune_every,
        )
        self.prune_every = self._inbox.prune_every

    @asynccontextmanager
    async def admit_async(self, event: AuthEvent, topic: str, key: bytes | None) -> AsyncIterator[Admission]:
        """See `SqlInbox.admit`."""
        record = self._inbox._record  # noqa: SLF001 - the same class in its other form
        with sql_errors():
            database = self._database
            opened = await database.connect() if isinstance(database, AsyncEngine) else database()
        async with aclosing(opened) as transaction:
            admission, shared = await transaction.run_sync(record, event, topic, key)
            if shared is None:
                yield admission
                return
            try:
                yield admission._replace(transaction=transaction)
                await greenlet_spawn(shared.check)
            except Exception as error:
                await greenlet_spawn(shared.raise_outage, error)
                raise
            finally:
                shared.release()
            await greenlet_spawn(shared.commit)

    async def create_tables(self) -> None:
        """See `SqlInbox.create_tables`."""
        await greenlet_spawn(self._inbox.create_tables)

    async def prune(self, older_than: timedelta | None = None) -> Forgotten:
        """See `SqlInbox.prune`."""
        return await _in_greenlet(self._inbox.prune, older_than)

    async def forget(self, key: bytes) -> Forgotten:
        """See `SqlInbox.forget`."""
        return await _in_greenlet(self._inbox.forget, key)

    async def forget_all(self) -> Forgotten:
        """See `SqlInbox.forget_all`."""
        return await _in_greenlet(self._inbox.forget_all)


async def _in_greenlet(method: Callable[..., Forgotten], *arguments: object) -> Forgotten:
    forgotten: Forgotten = await greenlet_spawn(method, *arguments)
    return forgotten


def _engine_of(database: Any) -> Engine:
    if isinstance(database, Engine | AsyncEngine):
        return database if isinstance(database, Engine) else database.sync_engine
    try:
        return cast("Engine", database().get_bind().engine)
    except (AttributeError, TypeError) as error:
        given = type(database).__name__
        raise ConfigurationError("database", f"is an engine or a sessionmaker, not a {given}") from error
