"""A writer's transactions: each ends in the ledger as what it is known to be."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa
from google.protobuf.timestamp_pb2 import Timestamp

from chaos.journal import Journal
from chaos.outbox.ledger import has_committed, has_rolled_back, read_prepared, will_commit, will_prepare
from immersiverse.auth.events import (
    AuthEvent,
    AuthEventSerializer,
    LoginSucceeded,
    Outbox,
    OutboxUnavailable,
    PinnedSchemas,
    new_event,
)

OUTBOX = Outbox(AuthEventSerializer(PinnedSchemas(1)))
SERVICE_TABLES = (  # what the events are about, and what serializable transactions quarrel about
    "CREATE TABLE logins (event_id text PRIMARY KEY)",
    "CREATE TABLE counters (id integer PRIMARY KEY, n bigint NOT NULL)",
    "INSERT INTO counters SELECT n, 0 FROM generate_series(0, 9) n",
)
_REASONS = {"40001": "serialization", "40P01": "deadlock", "55P03": "lock-timeout"}
_REFUSED = {"40001", "40P01"}  # by these a COMMIT says that it did not happen
_PATIENCE = 120.0  # seconds for the database to be back
_SETTINGS = "-c lock_timeout=4000 -c statement_timeout=20000"


class Attempt:
    """One transaction that is under way.

    Attributes:
        connection: its connection.
        ids: the events in it.
    """

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection
        self.ids: list[str] = []

    def add(self, *events: AuthEvent) -> None:
        """Add events, and the rows that they are about."""
        OUTBOX.add_all(self.connection, events)
        self.connection.execute(
            sa.text("INSERT INTO logins (event_id) VALUES (:id)"),
            [{"id": event.event_id} for event in events],
        )
        self.ids += [event.event_id for event in events]


Steps = Callable[[Attempt], None]


class Transactions:
    """The transactions of one writer, in any number of threads.

    Args:
        url: the database.
        name: the writer's name.
        journal: where its ledger is.
    """

    def __init__(self, url: str, name: str, journal: Path) -> None:
        self._name = name
        self._path = journal
        self._journal = Journal(journal)
        connecting: dict[str, Any] = {"connect_timeout": 5, "application_name": name, "options": _SETTINGS}
        self._engine = sa.create_engine(url, pool_size=20, pool_pre_ping=True, connect_args=connecting)

    def run(self, kind: str, steps: Steps, *, isolation: str = "READ COMMITTED", commit: bool = True) -> bool:
        """Run a transaction; False if it was rolled back because of others, and may be tried again.

        Raises:
            SQLAlchemyError: if there is no connection.
        """
        with self._engine.connect().execution_options(isolation_level=isolation) as connection:
            attempt = Attempt(connection)
            if not self._take(attempt, steps):
                return False
            if not commit:
                connection.rollback()
                has_rolled_back(self._journal, "wanted", attempt.ids)
                return True
            return self._commit(kind, attempt)

    def roll_back_to_savepoint(self, attempt: Attempt, event: AuthEvent) -> None:
        """Add an event in a savepoint that is rolled back."""
        with attempt.connection.begin_nested() as savepoint:
            OUTBOX.add(attempt.connection, event)
            savepoint.rollback()
        has_rolled_back(self._journal, "savepoint", [event.event_id])

    def prepare(self, transaction: str, steps: Steps) -> list[str]:
        """The first phase of two; the events, also if it is unknown whether it succeeded.

        Raises:
            SQLAlchemyError: if there is no connection.
        """
        with self._engine.connect() as connection:
            attempt = Attempt(connection)
            if not self._take(attempt, steps):
                return []
            will_prepare(self._journal, transaction, attempt.ids)
            will_commit(self._journal, "two-phase", attempt.ids)
            try:
                connection.exec_driver_sql(f"PREPARE TRANSACTION '{transaction}'")
            except sa.exc.SQLAlchemyError:
                connection.invalidate()
        return attempt.ids

    def finish_prepared(self, transaction: str, ids: list[str], *, commit: bool) -> None:
        """The second phase, through outages: only this writer finishes it, so that what is gone is done.

        Raises:
            TimeoutError: if the database does not come back.
        """
        until, tried = time.monotonic() + _PATIENCE, False
        while True:
            try:
                with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                    if transaction in _prepared(connection):
                        tried = True
                        word = "COMMIT" if commit else "ROLLBACK"
                        connection.exec_driver_sql(f"{word} PREPARED '{transaction}'")
                    break
            except sa.exc.SQLAlchemyError as error:
                if time.monotonic() > until:
                    raise TimeoutError(f"{transaction} cannot be finished: {error}") from error
                time.sleep(0.3)
        if tried and commit:
            has_committed(self._journal, ids)
        elif tried:
            has_rolled_back(self._journal, "two-phase", ids)

    def finish_all_prepared(self) -> None:
        """Commit what a former life of this writer has prepared.

        Raises:
            TimeoutError: if the database does not come back.
        """
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                with self._engine.connect() as connection:
                    left = _prepared(connection)
                break
            except sa.exc.SQLAlchemyError as error:
                if time.monotonic() > until:
                    raise TimeoutError(f"the database does not come back: {error}") from error
                time.sleep(0.3)
        for transaction, ids in read_prepared(self._path).items():
            if transaction in left:
                self.finish_prepared(transaction, ids, commit=True)

    def close(self) -> None:
        """Let go of the connections."""
        self._engine.dispose()

    def _take(self, attempt: Attempt, steps: Steps) -> bool:
        """Take the steps; False if something else than a lost connection rolled them back."""
        try:
            steps(attempt)
        except (OutboxUnavailable, sa.exc.SQLAlchemyError) as error:
            has_rolled_back(self._journal, _REASONS.get(_state_of(error), "connection"), attempt.ids)
            if _state_of(error) not in _REASONS:
                attempt.connection.invalidate()
            return False
        return True

    def _commit(self, kind: str, attempt: Attempt) -> bool:
        will_commit(self._journal, kind, attempt.ids)
        try:
            attempt.connection.commit()
        except sa.exc.SQLAlchemyError as error:
            if _state_of(error) in _REFUSED:
                has_rolled_back(self._journal, _REASONS[_state_of(error)], attempt.ids)
                return False
            attempt.connection.invalidate()
        else:
            has_committed(self._journal, attempt.ids)
        return True


def login_of(user: str) -> AuthEvent:
    """An event of a user."""
    now = Timestamp()
    now.GetCurrentTime()
    login = LoginSucceeded(user_id=user, login_time=now, ip_address="192.0.2.1")
    return new_event(login, source="/chaos", timestamp=now)


def _prepared(connection: sa.Connection) -> set[str]:
    return set(connection.exec_driver_sql("SELECT gid FROM pg_prepared_xacts").scalars())


def _state_of(error: BaseException) -> str:
    """PostgreSQL's code of an error; empty for a lost connection."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, psycopg.Error):
        cause = cause.__cause__
    return (cause.sqlstate if cause is not None else None) or ""
