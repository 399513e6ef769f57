"""The handler's part of a SQL guard's transaction, and what the database's errors in it mean.

An error that says nothing about the event (a deadlock, a lost connection) is an outage: the event is tried
again and no attempt is spent. Every other error is the handler's own.
"""

from __future__ import annotations

from contextlib import contextmanager
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, event, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session

from immersiverse.auth.events.errors import BrokenTransaction, ConfigurationError, GuardUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine
    from sqlalchemy.engine import ExceptionContext

# SQLSTATE (PostgreSQL, appendix A): connection, rollback by the server, resources, operator; lock timeout.
_OUTAGES: Final = ("08", "40", "53", "57", "55P03")
_ABORTED: Final = "25P02"  # what every statement gets after the one that failed
# SQLite's primary result codes: busy, locked, no memory, interrupted, I/O, full, cannot open, lock protocol.
_SQLITE_OUTAGES: Final = frozenset({5, 6, 7, 9, 10, 13, 14, 15})
# In a connection's info, as long as a handler has it, and while it is committed.
_LAST_ERROR: Final = "auth-events last error"
_COMMITTING: Final = "auth-events committing"


class _State(Enum):
    """What the driver says of a transaction; libpq's numbers."""

    NONE = 0
    OPEN = 2
    ABORTED = 3
    UNKNOWN = -1


class HandlerTransaction:
    """A guard's transaction while a handler writes in it: it must come back open, neither aborted nor ended.

    Args:
        transaction: the connection or session that the handler gets.
    """

    def __init__(self, transaction: Connection | Session) -> None:
        self._transaction = transaction
        self._connection = connection_of(transaction)
        self._root = self._connection.get_transaction() or self._connection.begin()
        self._begun = _state(self._connection)
        self._info = self._connection.info
        self._aborted = False

    @contextmanager
    def handling(self) -> Iterator[None]:
        """The time of the handler, with `check` at its end.

        Raises:
            GuardUnavailable: instead of an error that says nothing about the event.
        """
        self._info[_LAST_ERROR] = None
        try:
            yield
        except Exception as error:
            if (outage := self._outage(error)) is not None:
                raise GuardUnavailable(f"the transaction cannot go on: {_first_line(outage)}") from error
            raise
        finally:
            self._info.pop(_LAST_ERROR, None)

    @contextmanager
    def committing(self) -> Iterator[None]:
        """The commit of both: what the handler wrote may be refused here too, by a deferred constraint.

        Raises:
            GuardUnavailable: instead of an error that says nothing about the event.
            SQLAlchemyError: if the database refuses what the handler wrote.
        """
        self._info[_COMMITTING] = True
        try:
            yield
        except DBAPIError as error:
            if error.connection_invalidated or is_outage(error):
                raise GuardUnavailable(f"the transaction was not committed: {_first_line(error)}") from error
            raise
        finally:
            self._info.pop(_COMMITTING, None)

    def check(self) -> None:
        """Write what a session has not written yet, and look whether all of it can be committed.

        Raises:
            BrokenTransaction: if the handler left the transaction aborted, or ended it.
            SQLAlchemyError: if the database refuses what is written now.
        """
        if self._is_open():
            if isinstance(self._transaction, Session):
                self._transaction.flush()
            if _state(self._connection) is _State.UNKNOWN:
                self._aborted = not self._answers()
        if not self._is_open():
            raise BrokenTransaction(
                "the handler left its transaction aborted or ended, so nothing was committed: survive errors "
                "of the database with begin_nested(), and neither commit nor roll back Context.transaction"
            ) from self._info.get(_LAST_ERROR)

    def _answers(self) -> bool:
        """Whether a statement succeeds, as none does in an aborted transaction."""
        try:
            self._connection.execute(text("SELECT 1"))
        except DBAPIError:
            return False
        return True

    def _is_open(self) -> bool:
        connection, root = self._connection, self._root
        if self._aborted or connection.closed or connection.invalidated:
            return False
        if connection.get_transaction() is not root or not root.is_active:
            return False
        state = _state(connection)
        return state is not _State.ABORTED and (state is not _State.NONE or self._begun is _State.NONE)

    def _outage(self, error: BaseException) -> BaseException | None:
        """The error that says nothing about the event, if one broke the transaction or caused this one."""
        last: BaseException | None = self._info.get(_LAST_ERROR)
        if self._connection.invalidated:
            return last or error
        if last is not None and is_outage(last) and not self._is_open():
            return last
        return next((cause for cause in _causes(error) if is_outage(cause)), None)


def watch(engine: Engine) -> None:
    """Have an engine refuse commits by handlers, and remember the errors that they get."""
    event.listen(engine, "commit", _refuse_commit)
    event.listen(engine, "handle_error", _note_error)


@contextmanager
def asking() -> Iterator[None]:
    """The guard's own statements: whatever goes wrong there says nothing about the event.

    Raises:
        GuardUnavailable: instead of SQLAlchemy's errors.
    """
    try:
        yield
    except SQLAlchemyError as error:
        raise GuardUnavailable(f"the guard's tables cannot be used: {_first_line(error)}") from error


def connection_of(transaction: Connection | Session) -> Connection:
    """The connection of a transaction.

    Raises:
        ConfigurationError: if it commits every statement by itself.
    """
    connection = transaction if isinstance(transaction, Connection) else transaction.connection()
    if getattr(connection.connection.driver_connection, "autocommit", False) is True:
        raise ConfigurationError("guard", "its engine is in AUTOCOMMIT, where nothing can be rolled back")
    return connection


def is_outage(error: BaseException) -> bool:
    """Whether an error of a database says nothing about the event, by its SQLSTATE or SQLite's code."""
    if not isinstance(error, DBAPIError):
        return False
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in _SQLITE_OUTAGES
    return _sqlstate(error).startswith(_OUTAGES)


def _refuse_commit(connection: Connection) -> None:
    if _LAST_ERROR in connection.info:
        connection.connection.rollback()  # or SQLAlchemy would give it back to its pool as it is
        raise BrokenTransaction("a handler must not commit Context.transaction: that is done when it returns")


def _note_error(context: ExceptionContext) -> None:
    connection, error = context.connection, context.sqlalchemy_exception
    if connection is None or connection.closed or connection.invalidated or not isinstance(error, DBAPIError):
        return
    if _LAST_ERROR in connection.info and _sqlstate(error) != _ABORTED:
        connection.info[_LAST_ERROR] = error
    if _COMMITTING in connection.info and not context.is_disconnect:
        # SQLite's transaction is still open then, and SQLAlchemy gives it back to its pool as it is.
        connection.connection.rollback()


def _state(connection: Connection) -> _State:
    driver: Any = connection.connection.driver_connection
    if (in_transaction := getattr(driver, "in_transaction", None)) is not None:  # SQLite's
        return _State.OPEN if in_transaction else _State.NONE
    status = getattr(getattr(driver, "info", None), "transaction_status", None)  # libpq's
    return _State(status) if status in {0, 2, 3} else _State.UNKNOWN


def _sqlstate(error: DBAPIError) -> str:
    return getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None) or ""


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error, and what caused it, as a traceback shows them."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _first_line(error: BaseException) -> str:
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    return str(cause).partition("\n")[0]
