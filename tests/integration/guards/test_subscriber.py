"""A subscriber with a guard, when events come again on a real broker."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from contextlib import ExitStack
from functools import partial

import pytest
import redis
import redis.asyncio
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from immersiverse.auth.events import ConfigurationError, LoggedOut
from immersiverse.auth.events.guards import AsyncRedisGuard, AsyncSqlGuard, MemoryGuard, RedisGuard, SqlGuard
from immersiverse.auth.events.kafka.consumer.records import Context
from immersiverse.auth.events.observability.hooks import DeadLettered, Dropped, Retried
from integration.guards.consuming import QUICK, publish, subscriber
from integration.running import eventually, logged_out, running
from stack.postgres import postgres as started_postgres

INSERT = text("INSERT INTO effects (id) VALUES (:id)")


@pytest.fixture
def engine(postgres):
    engine = create_engine(postgres.url)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE IF EXISTS effects"))
        connection.execute(text("CREATE TABLE effects (id TEXT)"))
        connection.execute(text("DROP TABLE IF EXISTS auth_events_handled, auth_events_versions"))
    SqlGuard(engine, "tests").create_tables()
    yield engine
    engine.dispose()


def effects(engine):
    with engine.connect() as connection:
        return Counter(connection.execute(text("SELECT id FROM effects")).scalars())


@pytest.mark.parametrize("concurrency", [1, 8])
def test_with_a_sql_guard_each_event_has_its_effect_once_however_often_it_comes(
    kafka, topic, engine, concurrency
):
    events = [logged_out(f"user-{number % 7}", str(number)) for number in range(60)]
    publish(kafka, topic, *events, *events[::2])
    failed = set()

    def handle(event, payload, context: Context):
        context.transaction.execute(INSERT, {"id": event.event_id})
        if int(payload.session_id) % 10 == 0 and event.event_id not in failed:
            failed.add(event.event_id)
            raise OSError("after the effect")

    for repeats in (30, 90):
        heard = []
        guard = SqlGuard(engine, "tests")
        consuming = subscriber(kafka, topic, guard, hooks=[heard.append], concurrency=concurrency)
        consuming.on(LoggedOut)(handle)
        with running(consuming):
            eventually(partial(dropped, heard, repeats))
    assert effects(engine) == dict.fromkeys([event.event_id for event in events], 1)
    assert len(failed) == 6


def dropped(heard, count):
    return sum(isinstance(detail, Dropped) for detail in heard) == count


def test_async_handlers_write_in_the_transaction_of_an_async_guard(kafka, topic, engine):
    events = [logged_out(f"user-{number % 7}", str(number)) for number in range(60)]
    publish(kafka, topic, *events, *events)
    database = create_async_engine(engine.url, poolclass=NullPool)
    heard, failed = [], set()
    guard = AsyncSqlGuard(database, "tests")
    consuming = subscriber(kafka, topic, guard, hooks=[heard.append], concurrency=8)

    @consuming.on(LoggedOut)
    async def handle(event, payload, context: Context):
        await context.transaction.execute(INSERT, {"id": event.event_id})
        if int(payload.session_id) % 10 == 0 and event.event_id not in failed:
            failed.add(event.event_id)
            raise OSError("after the effect")

    with running(consuming):
        eventually(lambda: dropped(heard, 60))
    assert effects(engine) == dict.fromkeys([event.event_id for event in events], 1)


@pytest.mark.parametrize("kind", ["memory", "redis"])
def test_other_guards_keep_repeats_from_handlers_too(kafka, topic, request, kind):
    events = [logged_out(f"user-{number % 7}", str(number)) for number in range(30)]
    publish(kafka, topic, *events, *events)
    heard, handled = [], []
    with ExitStack() as stack:
        guard = MemoryGuard()
        if kind == "redis":
            url = request.getfixturevalue("redis_server").url
            guard = RedisGuard(stack.enter_context(redis.Redis.from_url(url)), str(uuid.uuid4()))
        consuming = subscriber(kafka, topic, guard, hooks=[heard.append], concurrency=4)
        consuming.on(LoggedOut)(lambda event, _payload: handled.append(event.event_id))
        with running(consuming):
            eventually(lambda: dropped(heard, 30))
    assert sorted(handled) == sorted(event.event_id for event in events)


def test_async_handlers_are_guarded_by_redis_in_their_own_event_loop(kafka, topic, redis_server):
    events = [logged_out(f"user-{number % 7}", str(number)) for number in range(30)]
    publish(kafka, topic, *events, *events)
    heard, handled = [], []

    async def consume():
        async with redis.asyncio.Redis.from_url(redis_server.url) as client:
            guard = AsyncRedisGuard(client, str(uuid.uuid4()))
            consuming = subscriber(kafka, topic, guard, hooks=[heard.append], concurrency=4)

            @consuming.on(LoggedOut)
            async def handle(event, _payload):
                handled.append(event.event_id)

            task = asyncio.create_task(consuming.run_async())
            await asyncio.to_thread(eventually, lambda: dropped(heard, 30))
            consuming.stop()
            await task

    asyncio.run(consume())
    assert sorted(handled) == sorted(event.event_id for event in events)


def test_while_the_guards_database_is_away_events_wait_and_none_is_put_aside(kafka, topic):
    with started_postgres() as server:
        engine = create_engine(server.url)
        guard = SqlGuard(engine, "tests")
        guard.create_tables()
        heard, handled = [], []
        consuming = subscriber(kafka, topic, guard, hooks=[heard.append])
        consuming.on(LoggedOut)(lambda event, _payload: handled.append(event.event_id))
        first, second = logged_out("user-1"), logged_out("user-2")
        publish(kafka, topic, first)
        with running(consuming):
            eventually(lambda: handled == [first.event_id])
            server.stop()
            publish(kafka, topic, second)
            eventually(lambda: sum(isinstance(detail, Retried) for detail in heard) > 2 * QUICK.attempts)
            server.start()
            eventually(lambda: handled == [first.event_id, second.event_id])
        assert not any(isinstance(detail, DeadLettered) for detail in heard)
        engine.dispose()


def test_a_guard_that_would_block_an_event_loop_does_not_serve_async_handlers(kafka, topic, engine):
    consuming = subscriber(kafka, topic, SqlGuard(engine, "tests"))

    @consuming.on(LoggedOut)
    async def handle(_event, _payload):
        pass

    with pytest.raises(ConfigurationError, match="AsyncSqlGuard"):
        consuming.run()


def test_a_guard_for_async_handlers_does_not_serve_plain_ones(kafka, topic):
    database = create_async_engine("postgresql+psycopg://nowhere/")
    consuming = subscriber(kafka, topic, AsyncSqlGuard(database, "tests"))
    consuming.on(LoggedOut)(lambda _event, _payload: None)
    with pytest.raises(ConfigurationError, match="guard"):
        consuming.run()
