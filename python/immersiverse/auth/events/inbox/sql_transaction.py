"""The transaction that a SQL inbox shares with the handler, and what the database's errors in it mean.

An error that says nothing about the event (a deadlock, a lost connection) is an outage: the event is retried
without counting an attempt. Every other error is the handler's own.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, event, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session

from immersiverse.auth.events.errors import BrokenTransaction, ConfigurationError, InboxUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine
    from sqlalchemy.engine import ExceptionContext

# SQLSTATE (PostgreSQL, appendix A): connection, rollback by the server, resources, operator; lock timeout.
_OUTAGES: Final = ("08", "40", "53", "57", "55P03")
_MISSING: Final = frozenset({"42P01", "42703"})  # table, column
_ABORTED: Final = "25P02"  # of every statement after the one that failed
# SQLite's primary result codes: busy, locked, no memory, interrupted, I/O, full, cannot open, lock protocol.
_SQLITE_OUTAGES: Final = frozenset({5, 6, 7, 9, 10, 13, 14, 15})
# Keys in Connection.info: while a handler has the connection, and while it is committed.
_LAST_ERROR: Final = "auth-events last error"
_COMMITTING: Final = "auth-events committing"
# A transaction's status, by libpq's numbers.
_NONE, _OPEN, _BROKEN = 0, 2, 3


class HandlerTransaction:
    """What a handler writes in, a connection or session. It must come back neither aborted nor ended.

    The methods may ask the database: with an asyncio engine call them in a greenlet, but for `release`.
    """

    def __init__(self, transaction: Connection | Session) -> None:
        self._transaction = transaction
        self._connection = connection_of(transaction)
        self._root = self._connection.get_transaction() or self._connection.begin()
        self._first_status = _status(self._connection)
        self._info = self._connection.info
        self._info[_LAST_ERROR] = None

    def check(self) -> None:
        """Flush a session, and check that the transaction can be committed.

        Raises:
            BrokenTransaction: if the handler left the transaction aborted, or ended it.
            SQLAlchemyError: if the database refuses what is flushed.
        """
        if isinstance(self._transaction, Session) and self._is_open():
            self._transaction.flush()
        if not self._is_open():
            raise BrokenTransaction(
                "the handler left its transaction aborted or ended, so nothing was committed: use "
                "begin_nested() around statements that may fail, and neither commit nor roll back "
                "Context.transaction"
            ) from self._info.get(_LAST_ERROR)

    def raise_outage(self, error: Exception) -> None:
        """After an error of the handler or of `check`.

        Raises:
            InboxUnavailable: if the error says nothing about the event.
        """
        if (outage := self._outage(error)) is not None:
            raise InboxUnavailable(f"the transaction cannot go on: {_first_line(outage)}") from error

    def release(self) -> None:
        """The handler is done with it."""
        self._info.pop(_LAST_ERROR, None)

    def commit(self) -> None:
        """Commit the handler's effects and the record.

        Raises:
            InboxUnavailable: instead of an error that says nothing about the event.
            SQLAlchemyError: if the database refuses what the handler wrote, by a deferred constraint.
        """
        self._info[_COMMITTING] = True
        try:
            self._transaction.commit()
        except DBAPIError as error:
            if error.connection_invalidated or _is_outage(error):
                raise InboxUnavailable(f"the transaction was not committed: {_first_line(error)}") from error
            raise
        finally:
            self._info.pop(_COMMITTING, None)

    def _is_open(self) -> bool:
        connection, root = self._connection, self._root
        if connection.closed or connection.invalidated:
            return False
        if connection.get_transaction() is not root or not root.is_active:
            return False
        status = _status(connection)
        if status is None:
            return self._answers()
        return status != _BROKEN and (status != _NONE or self._first_status == _NONE)

    def _answers(self) -> bool:
        """Whether a statement succeeds, as none does in an aborted transaction."""
        try:
            self._connection.execute(text("SELECT 1"))
        except DBAPIError:
            return False
        return True

    def _outage(self, error: BaseException) -> BaseException | None:
        """The error that says nothing about the event, if one broke the transaction or caused this one."""
        last: BaseException | None = self._info.get(_LAST_ERROR)
        if self._connection.invalidated:
            return last or error
        if last is not None and _is_outage(last) and not self._is_open():
            return last
        return next((cause for cause in _causes(error) if _is_outage(cause)), None)


def watch(engine: Engine) -> None:
    """Make an engine refuse commits by handlers, and keep the errors that handlers get."""
    event.listen(engine, "commit", _refuse_commit)
    event.listen(engine, "handle_error", _keep_error)


@contextmanager
def sql_errors() -> Iterator[None]:
    """Around the inbox's own statements, whose errors say nothing about the event: `InboxUnavailable`."""
    try:
        yield
    except SQLAlchemyError as error:
        hint = "; call create_tables(), or run your migrations" if _lacks_tables(error) else ""
        raise InboxUnavailable(f"cannot use the inbox's tables: {_first_line(error)}{hint}") from error


def connection_of(transaction: Connection | Session) -> Connection:
    """The connection of a transaction.

    Raises:
        ConfigurationError: if it is in AUTOCOMMIT.
    """
    connection = transaction if isinstance(transaction, Connection) else transaction.connection()
    if getattr(connection.connection.dbapi_connection, "autocommit", False) is True:
        raise ConfigurationError("inbox", "its engine is in AUTOCOMMIT, where nothing can be rolled back")
    return connection


def _refuse_commit(connection: Connection) -> None:
    if _LAST_ERROR in connection.info:
        connection.connection.rollback()  # SQLAlchemy would return it to the pool with the transaction open
        raise BrokenTransaction(
            "a handler must not commit Context.transaction: the inbox does when it returns"
        )


def _keep_error(context: ExceptionContext) -> None:
    connection, error = context.connection, context.sqlalchemy_exception
    if connection is None or connection.closed or connection.invalidated or not isinstance(error, DBAPIError):
        return
    if _LAST_ERROR in connection.info and _sqlstate(error) != _ABORTED:
        connection.info[_LAST_ERROR] = error
    if _COMMITTING in connection.info and not context.is_disconnect:
        # SQLite's transaction is still open, and SQLAlchemy would return it to the pool like that.
        connection.connection.rollback()


def _status(connection: Connection) -> int | None:
    """A transaction's status as the driver has it; None for either open or aborted (asyncpg)."""
    driver: Any = connection.connection.driver_connection
    if (in_transaction := getattr(driver, "in_transaction", None)) is not None:  # sqlite3
        return _OPEN if in_transaction else _NONE
    if (is_in_transaction := getattr(driver, "is_in_transaction", None)) is not None:  # asyncpg
        return None if is_in_transaction() else _NONE
    status = getattr(getattr(driver, "info", None), "transaction_status", None)  # psycopg
    return status if status in {_NONE, _OPEN, _BROKEN} else None


def _is_outage(error: BaseException) -> bool:
    """Whether a database's error says nothing about the event, by its SQLSTATE or SQLite's code."""
    if not isinstance(error, DBAPIError):
        return False
    code = getattr(error.orig, "sqlite_errorcode", None)
    return _sqlstate(error).startswith(_OUTAGES) if code is None else code & 0xFF in _SQLITE_OUTAGES


def _lacks_tables(error: SQLAlchemyError) -> bool:
    """Whether a table or a column is missing."""
    if not isinstance(error, DBAPIError):
        return False
    return _sqlstate(error) in _MISSING or _first_line(error).startswith(
        "no such "
    )  # SQLite has no code for it


def _sqlstate(error: DBAPIError) -> str:
    return getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None) or ""


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and its causes, as a traceback shows them."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _first_line(error: BaseException) -> str:
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    return str(cause).partition("\n")[0]
