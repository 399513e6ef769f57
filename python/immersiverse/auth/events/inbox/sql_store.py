"""The SQL inbox's two tables and the statements on them; callers open, commit and roll back connections."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from immersiverse.auth.events.errors import ConfigurationError
from immersiverse.auth.events.inbox.interface import (
    Admission,
    Forgotten,
    Verdict,
    erases,
    identity,
    jumps,
)

if TYPE_CHECKING:
    from immersiverse.auth.events.v1.events_pb2 import AuthEvent

_INSERTS: Final[dict[str, Any]] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}
_MAX_ID = 64
_MAX_KEY = 255
_BATCH = 10_000  # rows per transaction: short enough not to disturb others
_LOCK = 0x617574685F6576  # of PostgreSQL's advisory locks: any number that others do not use


@dataclass(frozen=True, slots=True)
class InboxTables:
    """The tables of SQL inboxes.

    Attributes:
        handled: the `identity` of every handled event, by consumer, and when it was handled.
        versions: by consumer, topic and key the last handled version, the one before it, and the end of the
            day on which it was handled, in UTC (empty in rows of 0.1.0).
    """

    handled: sa.Table
    versions: sa.Table


def inbox_tables(metadata: sa.MetaData | None = None, *, schema: str | None = None) -> InboxTables:
    """Define the tables, for example in the metadata of a migration tool.

    Args:
        metadata: where to define them; a new one by default.
        schema: their database schema; the connection's by default.
    """
    metadata = sa.MetaData() if metadata is None else metadata
    if not isinstance(metadata, sa.MetaData):
        raise ConfigurationError("metadata", f"is SQLAlchemy's MetaData, not a {type(metadata).__name__}")
    handled = sa.Table(
        "auth_events_handled",
        metadata,
        sa.Column("consumer", sa.String(255), primary_key=True),
        sa.Column("event_id", sa.String(_MAX_ID), primary_key=True),
        sa.Column("handled_at", sa.DateTime(timezone=True), nullable=False, index=True),
        schema=schema,
    )
    versions = sa.Table(
        "auth_events_versions",
        metadata,
        sa.Column("consumer", sa.String(255), primary_key=True),
        sa.Column("topic", sa.String(249), primary_key=True),  # Kafka's longest name
        sa.Column("key", sa.LargeBinary(_MAX_KEY), primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("previous", sa.BigInteger, nullable=False),
        sa.Column("handled_at", sa.DateTime(timezone=True), index=True),
        schema=schema,
    )
    return InboxTables(handled, versions)


def create(connection: sa.Connection, tables: InboxTables) -> None:
    """Create missing tables, and the column and index that tables of 0.1.0 lack."""
    if connection.dialect.name == "postgresql":  # CREATE TABLE IF NOT EXISTS fails when two run it at once
        connection.execute(sa.text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
    tables.handled.create(connection, checkfirst=True)
    tables.versions.create(connection, checkfirst=True)
    existing = sa.inspect(connection).get_columns(tables.versions.name, tables.versions.schema)
    column = tables.versions.c.handled_at
    if column.name not in {each["name"] for each in existing}:
        name = connection.dialect.identifier_preparer.format_table(tables.versions)
        kind = column.type.compile(connection.dialect)
        connection.execute(sa.text(f"ALTER TABLE {name} ADD COLUMN {column.name} {kind}"))
    for index in tables.versions.indexes:
        index.create(connection, checkfirst=True)


class SqlStore:
    """The rows of one consumer; ``dialect`` is SQLAlchemy's name of the database system.

    Raises:
        ConfigurationError: if the database system is not supported.
    """

    def __init__(
        self, consumer: str, dialect: str, tables: InboxTables, max_version_jump: int | None = None
    ) -> None:
        if dialect not in _INSERTS:
            raise ConfigurationError("inbox", f"{dialect} is not supported: use PostgreSQL or SQLite")
        insert = _INSERTS[dialect]
        self._consumer = consumer
        self._tables = tables
        self._limit = max_version_jump
        self._insert_id: sa.Executable = (
            insert(tables.handled).on_conflict_do_nothing().returning(tables.handled.c.event_id)
        )
        self._raise_version = _raise_version(insert, tables.versions)
        self._last: sa.Executable = sa.select(tables.versions.c.version).where(
            *(tables.versions.c[name] == sa.bindparam(name) for name in ("consumer", "topic", "key"))
        )

    def record(self, connection: sa.Connection, event: AuthEvent, topic: str, key: bytes | None) -> Admission:
        """Record an event as handled, unless it is a duplicate or stale. Roll back unless it is fresh.

        It writes before the event is handled, so that another transaction with the same event waits for this
        one's end, and then finds a duplicate if this one was committed, or else a fresh event.
        """
        if (name := identity(event)) and not self._is_new(connection, name):
            return Admission(Verdict.DUPLICATE)
        if key is None:
            return Admission(Verdict.FRESH)
        admission = self._record_version(connection, event.version, topic, _short_key(key))
        if admission.verdict is Verdict.FRESH and erases(event):
            self.forget(connection, key)
        return admission

    def forget(self, connection: sa.Connection, key: bytes) -> Forgotten:
        """Delete the versions of a key on all topics."""
        versions = self._tables.versions
        of_key = sa.delete(versions).where(
            versions.c.consumer == self._consumer,
            versions.c.topic.in_(self._topics(connection)),
            versions.c.key == _short_key(key),
        )
        return Forgotten(versions=connection.execute(of_key).rowcount)

    def forget_batch(self, connection: sa.Connection) -> tuple[Forgotten, bool]:
        """Delete a batch of all rows; how many, and whether there may be more."""
        ids = self._delete(connection, self._tables.handled)
        versions = self._delete(connection, self._tables.versions)
        return Forgotten(ids, versions), bool(ids or versions)

    def prune_batch(self, connection: sa.Connection, older_than: timedelta) -> tuple[Forgotten, bool]:
        """Delete a batch of rows that are older; how many, and whether there may be more."""
        now, handled, versions = datetime.now(UTC), self._tables.handled, self._tables.versions
        # Rows of 0.1.0 have no time: they count from now.
        undated = sa.update(versions).where(self._batch(versions, versions.c.handled_at.is_(None)))
        dated = connection.execute(undated.values(handled_at=_end_of_day(now))).rowcount
        before = now - older_than
        ids = self._delete(connection, handled, handled.c.handled_at < before)
        forgotten = self._delete(connection, versions, versions.c.handled_at < before)
        return Forgotten(ids, forgotten), any((dated, ids, forgotten))

    def _topics(self, connection: sa.Connection) -> list[str]:
        """Topics that have versions, by one step in the primary key's index each: users are not scanned."""
        versions, topics = self._tables.versions, list[str]()
        topic: str | None = ""
        following = sa.select(sa.func.min(versions.c.topic)).where(
            versions.c.consumer == self._consumer, versions.c.topic > sa.bindparam("topic")
        )
        while (topic := connection.execute(following, {"topic": topic}).scalar()) is not None:
            topics.append(topic)
        return topics

    def _delete(self, connection: sa.Connection, table: sa.Table, *conditions: sa.ColumnElement[bool]) -> int:
        return connection.execute(sa.delete(table).where(self._batch(table, *conditions))).rowcount

    def _batch(self, table: sa.Table, *conditions: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
        """Some rows of this consumer, without those that others have locked: no waiting, no deadlock."""
        primary_key = tuple(table.primary_key.columns)
        rows = sa.select(*primary_key).where(table.c.consumer == self._consumer, *conditions).limit(_BATCH)
        return sa.tuple_(*primary_key).in_(rows.with_for_update(skip_locked=True))

    def _is_new(self, connection: sa.Connection, event_id: str) -> bool:
        row = {"consumer": self._consumer, "event_id": _short_id(event_id), "handled_at": datetime.now(UTC)}
        return connection.execute(self._insert_id, row).scalar() is not None

    def _record_version(self, connection: sa.Connection, version: int, topic: str, key: bytes) -> Admission:
        if version <= 0:
            return Admission(Verdict.FRESH)
        user = {"consumer": self._consumer, "topic": topic, "key": key}
        if jumps(version, 0, self._limit):  # else no last version makes it a jump: save the query
            last = connection.execute(self._last, user).scalar() or 0
            if jumps(version, last, self._limit):
                return Admission(Verdict.FRESH, last, jumped=True)
        row = {**user, "version": version, "handled_at": _end_of_day(datetime.now(UTC))}
        previous = connection.execute(self._raise_version, row).scalar()
        if previous is None:
            return Admission(Verdict.STALE, connection.execute(self._last, user).scalar() or 0)
        return Admission(Verdict.FRESH, previous)


def _raise_version(insert: Any, versions: sa.Table) -> sa.Executable:
    """Upsert of a user's version: returns the one before, and no row if the new one is not higher."""
    names = ("consumer", "topic", "key", "version", "handled_at")
    values: dict[str, Any] = {name: sa.bindparam(name) for name in names}
    statement = insert(versions).values(previous=0, **values)
    new = statement.excluded
    upsert: sa.Executable = statement.on_conflict_do_update(
        index_elements=[versions.c.consumer, versions.c.topic, versions.c.key],
        set_={"previous": versions.c.version, "version": new.version, "handled_at": new.handled_at},
        where=versions.c.version < new.version,
    ).returning(versions.c.previous)
    return upsert


def _end_of_day(now: datetime) -> datetime:
    """When a version counts as handled: equal all day, so that few events change the column's index."""
    return (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)


def _short_id(event_id: str) -> str:
    """An id that fits the column: a publisher's strange id must not block its partition."""
    if len(event_id) <= _MAX_ID and event_id.isascii() and event_id.isprintable():
        return event_id
    return hashlib.sha256(event_id.encode(errors="surrogatepass")).hexdigest()


def _short_key(key: bytes) -> bytes:
    return key if len(key) <= _MAX_KEY else hashlib.sha256(key).digest()
