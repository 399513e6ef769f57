"""Inboxes of every kind for tests, empty at first and gone at the end, and a database for their handlers."""

from __future__ import annotations

import asyncio
import inspect
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import redis
import redis.asyncio
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import sessionmaker

from immersiverse.auth.events import (
    Admission,
    AsyncRedisInbox,
    AsyncSqlInbox,
    Forgotten,
    Inbox,
    MemoryInbox,
    RedisInbox,
    SqlInbox,
)
from immersiverse.auth.events.v1.events_pb2 import AuthEvent


@contextmanager
def database(url: str, *, effects: str = "id TEXT", **options: Any) -> Iterator[Engine]:
    """An engine, whose database has a new table of effects and no tables of inboxes.

    Args:
        url: the database.
        effects: columns of the table ``effects``.
        options: of the engine.
    """
    engine = create_engine(url, **options)
    with engine.begin() as connection:
        for table in ("effects", "auth_events_handled", "auth_events_versions"):
            connection.execute(text(f"DROP TABLE IF EXISTS {table}"))
        connection.execute(text(f"CREATE TABLE effects ({effects})"))
    try:
        yield engine
    finally:
        engine.dispose()


def created(inbox: SqlInbox) -> SqlInbox:
    """An inbox, with its tables created."""
    inbox.create_tables()
    return inbox


def effects_in(engine: Engine) -> list[str]:
    """The ids of the effects, sorted."""
    with engine.connect() as connection:
        return sorted(connection.execute(text("SELECT id FROM effects")).scalars())


class Blocking:
    """An async inbox as a plain one, for tests of both."""

    def __init__(self, inbox: Any, runner: asyncio.Runner) -> None:
        self._inbox = inbox
        self._runner = runner

    def admit(self, event: AuthEvent, topic: str, key: bytes | None) -> AbstractContextManager[Admission]:
        """See `Inbox.admit`."""
        return _BlockingContext(self._inbox.admit_async(event, topic, key), self._runner)

    def forget(self, key: bytes) -> Forgotten:
        """See `SqlInbox.forget`."""
        return self._result(self._inbox.forget(key))

    def forget_all(self) -> Forgotten:
        """See `SqlInbox.forget_all`."""
        return self._result(self._inbox.forget_all())

    def _result(self, returned: Any) -> Forgotten:
        forgotten: Forgotten = self._runner.run(returned) if inspect.iscoroutine(returned) else returned
        return forgotten


class _BlockingContext:
    def __init__(self, context: Any, runner: asyncio.Runner) -> None:
        self._context = context
        self._runner = runner

    def __enter__(self) -> Admission:
        admission: Admission = self._runner.run(self._context.__aenter__())
        return admission

    def __exit__(self, *raised: object) -> bool | None:
        suppressed: bool | None = self._runner.run(self._context.__aexit__(*raised))
        return suppressed


@contextmanager
def memory(*, blocking: bool = True, **options: Any) -> Iterator[Inbox]:
    """A memory inbox, in its form for plain or for async handlers."""
    if blocking:
        yield MemoryInbox(**options)
        return
    with asyncio.Runner() as runner:
        yield Blocking(MemoryInbox(**options), runner)


@contextmanager
def sql(url: str, *, session: bool = False, **options: Any) -> Iterator[Inbox]:
    """A SQL inbox, with connections or sessions; it shares the tables with all others."""
    engine = create_engine(url)
    try:
        yield created(SqlInbox(sessionmaker(engine) if session else engine, uuid.uuid4().hex, **options))
    finally:
        engine.dispose()


@contextmanager
def sql_async(url: str, *, session: bool = False, driver: str = "psycopg", **options: Any) -> Iterator[Inbox]:
    """`sql` for async handlers; the driver is that of PostgreSQL."""
    with asyncio.Runner() as runner:
        engine = create_async_engine(url.replace("+psycopg", f"+{driver}"))
        inbox = AsyncSqlInbox(async_sessionmaker(engine) if session else engine, uuid.uuid4().hex, **options)
        runner.run(inbox.create_tables())
        try:
            yield Blocking(inbox, runner)
        finally:
            runner.run(engine.dispose())


@contextmanager
def in_redis(url: str, **options: Any) -> Iterator[RedisInbox]:
    """A Redis inbox."""
    with redis.Redis.from_url(url) as client:
        yield RedisInbox(client, uuid.uuid4().hex, **options)


@contextmanager
def in_redis_async(url: str, **options: Any) -> Iterator[Inbox]:
    """`in_redis` for async handlers."""
    with asyncio.Runner() as runner:
        client = redis.asyncio.Redis.from_url(url)
        try:
            yield Blocking(AsyncRedisInbox(client, uuid.uuid4().hex, **options), runner)
        finally:
            runner.run(client.aclose())
