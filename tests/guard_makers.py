"""Guards of every kind for tests, each with an empty memory, gone at the end."""

from __future__ import annotations

import asyncio
import inspect
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import redis
import redis.asyncio
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import sessionmaker

from immersiverse.auth.events.guards import (
    Admission,
    AsyncRedisGuard,
    AsyncSqlGuard,
    Forgotten,
    Guard,
    MemoryGuard,
    RedisGuard,
    SqlGuard,
)
from immersiverse.auth.events.v1.events_pb2 import AuthEvent


class Blocking:
    """An async guard as a plain one, for tests that hold for both."""

    def __init__(self, guard: Any, runner: asyncio.Runner) -> None:
        self._guard = guard
        self._runner = runner

    def admit(self, event: AuthEvent, topic: str, key: bytes | None) -> AbstractContextManager[Admission]:
        """See `Guard.admit`."""
        return _Held(self._guard.admit_async(event, topic, key), self._runner)

    def forget(self, key: bytes) -> Forgotten:
        """See `SqlGuard.forget`."""
        return self._finished(self._guard.forget(key))

    def forget_all(self) -> Forgotten:
        """See `SqlGuard.forget_all`."""
        return self._finished(self._guard.forget_all())

    def _finished(self, called: Any) -> Forgotten:
        forgotten: Forgotten = self._runner.run(called) if inspect.isawaitable(called) else called
        return forgotten


class _Held:
    def __init__(self, held: Any, runner: asyncio.Runner) -> None:
        self._held = held
        self._runner = runner

    def __enter__(self) -> Admission:
        admission: Admission = self._runner.run(self._held.__aenter__())
        return admission

    def __exit__(self, *raised: object) -> bool | None:
        suppressed: bool | None = self._runner.run(self._held.__aexit__(*raised))
        return suppressed


@contextmanager
def memory(*, blocking: bool = True, **options: Any) -> Iterator[Guard]:
    """A memory guard, as it serves plain or async handlers."""
    if blocking:
        yield MemoryGuard(**options)
        return
    with asyncio.Runner() as runner:
        yield Blocking(MemoryGuard(**options), runner)


@contextmanager
def sql(url: str, *, session: bool = False, **options: Any) -> Iterator[Guard]:
    """A guard in a database, with connections or sessions; it shares the tables with all others."""
    engine = create_engine(url)
    guard = SqlGuard(sessionmaker(engine) if session else engine, uuid.uuid4().hex, **options)
    guard.create_tables()
    try:
        yield guard
    finally:
        engine.dispose()


@contextmanager
def sql_async(url: str, *, session: bool = False, **options: Any) -> Iterator[Guard]:
    """The same for async handlers."""
    with asyncio.Runner() as runner:
        engine = create_async_engine(url)
        guard = AsyncSqlGuard(async_sessionmaker(engine) if session else engine, uuid.uuid4().hex, **options)
        runner.run(guard.create_tables())
        try:
            yield Blocking(guard, runner)
        finally:
            runner.run(engine.dispose())


@contextmanager
def in_redis(url: str, **options: Any) -> Iterator[RedisGuard]:
    """A guard in Redis."""
    with redis.Redis.from_url(url) as client:
        yield RedisGuard(client, uuid.uuid4().hex, **options)


@contextmanager
def in_redis_async(url: str, **options: Any) -> Iterator[Guard]:
    """The same for async handlers."""
    with asyncio.Runner() as runner:
        client = redis.asyncio.Redis.from_url(url)
        try:
            yield Blocking(AsyncRedisGuard(client, uuid.uuid4().hex, **options), runner)
        finally:
            runner.run(client.aclose())
