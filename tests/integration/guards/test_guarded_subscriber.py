"""A subscriber with a guard in PostgreSQL: what is retried, what becomes a dead letter, what is pruned."""

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

from immersiverse.auth.events import LoggedOut
from immersiverse.auth.events.guards import AsyncSqlGuard, MemoryGuard, SqlGuard, guard_tables
from immersiverse.auth.events.kafka.consumer.records import Context
from immersiverse.auth.events.kafka.dead_letters import DeadLetters
from immersiverse.auth.events.observability.hooks import DeadLettered, Retried, VersionJump
from integration.guards.consuming import publish, subscriber
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
    engine = create_engine(postgres.url, pool_size=20)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE IF EXISTS effects, auth_events_handled, auth_events_versions"))
        connection.execute(text("CREATE TABLE effects (id VARCHAR(40) PRIMARY KEY)"))
    SqlGuard(engine, "tests").create_tables()
    yield engine
    engine.dispose()


@pytest.fixture
def dead_letters(kafka):
    """A dead letter topic that no other test knows."""
    name = f"dlq-{uuid.uuid4()}"
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    admin.create_topics([NewTopic(name, num_partitions=1)])[name].result(timeout=30)
    yield DeadLetters({"bootstrap.servers": kafka.bootstrap}, topic=name)
    admin.delete_topics([name])[name].result(timeout=30)


def effects(engine):
    with engine.connect() as connection:
        return set(connection.execute(text("SELECT id FROM effects")).scalars())


def of(kind, heard):
    return [detail for detail in heard if isinstance(detail, kind)]


def test_a_handler_that_swallows_a_database_error_is_tried_again_and_then_dead_lettered(
    kafka, topic, engine, dead_letters
):
    bad, good = logged_out("user-1", "bad"), logged_out("user-2")
    publish(kafka, topic, bad, good)
    heard, handled = [], []
    consuming = subscriber(
        kafka, topic, SqlGuard(engine, "tests"), hooks=[heard.append], dead_letters=dead_letters
    )

    @consuming.on(LoggedOut)
    def handle(event, payload, context: Context):
        context.transaction.execute(EFFECT, {"id": event.event_id})
        if payload.session_id == "bad":
            with suppress(DBAPIError):
                context.transaction.execute(EFFECT, {"id": event.event_id})
        handled.append(event.event_id)

    with running(consuming):
        eventually(lambda: of(DeadLettered, heard) and good.event_id in handled)
    assert [(each.error, each.attempts) for each in of(DeadLettered, heard)] == [("BrokenTransaction", 3)]
    assert effects(engine) == {good.event_id}


@pytest.mark.parametrize("session_id", ["x" * 60, "a\x00b"])
def test_what_no_column_takes_is_dead_lettered_though_a_session_writes_it_after_the_handler(
    kafka, topic, engine, dead_letters, session_id
):
    bad, good = logged_out("user-1", session_id), logged_out("user-1")
    publish(kafka, topic, bad, good)
    heard, handled = [], []
    consuming = subscriber(
        kafka, topic, SqlGuard(sessionmaker(engine), "tests"), hooks=[heard.append], dead_letters=dead_letters
    )

    @consuming.on(LoggedOut)
    def handle(event, payload, context: Context):
        context.transaction.merge(Effect(id=payload.session_id))
        handled.append(event.event_id)

    with running(consuming):
        eventually(lambda: good.event_id in handled)
    assert [(each.error, each.attempts) for each in of(DeadLettered, heard)] == [("DataError", 3)]
    assert effects(engine) == {"1"}


@pytest.mark.parametrize("isolation", ["READ COMMITTED", "SERIALIZABLE"])
def test_healthy_events_whose_handlers_deadlock_are_all_handled_once_and_none_is_dead_lettered(
    kafka, topic, engine, dead_letters, isolation
):
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE IF EXISTS counters"))
        connection.execute(text("CREATE TABLE counters (id INT PRIMARY KEY, number INT)"))
        connection.execute(text("INSERT INTO counters VALUES (0, 0), (1, 0)"))
    events = [logged_out(f"user-{number}", str(number)) for number in range(60)]
    publish(kafka, topic, *events)
    heard, crossing, crossed = [], {"0", "1"}, threading.Barrier(2)
    options = {"isolation_level": isolation, "pool_size": 20}
    busy = create_engine(engine.url, connect_args={"options": "-c deadlock_timeout=20ms"}, **options)
    consuming = subscriber(
        kafka, topic, SqlGuard(busy, "tests"), hooks=[heard.append], concurrency=8, dead_letters=dead_letters
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
                    crossed.wait(timeout=10)  # now each has what the other wants
        context.transaction.execute(EFFECT, {"id": event.event_id})

    with running(consuming):
        eventually(lambda: len(effects(engine)) == len(events) or of(DeadLettered, heard), within=120)
    busy.dispose()
    assert of(DeadLettered, heard) == []
    assert effects(engine) == {event.event_id for event in events}
    assert {type(each.error).__name__ for each in of(Retried, heard)} == {"GuardUnavailable"}
    with engine.connect() as connection:
        assert set(connection.execute(text("SELECT number FROM counters")).scalars()) == {len(events)}


def test_a_version_beyond_reason_is_reported_and_later_events_are_handled(kafka, topic, caplog):
    forged, later = logged_out("user-1", "forged"), logged_out("user-1", "later")
    forged.version, later.version = LARGEST, 1
    publish(kafka, topic, forged, later)
    heard, handled = [], []
    consuming = subscriber(kafka, topic, MemoryGuard(), hooks=[heard.append])
    consuming.on(LoggedOut)(lambda _event, payload: handled.append(payload.session_id))
    with caplog.at_level(logging.WARNING), running(consuming):
        eventually(lambda: handled == ["forged", "later"])
    assert of(VersionJump, heard) == [VersionJump(topic, 0, LARGEST)]
    assert "max_version_jump" in caplog.text
    assert "user-1" not in caplog.text


def outdated(engine, consumer="tests"):
    """Rows of nine days ago, of more than one batch; a question for how many are left."""
    tables, long_ago = guard_tables(), datetime.now(UTC) - timedelta(days=9)
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


def test_a_subscriber_prunes_beside_a_handler_that_keeps_its_event_loop(kafka, topic, engine):
    left = outdated(engine)
    publish(kafka, topic, logged_out())
    pruned = threading.Event()
    consuming = subscriber(kafka, topic, SqlGuard(engine, "tests", prune_every=OFTEN))

    @consuming.on(LoggedOut)
    def handle(_event, _payload):
        eventually(lambda: left() == 0)
        pruned.set()

    with running(consuming):
        assert pruned.wait(60)


def test_a_subscriber_prunes_an_async_guard(kafka, topic, engine):
    left = outdated(engine)
    publish(kafka, topic, logged_out())

    async def consume():
        database = create_async_engine(engine.url)
        consuming = subscriber(kafka, topic, AsyncSqlGuard(database, "tests", prune_every=OFTEN))
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


def test_pruning_that_fails_is_logged_and_stops_nothing(kafka, topic, engine, caplog):
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE auth_events_versions"))  # an unversioned event does not need it
    publish(kafka, topic, logged_out())
    handled = []
    consuming = subscriber(kafka, topic, SqlGuard(engine, "tests", prune_every=OFTEN))
    consuming.on(LoggedOut)(lambda event, _payload: handled.append(event.event_id))
    with caplog.at_level(logging.WARNING), running(consuming):
        eventually(lambda: caplog.text.count("cannot prune") > 1 and handled)
