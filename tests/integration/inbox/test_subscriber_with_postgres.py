"""A subscriber with an inbox in PostgreSQL: what is retried, what is dead-lettered, what is pruned."""

from __future__ import annotations

import asyncio
import logging
import threading
import uuid
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from confluent_kafka.admin import AdminClient, NewTopic
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, sessionmaker

from immersiverse.auth.events import AsyncSqlInbox, LoggedOut, MemoryInbox, SqlInbox, inbox_tables
from immersiverse.auth.events.inbox.interface import REMEMBER
from immersiverse.auth.events.kafka.consumer.records import Context
from immersiverse.auth.events.kafka.dead_letters import DeadLetters
from immersiverse.auth.events.observability.hooks import DeadLettered, Retried, VersionJump
from inboxes.makers import created, database, effects_in
from integration.inbox.consuming import publish, subscriber
from integration.running import eventually, logged_out, running

EFFECT = text("INSERT INTO effects (id) VALUES (:id)")
OFTEN = timedelta(milliseconds=200)
LARGEST = (1 << 63) - 1


class Base(DeclarativeBase):
    pass


class Effect(Base):
    __tablename__ = "effects"
    id: Mapped[str] = mapped_column(primary_key=True)


@pytest.fixture
def engine(postgres):
    with database(postgres.url, effects="id VARCHAR(40) PRIMARY KEY", pool_size=20) as engine:
        created(SqlInbox(engine, "tests"))
        yield engine


@pytest.fixture
def dead_letters(kafka):
    """A dead letter topic of this test."""
    name = f"dlq-{uuid.uuid4()}"
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    admin.create_topics([NewTopic(name, num_partitions=1)])[name].result(timeout=30)
    yield DeadLetters({"bootstrap.servers": kafka.bootstrap}, topic=name)
    admin.delete_topics([name])[name].result(timeout=30)


def of(kind, seen):
    return [detail for detail in seen if isinstance(detail, kind)]


def test_a_swallowed_database_error_is_retried_and_then_dead_lettered(kafka, topic, engine, dead_letters):
    bad, good = logged_out("user-1", "bad"), logged_out("user-2")
    publish(kafka, topic, bad, good)
    seen, handled = [], []
    consuming = subscriber(
        kafka, topic, SqlInbox(engine, "tests"), hooks=[seen.append], dead_letters=dead_letters
    )

    @consuming.on(LoggedOut)
    def handle(event, payload, context: Context):
        context.transaction.execute(EFFECT, {"id": event.event_id})
        if payload.session_id == "bad":
            with suppress(DBAPIError):
                context.transaction.execute(EFFECT, {"id": event.event_id})
        handled.append(event.event_id)

    with running(consuming):
        eventually(lambda: of(DeadLettered, seen) and good.event_id in handled)
    assert [(each.error, each.attempts) for each in of(DeadLettered, seen)] == [("BrokenTransaction", 3)]
    assert effects_in(engine) == [good.event_id]


@pytest.mark.parametrize("session_id", ["x" * 60, "a\x00b"])
def test_data_that_a_column_refuses_at_the_flush_is_dead_lettered(
    kafka, topic, engine, dead_letters, session_id
):
    bad, good = logged_out("user-1", session_id), logged_out("user-1")
    publish(kafka, topic, bad, good)
    seen, handled = [], []
    consuming = subscriber(
        kafka,
        topic,
        SqlInbox(sessionmaker(engine), "tests"),
        hooks=[seen.append],
        dead_letters=dead_letters,
    )

    @consuming.on(LoggedOut)
    def handle(event, payload, context: Context):
        context.transaction.merge(Effect(id=payload.session_id))
        handled.append(event.event_id)

    with running(consuming):
        eventually(lambda: good.event_id in handled)
    assert [(each.error, each.attempts) for each in of(DeadLettered, seen)] == [("DataError", 3)]
    assert effects_in(engine) == ["1"]


@pytest.mark.parametrize("isolation", ["READ COMMITTED", "SERIALIZABLE"])
def test_events_whose_handlers_deadlock_are_all_handled_once_and_none_is_dead_lettered(
    kafka, topic, engine, dead_letters, isolation
):
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE IF EXISTS counters"))
        connection.execute(text("CREATE TABLE counters (id INT PRIMARY KEY, number INT)"))
        connection.execute(text("INSERT INTO counters VALUES (0, 0), (1, 0)"))
    events = [logged_out(f"user-{number}", str(number)) for number in range(60)]
    publish(kafka, topic, *events)
    seen, crossing, crossed = [], {"0", "1"}, threading.Barrier(2)
    options = {"isolation_level": isolation, "pool_size": 20}
    impatient = create_engine(engine.url, connect_args={"options": "-c deadlock_timeout=20ms"}, **options)
    consuming = subscriber(
        kafka,
        topic,
        SqlInbox(impatient, "tests"),
        hooks=[seen.append],
        concurrency=8,
        dead_letters=dead_letters,
    )

    @consuming.on(LoggedOut)
    def handle(event, payload, context: Context):
        first = int(payload.session_id) % 2
        for place, counter in enumerate((first, 1 - first)):
            context.transaction.execute(
                text("UPDATE counters SET number = number + 1 WHERE id = :id"), {"id": counter}
            )
            if place == 0 and payload.session_id in crossing:
                crossing.remove(payload.session_id)
                with suppress(threading.BrokenBarrierError):
                    crossed.wait(timeout=10)  # now each holds the row that the other needs
        context.transaction.execute(EFFECT, {"id": event.event_id})

    with running(consuming):
        eventually(lambda: len(effects_in(engine)) == len(events) or of(DeadLettered, seen), within=120)
    impatient.dispose()
    assert of(DeadLettered, seen) == []
    assert effects_in(engine) == sorted(event.event_id for event in events)
    assert {type(each.error).__name__ for each in of(Retried, seen)} == {"InboxUnavailable"}
    with engine.connect() as connection:
        assert set(connection.execute(text("SELECT number FROM counters")).scalars()) == {len(events)}


def test_a_version_jump_is_reported_and_later_events_are_handled(kafka, topic, caplog):
    jump, later = logged_out("user-1", "jump"), logged_out("user-1", "later")
    jump.version, later.version = LARGEST, 1
    publish(kafka, topic, jump, later)
    seen, handled = [], []
    consuming = subscriber(kafka, topic, MemoryInbox(), hooks=[seen.append])
    consuming.on(LoggedOut)(lambda _event, payload: handled.append(payload.session_id))
    with caplog.at_level(logging.WARNING), running(consuming):
        eventually(lambda: handled == ["jump", "later"])
    assert of(VersionJump, seen) == [VersionJump(topic, 0, LARGEST)]
    assert "max_version_jump" in caplog.text
    assert "user-1" not in caplog.text


def outdated(engine, consumer="tests"):
    """Insert a batch and more of rows older than an inbox remembers; returns what counts those left."""
    tables, long_ago = inbox_tables(), datetime.now(UTC) - REMEMBER - timedelta(days=1)
    with engine.begin() as connection:
        connection.execute(
            tables.handled.insert(),
            [{"consumer": consumer, "event_id": str(n), "handled_at": long_ago} for n in range(12_000)],
        )
        connection.execute(
            tables.versions.insert(),
            {
                "consumer": consumer, "topic": "t", "key": b"k", "version": 1, "previous": 0,
                "handled_at": long_ago,
            },
        )  # fmt: skip

    def left():
        count = text(
            "SELECT (SELECT count(*) FROM auth_events_handled) + (SELECT count(*) FROM auth_events_versions)"
        )
        with engine.connect() as connection:
            return connection.execute(count).scalar()

    return left


def test_a_subscriber_prunes_while_a_handler_blocks_its_event_loop(kafka, topic, engine):
    left = outdated(engine)
    publish(kafka, topic, logged_out())
    pruned = threading.Event()
    consuming = subscriber(kafka, topic, SqlInbox(engine, "tests", prune_every=OFTEN))

    @consuming.on(LoggedOut)
    def handle(_event, _payload):
        eventually(lambda: left() == 0)
        pruned.set()

    with running(consuming):
        assert pruned.wait(60)


def test_a_subscriber_prunes_an_async_inbox(kafka, topic, engine):
    left = outdated(engine)
    publish(kafka, topic, logged_out())

    async def consume():
        database = create_async_engine(engine.url)
        consuming = subscriber(kafka, topic, AsyncSqlInbox(database, "tests", prune_every=OFTEN))
        handled = asyncio.Event()

        @consuming.on(LoggedOut)
        async def handle(_event, _payload):
            await asyncio.to_thread(eventually, lambda: left() == 0)
            handled.set()

        task = asyncio.create_task(consuming.run_async())
        await asyncio.wait_for(handled.wait(), 60)
        consuming.stop()
        await task
        await database.dispose()

    asyncio.run(consume())
    assert left() == 1  # what was handled just now


def test_a_failed_pruning_is_logged_and_events_are_handled(kafka, topic, engine, caplog):
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE auth_events_versions"))  # an unversioned event does not need it
    publish(kafka, topic, logged_out())
    handled = []
    consuming = subscriber(kafka, topic, SqlInbox(engine, "tests", prune_every=OFTEN))
    consuming.on(LoggedOut)(lambda event, _payload: handled.append(event.event_id))
    with caplog.at_level(logging.WARNING), running(consuming):
        eventually(lambda: caplog.text.count("cannot prune") > 1 and handled)
