"""A guard in the handler's own database transaction: effects that happen exactly once."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from immersiverse.auth.events.errors import MissingExtra
from immersiverse.auth.events.guards.guard import MAX_VERSION_JUMP, Admission, Forgotten, Verdict

try:
    from sqlalchemy import Connection, Engine

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
    raise MissingExtra("outbox", "SqlGuard") from error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import timedelta

    from sqlalchemy.orm import Session, sessionmaker

    from immersiverse.auth.events.v1.events_pb2 import AuthEvent


class SqlGuard:
    """Remembers events in the transaction that a plain handler writes in; PostgreSQL or SQLite.

    ``Context.transaction`` is a ``Connection``, or a ``Session`` if the guard was made from a
    ``sessionmaker``. What a handler writes with it is committed together with the guard's memory when the
    handler returns, and rolled back together when it raises: handlers neither commit nor roll back
    themselves. Two consumers that have the same event at once take turns in the database, and the second
    finds it handled.

    Args:
        database: where both the guard's tables and the handler's are.
        consumer: whose memory it is, such as the group's id: consumers may share the tables.
        tables: the tables, if a migration tool made them; else see ``create_tables``.
        max_version_jump: how far a version may be beyond the last one of its user and still be remembered. An
            event further beyond is handled and reported, and its version does not count. None: no limit.
        remember: how long ids and versions are remembered: longer than the topics keep events, and than dead
            letters wait for their redrive.
        prune_every: how often a subscriber deletes what is older than that; None to call ``prune`` yourself.

    Raises:
        ConfigurationError: if the database is of another kind, or a time or the limit is not positive.
        MissingExtra: on import, if SQLAlchemy is not installed.
    """

    def __init__(  # noqa: PLR0913 - what it is made of, by keyword
        self,
        database: Engine | sessionmaker[Session],
        consumer: str,
        *,
        tables: GuardTables | None = None,
        max_version_jump: int | None = MAX_VERSION_JUMP,
        remember: timedelta = REMEMBER,
        prune_every: timedelta | None = PRUNE_EVERY,
    ) -> None:
        engine = _engine(database)
        self._database = database
        self._tables = tables or guard_tables()
        self._ledger = Ledger(consumer, engine.dialect.name, self._tables, max_version_jump)
        self._pruning = Pruning(engine, remember, prune_every)
        watch(engine)

    @property
    def prune_every(self) -> timedelta | None:
        """How often a subscriber calls ``prune``; None for never."""
        return self._pruning.every

    @contextmanager
    def admit(self, event: AuthEvent, topic: str, key: bytes | None) -> Iterator[Admission]:
        """See `Guard.admit`.

        Raises:
            GuardUnavailable: if the database does not answer, or the tables are missing.
        """
        with self._transaction() as transaction:
            with asking():
                admission = self._ledger.note(connection_of(transaction), event, topic, key)
                if admission.verdict is not Verdict.FRESH:
                    transaction.rollback()
            if admission.verdict is not Verdict.FRESH:
                yield admission
                return
            handlers = HandlerTransaction(transaction)
            with handlers.handling():
                yield admission._replace(transaction=transaction)
                handlers.check()
            with handlers.committing():
                transaction.commit()

    def create_tables(self) -> None:
        """Create the guard's tables where they are missing, and what those of 0.1.0 lack.

        Raises:
            GuardUnavailable: if the database does not do it.
        """
        with asking(), _engine(self._database).begin() as connection:
            create(connection, self._tables)

    def prune(self, older_than: timedelta | None = None) -> Forgotten:
        """Forget ids and versions that were handled long ago, in small transactions beside the handlers.

        No duplicate and no stale event can come after as long as topics keep events for less time than that.

        Args:
            older_than: how long ago; what the guard is to remember unless given.

        Raises:
            GuardUnavailable: if the database does not do it.
        """
        age = older_than or self._pruning.remember
        return self._repeat(lambda connection: self._ledger.prune(connection, age))

    def forget(self, key: bytes) -> Forgotten:
        """Forget the last versions of one user, on all topics: its next event is fresh, whatever its version.

        Args:
            key: the user's, as its messages have it.

        Raises:
            GuardUnavailable: if the database does not do it.
        """
        with asking(), _engine(self._database).begin() as connection:
            return self._ledger.forget(connection, key)

    def forget_all(self) -> Forgotten:
        """Forget all that the consumer handled. Stop its subscribers first, or they go on remembering.

        Raises:
            GuardUnavailable: if the database does not do it.
        """
        return self._repeat(self._ledger.forget_some)

    def _repeat(self, step: Callable[[Connection], tuple[Forgotten, bool]]) -> Forgotten:
        """Do something batch by batch, each in a transaction of its own."""
        forgotten, more = [Forgotten()], True
        while more:
            with asking(), _engine(self._database).begin() as connection:
                done, more = step(connection)
            forgotten.append(done)
        return in_all(forgotten)

    @contextmanager
    def _transaction(self) -> Iterator[Connection | Session]:
        """A transaction that is rolled back unless it is committed."""
        with asking():
            opened = self._database.connect() if isinstance(self._database, Engine) else self._database()
        with opened:
            yield opened


def _engine(database: Engine | sessionmaker[Session]) -> Engine:
    if isinstance(database, Engine):
        return database
    with database() as session:
        return session.get_bind().engine
