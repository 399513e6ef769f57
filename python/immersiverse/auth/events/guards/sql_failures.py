"""What a database's refusals mean to a guard."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from immersiverse.auth.events.errors import GuardUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator


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


@contextmanager
def committing() -> Iterator[None]:
    """The end of both: what the handler wrote may fail here too, by a deferred constraint: that is its own.

    Raises:
        GuardUnavailable: instead of SQLAlchemy's other errors.
    """
    try:
        yield
    except IntegrityError:
        raise
    except SQLAlchemyError as error:
        raise GuardUnavailable(f"the transaction was not committed: {_first_line(error)}") from error


def _first_line(error: SQLAlchemyError) -> str:
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    return str(cause).partition("\n")[0]
