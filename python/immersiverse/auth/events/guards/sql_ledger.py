"""What a SQL guard asks and writes, on a connection that its caller opens and commits."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import ColumnElement, bindparam, delete, func, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from immersiverse.auth.events.errors import ConfigurationError
from immersiverse.auth.events.guards.guard import (
    Admission,
    Forgotten,
    Verdict,
    erases,
    jumps,
    require_limit,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection, Executable, Table

    from immersiverse.auth.events.guards.sql_tables import GuardTables
    from immersiverse.auth.events.v1.events_pb2 import AuthEvent

_INSERTS: Final[dict[str, Any]] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}
_MAX_ID = 64
_MAX_KEY = 255
_BATCH = 10_000  # rows: a transaction that others hardly notice


class Ledger:
    """The memory of one consumer.

    Args:
        consumer: whose memory it is.
        dialect: SQLAlchemy's name of the database's kind.
        tables: where it is.
        max_version_jump: by how much a version may pass the last one; None for no limit.

    Raises:
        ConfigurationError: if the database is of a kind that is not known here, or the limit lets none pass.
    """

    def __init__(
        self, consumer: str, dialect: str, tables: GuardTables, max_version_jump: int | None = None
    ) -> None:
        if dialect not in _INSERTS:
            raise ConfigurationError("guard", f"{dialect} is not supported: use PostgreSQL or SQLite")
        require_limit(max_version_jump)
        insert = _INSERTS[dialect]
        self._consumer = consumer
        self._tables = tables
        self._limit = max_version_jump
        self._note_id: Executable = (
            insert(tables.handled).on_conflict_do_nothing().returning(tables.handled.c.event_id)
        )
        self._note_version = _note_version(insert, tables)
        self._last: Executable = select(tables.versions.c.version).where(
            tables.versions.c.consumer == bindparam("consumer"),
            tables.versions.c.topic == bindparam("topic"),
            tables.versions.c.key == bindparam("key"),
        )

    def note(self, connection: Connection, event: AuthEvent, topic: str, key: bytes | None) -> Admission:
        """Write an event down as handled, unless it is a duplicate or stale.

        Writing comes first: another transaction with the same event waits here until this one ends, and then
        finds the event handled, or goes on in its place. Only a fresh event's transaction is to be committed.
        """
        if event.event_id and not self._is_new(connection, event.event_id):
            return Admission(Verdict.DUPLICATE)
        if key is None:
            return Admission(Verdict.FRESH)
        admission = self._judge_version(connection, event.version, topic, _short_key(key))
        if admission.verdict is Verdict.FRESH and erases(event):
            self.forget(connection, key)
        return admission

    def forget(self, connection: Connection, key: bytes) -> Forgotten:
        """Forget the versions of a key, on all topics."""
        versions = self._tables.versions
        forgotten = delete(versions).where(
            versions.c.consumer == self._consumer,
            versions.c.topic.in_(self._topics(connection)),
            versions.c.key == _short_key(key),
        )
        return Forgotten(versions=connection.execute(forgotten).rowcount)

    def forget_some(self, connection: Connection) -> tuple[Forgotten, bool]:
        """Forget a batch of everything; how much that was, and whether more may be left."""
        forgotten = Forgotten(
            *(self._delete(connection, table) for table in (self._tables.handled, self._tables.versions))
        )
        return forgotten, any(forgotten)

    def prune(self, connection: Connection, older_than: timedelta) -> tuple[Forgotten, bool]:
        """Forget a batch of what was handled so long ago: how much, and whether more may be left."""
        now, versions = datetime.now(UTC), self._tables.versions
        # Rows that 0.1.0 wrote say no time: they count from now.
        undated = self._batch(versions, versions.c.handled_at.is_(None))
        dated = connection.execute(
            update(versions).where(undated).values(handled_at=_end_of_day(now))
        ).rowcount
        forgotten = Forgotten(
            *(
                self._delete(connection, table, table.c.handled_at < now - older_than)
                for table in (self._tables.handled, versions)
            )
        )
        return forgotten, any((dated, *forgotten))

    def _topics(self, connection: Connection) -> list[str]:
        """The topics of all versions: one step in the primary key's index for each, no scan of all users."""
        versions, topics = self._tables.versions, list[str]()
        topic: str | None = ""
        following = select(func.min(versions.c.topic)).where(
            versions.c.consumer == self._consumer, versions.c.topic > bindparam("topic")
        )
        while (topic := connection.execute(following, {"topic": topic}).scalar()) is not None:
            topics.append(topic)
        return topics

    def _delete(self, connection: Connection, table: Table, *conditions: ColumnElement[bool]) -> int:
        return connection.execute(delete(table).where(self._batch(table, *conditions))).rowcount

    def _batch(self, table: Table, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
        """Some rows of this consumer. Rows that others have locked are left out: no waiting, no deadlock."""
        primary_key = tuple(table.primary_key.columns)
        rows = select(*primary_key).where(table.c.consumer == self._consumer, *conditions).limit(_BATCH)
        return tuple_(*primary_key).in_(rows.with_for_update(skip_locked=True))

    def _judge_version(self, connection: Connection, version: int, topic: str, key: bytes) -> Admission:
        if version <= 0:
            return Admission(Verdict.FRESH)
        user = {"consumer": self._consumer, "topic": topic, "key": key}
        if jumps(version, 0, self._limit):  # only then the last one can matter
            last = connection.execute(self._last, user).scalar() or 0
            if jumps(version, last, self._limit):
                return Admission(Verdict.FRESH, last, jumped=True)
        row = {**user, "version": version, "handled_at": _end_of_day(datetime.now(UTC))}
        previous = connection.execute(self._note_version, row).scalar()
        if previous is None:
            return Admission(Verdict.STALE, connection.execute(self._last, user).scalar() or 0)
        return Admission(Verdict.FRESH, previous)

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
    names = ("consumer", "topic", "key", "version", "handled_at")
    values: dict[str, Any] = {name: bindparam(name) for name in names}
    statement = insert(versions).values(previous=0, **values)
    new = statement.excluded
    moved: Executable = statement.on_conflict_do_update(
        index_elements=[versions.c.consumer, versions.c.topic, versions.c.key],
        set_={"previous": versions.c.version, "version": new.version, "handled_at": new.handled_at},
        where=versions.c.version < new.version,
    ).returning(versions.c.previous)
    return moved


def _end_of_day(now: datetime) -> datetime:
    """When a version counts as handled: the same all day, so that not every event changes its index."""
    return (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)


def _short_id(event_id: str) -> str:
    """Any text, as what fits its column: an id that no database takes must not hold up its partition."""
    if len(event_id) <= _MAX_ID and event_id.isascii() and event_id.isprintable():
        return event_id
    return hashlib.sha256(event_id.encode(errors="surrogatepass")).hexdigest()


def _short_key(key: bytes) -> bytes:
    return key if len(key) <= _MAX_KEY else hashlib.sha256(key).digest()
