"""Adds events to the outbox in the caller's transaction: they are published if and only if it commits."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.util import greenlet_spawn

from immersiverse.auth.events.errors import ConfigurationError, InvalidEvent
from immersiverse.auth.events.events import payload_of
from immersiverse.auth.events.kafka.config import require_method
from immersiverse.auth.events.outbox.tables import (
    HEADERS,
    MESSAGE,
    OutboxTables,
    database_errors,
    shard_of,
    tables_of,
)
from immersiverse.auth.events.v1.events_pb2 import AuthEvent
from immersiverse.auth.events.validation import validate

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession
    from sqlalchemy.orm import Session

    from immersiverse.auth.events.observability.tracing import OutboxTracer
    from immersiverse.auth.events.serialization.serializer import AuthEventSerializer, SerializedEvent

MAX_MESSAGE_BYTES: Final = 1_000_000
"""Default limit of a message: a little less than Kafka's, which counts some bytes of its own."""
_COLUMN_OF: Final = {header: column for column, header in HEADERS.items()}
_COLUMNS: Final = ("shard", *MESSAGE)


class Outbox:
    """Adds events in the caller's transaction, for plain SQLAlchemy connections and sessions.

    Args:
        serializer: how events become messages: format, registry, topics. It asks the registry in the first
            transaction unless it is made `ready` before; a `PinnedSchemas` never does.
        tables: the outbox's tables, if they are not in the connection's default schema.
        assign_versions: number each user's events. Leave that to the one service that owns the users: the
            events of others stay unnumbered.
        max_message_bytes: the largest message that Kafka's topics take; a larger event is refused here.
        tracer: gives each event the trace of its transaction.

    Raises:
        ConfigurationError: if an argument is something else.
    """

    def __init__(
        self,
        serializer: AuthEventSerializer,
        *,
        tables: OutboxTables | None = None,
        assign_versions: bool = True,
        max_message_bytes: int = MAX_MESSAGE_BYTES,
        tracer: OutboxTracer | None = None,
    ) -> None:
        require_method("serialize", serializer=serializer)
        self._serializer = serializer
        self._tables = tables_of(tables)
        self._assign_versions = assign_versions
        self._max_message_bytes = max_message_bytes
        self._tracer = tracer
        values = ", ".join(f":{column}" for column in _COLUMNS)
        self._insert = sa.text(f"INSERT INTO {self._tables.outbox} ({', '.join(_COLUMNS)}) VALUES ({values})")
        # Locks the user's row until the transaction ends: another writer of the user waits here, so that the
        # order of versions is the order of commits.
        self._next_version = sa.text(
            f"INSERT INTO {self._tables.versions} AS v (user_id, version) VALUES (:user_id, :count) "
            "ON CONFLICT (user_id) DO UPDATE SET version = v.version + excluded.version RETURNING version"
        )

    def ready(self, *topics: str) -> None:
        """Look up schema ids now, so that no transaction waits for the registry.

        Args:
            topics: whose; those of all events unless given.

        Raises:
            RegistryError: if one of them cannot be had.
        """
        for topic in topics or self._serializer.topics:
            self._serializer.look_up(topic)

    def add(self, transaction: sa.Connection | Session, event: AuthEvent) -> AuthEvent:
        """Add an event to the caller's transaction. Nothing is sent before, or unless, it commits.

        Args:
            transaction: the connection or session that the caller commits.
            event: an event made by ``new_event``; its version must be 0.

        Returns:
            The event as it will be published, with its version.

        Raises:
            InvalidEvent: if the event breaks the contract, has a version already, or is too large.
            RegistryError: if its schema id is not known yet and cannot be had.
            OutboxUnavailable: if the database refuses. The transaction must be rolled back, as after every
                error of its database.
        """
        return self.add_all(transaction, (event,))[0]

    def add_all(self, transaction: sa.Connection | Session, events: Iterable[AuthEvent]) -> list[AuthEvent]:
        """`add` for several events, of any users, in their order.

        Users are locked in the order of their ids. Two transactions that each add events of several users
        with one call never wait for each other in a circle; with several calls they may.
        """
        numbered = [self._checked(event) for event in events]
        connection = transaction if isinstance(transaction, sa.Connection) else transaction.connection()
        with database_errors("cannot add to the outbox"):
            if self._assign_versions:
                self._number(connection, numbered)
            rows = [self._row(event) for event in numbered]
            if rows:
                connection.execute(self._insert, rows)
        return numbered

    def create_all(self, engine: sa.Engine) -> None:
        """Create the tables that are missing, for tests and first steps; else see ``auth-events outbox ddl``.

        Raises:
            ConfigurationError: if the database system is not supported.
            OutboxUnavailable: if the database does not answer or refuses.
        """
        self._tables.create_in(engine)

    def _checked(self, event: AuthEvent) -> AuthEvent:
        """A valid copy, which is numbered: the caller may add the same event again after a rollback."""
        if not isinstance(event, AuthEvent):
            raise InvalidEvent(type(event).__name__, "", "is not an AuthEvent: make one with new_event")
        if event.version and self._assign_versions:
            raise InvalidEvent("AuthEvent", "version", "is assigned by the outbox: leave it at 0")
        validate(event)
        copy = AuthEvent()
        copy.CopyFrom(event)
        return copy

    def _number(self, connection: sa.Connection, events: Sequence[AuthEvent]) -> None:
        users = [_user_of(event) for event in events]
        counts = Counter(user for user in users if user)
        following = dict[str, int]()
        for user in sorted(counts):
            last = connection.execute(
                self._next_version, {"user_id": user, "count": counts[user]}
            ).scalar_one()
            following[user] = last - counts[user]
        for event, user in zip(events, users, strict=True):
            if user:
                following[user] += 1
                event.version = following[user]

    def _row(self, event: AuthEvent) -> dict[str, Any]:
        message = self._serializer.serialize(event)
        headers = [*message.headers, *self._trace(message)]
        size = len(message.value) + len(message.key) + sum(len(name) + len(value) for name, value in headers)
        if size > self._max_message_bytes:
            rule = f"its message has {size} bytes, more than {self._max_message_bytes}"
            raise InvalidEvent(message.event_type, "", rule)
        key = message.key.decode()
        row: dict[str, Any] = dict.fromkeys(_COLUMNS)
        row |= {"shard": shard_of(key), "aggregatetype": message.topic, "aggregateid": key}
        row["payload"] = message.value
        for name, value in headers:
            column = _COLUMN_OF.get(name)
            if column is None:
                raise ConfigurationError("serializer", f"the outbox has no column for the header {name}")
            row[column] = value.decode()
        return row

    def _trace(self, message: SerializedEvent) -> tuple[tuple[str, bytes], ...]:
        """Headers of the trace; those of propagators for which the outbox has no column are left out."""
        headers = () if self._tracer is None else self._tracer.adding(message)
        return tuple((name, value) for name, value in headers if name in _COLUMN_OF)


class AsyncOutbox:
    """`Outbox` for SQLAlchemy's asyncio extension. Arguments and errors are the same."""

    def __init__(
        self,
        serializer: AuthEventSerializer,
        *,
        tables: OutboxTables | None = None,
        assign_versions: bool = True,
        max_message_bytes: int = MAX_MESSAGE_BYTES,
        tracer: OutboxTracer | None = None,
    ) -> None:
        self._outbox = Outbox(
            serializer,
            tables=tables,
            assign_versions=assign_versions,
            max_message_bytes=max_message_bytes,
            tracer=tracer,
        )

    async def ready(self, *topics: str) -> None:
        """See `Outbox.ready`; the event loop goes on meanwhile."""
        await asyncio.to_thread(self._outbox.ready, *topics)

    async def add(self, transaction: AsyncConnection | AsyncSession, event: AuthEvent) -> AuthEvent:
        """See `Outbox.add`."""
        return await transaction.run_sync(self._outbox.add, event)

    async def add_all(
        self, transaction: AsyncConnection | AsyncSession, events: Iterable[AuthEvent]
    ) -> list[AuthEvent]:
        """See `Outbox.add_all`."""
        return await transaction.run_sync(self._outbox.add_all, list(events))

    async def create_all(self, engine: AsyncEngine) -> None:
        """See `Outbox.create_all`."""
        await greenlet_spawn(self._outbox.create_all, engine.sync_engine)


def _user_of(event: AuthEvent) -> str:
    return getattr(payload_of(event), "user_id", "")
