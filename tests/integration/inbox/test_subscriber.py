"""A subscriber with an inbox on a real broker, when events are redelivered."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import ExitStack
from functools import partial

import pytest
import redis
import redis.asyncio
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from immersiverse.auth.events import (
    AsyncRedisInbox,
    AsyncSqlInbox,
    ConfigurationError,
    LoggedOut,
    MemoryInbox,
    RedisInbox,
    SqlInbox,
)
from immersiverse.auth.events.kafka.context import Context
from immersiverse.auth.events.observability.hooks import DeadLettered, Dropped, Retried
from inboxes.makers import created, effects_in
from integration.inbox.consuming import QUICK, publish, subscriber
from integration.running import eventually, logged_out, running
from stack.postgres import postgres as started_postgres

INSERT = text("INSERT INTO effects (id) VALUES (:id)")


@pytest.mark.parametrize("concurrency", [1, 8])
def test_with_a_sql_inbox_each_event_has_its_effect_exactly_once(kafka, topic, inbox, engine, concurrency):
    events = [logged_out(f"user-{number % 7}", str(number)) for number in range(60)]
    publish(kafka, topic, *events, *events[::2])
    failed = set()

    def handle(event, payload, context: Context):
        context.transaction.execute(INSERT, {"id": event.event_id})
        if int(payload.session_id) % 10 == 0 and event.event_id not in failed:
            failed.add(event.event_id)
            raise OSError("after the effect")

    for duplicates in (30, 90):
        seen = []
        consuming = subscriber(kafka, topic, inbox, hooks=[seen.append], concurrency=concurrency)
        consuming.on(LoggedOut)(handle)
        with running(consuming):
            eventually(partial(dropped, seen, duplicates))
    assert effects_in(engine) == sorted(event.event_id for event in events)
    assert len(failed) == 6


def dropped(seen, count):
    return sum(isinstance(detail, Dropped) for detail in seen) == count


@pytest.mark.usefixtures("inbox")
def test_async_handlers_write_in_an_async_inboxes_transaction(kafka, topic, engine):
    events = [logged_out(f"user-{number % 7}", str(number)) for number in range(60)]
    publish(kafka, topic, *events, *events)
    database = create_async_engine(engine.url, poolclass=NullPool)
    seen, failed = [], set()
    async_inbox = AsyncSqlInbox(database, "tests")
    consuming = subscriber(kafka, topic, async_inbox, hooks=[seen.append], concurrency=8)

    @consuming.on(LoggedOut)
    async def handle(event, payload, context: Context):
        await context.transaction.execute(INSERT, {"id": event.event_id})
        if int(payload.session_id) % 10 == 0 and event.event_id not in failed:
            failed.add(event.event_id)
            raise OSError("after the effect")

    with running(consuming):
        eventually(lambda: dropped(seen, 60))
    assert effects_in(engine) == sorted(event.event_id for event in events)


@pytest.mark.parametrize("kind", ["memory", "redis"])
def test_other_inboxes_drop_duplicates_too(kafka, topic, request, kind):
    events = [logged_out(f"user-{number % 7}", str(number)) for number in range(30)]
    publish(kafka, topic, *events, *events)
    seen, handled = [], []
    with ExitStack() as stack:
        inbox = MemoryInbox()
        if kind == "redis":
            url = request.getfixturevalue("redis_server").url
            inbox = RedisInbox(stack.enter_context(redis.Redis.from_url(url)), str(uuid.uuid4()))
        consuming = subscriber(kafka, topic, inbox, hooks=[seen.append], concurrency=4)
        consuming.on(LoggedOut)(lambda event, _payload: handled.append(event.event_id))
        with running(consuming):
            eventually(lambda: dropped(seen, 30))
    assert sorted(handled) == sorted(event.event_id for event in events)


def test_an_async_redis_inbox_drops_duplicates_in_the_handlers_event_loop(kafka, topic, redis_server):
    events = [logged_out(f"user-{number % 7}", str(number)) for number in range(30)]
    publish(kafka, topic, *events, *events)
    seen, handled = [], []

    async def consume():
        async with redis.asyncio.Redis.from_url(redis_server.url) as client:
            inbox = AsyncRedisInbox(client, str(uuid.uuid4()))
            consuming = subscriber(kafka, topic, inbox, hooks=[seen.append], concurrency=4)

            @consuming.on(LoggedOut)
            async def handle(event, _payload):
                handled.append(event.event_id)

            task = asyncio.create_task(consuming.run_async())
            await asyncio.to_thread(eventually, lambda: dropped(seen, 30))
            consuming.stop()
            await task

    asyncio.run(consume())
    assert sorted(handled) == sorted(event.event_id for event in events)


def test_while_the_database_is_stopped_events_wait_and_none_is_dead_lettered(kafka, topic):
    with started_postgres() as server:
        engine = create_engine(server.url)
        inbox = created(SqlInbox(engine, "tests"))
        seen, handled = [], []
        consuming = subscriber(kafka, topic, inbox, hooks=[seen.append])
        consuming.on(LoggedOut)(lambda event, _payload: handled.append(event.event_id))
        first, second = logged_out("user-1"), logged_out("user-2")
        publish(kafka, topic, first)
        with running(consuming):
            eventually(lambda: handled == [first.event_id])
            server.stop()
            publish(kafka, topic, second)
            eventually(lambda: sum(isinstance(detail, Retried) for detail in seen) > 2 * QUICK.attempts)
            server.start()
            eventually(lambda: handled == [first.event_id, second.event_id])
        assert not any(isinstance(detail, DeadLettered) for detail in seen)
        engine.dispose()


def test_an_inbox_that_would_block_the_event_loop_is_refused_for_async_handlers(kafka, topic, engine):
    consuming = subscriber(kafka, topic, SqlInbox(engine, "tests"))

    @consuming.on(LoggedOut)
    async def handle(_event, _payload):
        pass

    with pytest.raises(ConfigurationError, match="AsyncSqlInbox"):
        consuming.run()


def test_an_async_inbox_is_refused_for_plain_handlers(kafka, topic):
    database = create_async_engine("postgresql+psycopg://nowhere/")
    consuming = subscriber(kafka, topic, AsyncSqlInbox(database, "tests"))
    consuming.on(LoggedOut)(lambda _event, _payload: None)
    with pytest.raises(ConfigurationError, match="inbox"):
        consuming.run()
