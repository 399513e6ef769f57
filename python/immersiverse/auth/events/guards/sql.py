"""A guard in the handler's own database transaction: effects that happen exactly once."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from immersiverse.auth.events.errors import MissingExtra
from immersiverse.auth.events.guards.guard import Admission, Verdict

try:
    from sqlalchemy import Connection, Engine

    from immersiverse.auth.events.guards.sql_failures import asking, committing
    from immersiverse.auth.events.guards.sql_ledger import Ledger
    from immersiverse.auth.events.guards.sql_tables import GuardTables, guard_tables
except ImportError as error:
    raise MissingExtra("outbox", "SqlGuard") from error

if TYPE_CHECKING:
    from collections.abc import Iterator
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

    Raises:
        ConfigurationError: if the database is of another kind.
        MissingExtra: on import, if SQLAlchemy is not installed.
    """

    def __init__(
        self,
        database: Engine | sessionmaker[Session],
        consumer: str,
        *,
        tables: GuardTables | None = None,
    ) -> None:
        self._database = database
        self._tables = tables or guard_tables()
        self._ledger = Ledger(consumer, _engine(database).dialect.name, self._tables)

    @contextmanager
    def admit(self, event: AuthEvent, topic: str, key: bytes | None) -> Iterator[Admission]:
        """See `Guard.admit`.

        Raises:
            GuardUnavailable: if the database does not answer, or the tables are missing.
        """
        with self._transaction() as transaction:
            with asking():
                verdict, last = self._ledger.note(_connection(transaction), event, topic, key)
                if verdict is not Verdict.FRESH:
                    transaction.rollback()
            yield Admission(verdict, last, transaction)
            if verdict is Verdict.FRESH:
                with committing():
                    transaction.commit()

    def create_tables(self) -> None:
        """Create the guard's tables where they are missing.

        Raises:
            GuardUnavailable: if the database does not do it.
        """
        with asking(), _engine(self._database).begin() as connection:
            self._tables.handled.create(connection, checkfirst=True)
            self._tables.versions.create(connection, checkfirst=True)

    def prune(self, older_than: timedelta) -> None:
        """Forget ids that were handled long ago. No repeat can come after as long as the topics keep events.

        Raises:
            GuardUnavailable: if the database does not do it.
        """
        more = True
        while more:
            with asking(), _engine(self._database).begin() as connection:
                more = self._ledger.prune(connection, older_than)

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


def _connection(transaction: Connection | Session) -> Connection:
    return transaction if isinstance(transaction, Connection) else transaction.connection()
