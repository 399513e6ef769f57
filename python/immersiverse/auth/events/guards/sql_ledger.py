"""What a SQL guard asks and writes, on a connection that somebody else opens and commits."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, delete, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from immersiverse.auth.events.errors import ConfigurationError
from immersiverse.auth.events.guards.guard import Verdict

if TYPE_CHECKING:
    from sqlalchemy import Connection, Executable

    from immersiverse.auth.events.guards.sql_tables import GuardTables
    from immersiverse.auth.events.v1.events_pb2 import AuthEvent

_INSERTS: Final[dict[str, Any]] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}
_MAX_ID = 64
_MAX_KEY = 255
_PRUNED_AT_ONCE = 10_000  # rows: a transaction that others hardly notice


class Ledger:
    """The memory of one consumer.

    Args:
        consumer: whose memory it is.
        dialect: SQLAlchemy's name of the database's kind.
        tables: where it is.

    Raises:
        ConfigurationError: if the database is of a kind that is not known here.
    """

    def __init__(self, consumer: str, dialect: str, tables: GuardTables) -> None:
        if dialect not in _INSERTS:
            raise ConfigurationError("guard", f"{dialect} is not supported: use PostgreSQL or SQLite")
        insert = _INSERTS[dialect]
        self._consumer = consumer
        self._tables = tables
        self._note_id: Executable = (
            insert(tables.handled).on_conflict_do_nothing().returning(tables.handled.c.event_id)
        )
        self._note_version = _note_version(insert, tables)
        self._last: Executable = select(tables.versions.c.version).where(
            tables.versions.c.consumer == bindparam("consumer"),
            tables.versions.c.topic == bindparam("topic"),
            tables.versions.c.key == bindparam("key"),
        )

    def note(
        self, connection: Connection, event: AuthEvent, topic: str, key: bytes | None
    ) -> tuple[Verdict, int]:
        """Write an event down as handled, unless it is a repeat or stale.

        Writing comes first: another transaction with the same event waits here until this one ends, and then
        finds the event handled, or goes on in its place.

        Returns:
            The verdict, and the last version of its user before it. Only a fresh event's transaction is to be
            committed.
        """
        if event.event_id and not self._is_new(connection, event.event_id):
            return Verdict.DUPLICATE, 0
        if event.version <= 0 or key is None:
            return Verdict.FRESH, 0
        user = {"consumer": self._consumer, "topic": topic, "key": _short_key(key)}
        previous = connection.execute(self._note_version, {**user, "version": event.version}).scalar()
        if previous is None:
            return Verdict.STALE, connection.execute(self._last, user).scalar() or 0
        return Verdict.FRESH, previous

    def prune(self, connection: Connection, older_than: timedelta) -> bool:
        """Forget some of the ids that were handled so long ago; whether there may be more."""
        handled = self._tables.handled
        primary_key = (handled.c.consumer, handled.c.event_id)
        old = (
            select(*primary_key)
            .where(
                handled.c.consumer == self._consumer, handled.c.handled_at < datetime.now(UTC) - older_than
            )
            .limit(_PRUNED_AT_ONCE)
        )
        pruned = connection.execute(delete(handled).where(tuple_(*primary_key).in_(old)))
        return pruned.rowcount >= _PRUNED_AT_ONCE

    def _is_new(self, connection: Connection, event_id: str) -> bool:
        row = {
            "consumer": self._consumer,
            "event_id": _short_id(event_id),
            "handled_at": datetime.now(UTC),
        }
        return connection.execute(self._note_id, row).scalar() is not None


def _note_version(insert: Any, tables: GuardTables) -> Executable:
    """Moves a user's version on and gives the one before; gives nothing if that would be a step back."""
    versions = tables.versions
    values: dict[str, Any] = {name: bindparam(name) for name in ("consumer", "topic", "key", "version")}
    statement = insert(versions).values(previous=0, **values)
    moved: Executable = statement.on_conflict_do_update(
        index_elements=[versions.c.consumer, versions.c.topic, versions.c.key],
        set_={"previous": versions.c.version, "version": statement.excluded.version},
        where=versions.c.version < statement.excluded.version,
    ).returning(versions.c.previous)
    return moved


def _short_id(event_id: str) -> str:
    """Any text, as what fits its column: an id that no database takes must not hold up its partition."""
    if len(event_id) <= _MAX_ID and event_id.isascii() and event_id.isprintable():
        return event_id
    return hashlib.sha256(event_id.encode(errors="surrogatepass")).hexdigest()


def _short_key(key: bytes) -> bytes:
    return key if len(key) <= _MAX_KEY else hashlib.sha256(key).digest()
