"""What a SQL guard does beside what every guard does, on SQLite."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import MetaData, create_engine, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session, sessionmaker

from guard_statements import DUPLICATE, FRESH, KEY, STALE, TOPIC, event, fail, verdict
from immersiverse.auth.events import ConfigurationError, GuardUnavailable
from immersiverse.auth.events.guards import AsyncSqlGuard, SqlGuard, guard_tables
from immersiverse.auth.events.guards.sql_ledger import Ledger


@pytest.fixture
def engine(tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path / 'effects.db'}")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE effects (id TEXT)"))
    yield engine
    engine.dispose()


@pytest.fixture
def guard(engine):
    guard = SqlGuard(engine, "tests")
    guard.create_tables()
    return guard


def note(transaction, name):
    transaction.execute(text("INSERT INTO effects (id) VALUES (:id)"), {"id": name})


def effects(engine):
    with engine.connect() as connection:
        return list(connection.execute(text("SELECT id FROM effects ORDER BY id")).scalars())


def test_effects_are_kept_with_the_memory_when_the_handler_returns(guard, engine):
    with guard.admit(event(), TOPIC, KEY) as admission:
        note(admission.transaction, "one")
        assert effects(engine) == []
    assert effects(engine) == ["one"]


@pytest.mark.guarantee("a handler fails", "SQLite")
def test_effects_are_lost_with_the_memory_when_the_handler_fails(guard, engine):
    first = event(version=1)
    fail(guard, first, after=lambda transaction: note(transaction, "one"))
    assert effects(engine) == []
    assert verdict(guard, first) is FRESH


def test_a_guard_of_a_sessionmaker_gives_sessions(engine):
    guard = SqlGuard(sessionmaker(engine), "tests")
    guard.create_tables()
    first = event()
    with guard.admit(first, TOPIC, KEY) as admission:
        assert isinstance(admission.transaction, Session)
        note(admission.transaction, "one")
    assert (effects(engine), verdict(guard, first)) == (["one"], DUPLICATE)


def test_an_async_guard_gives_async_transactions_of_the_same_tables(guard, engine):
    async def handle(arrived):
        database = create_async_engine(f"sqlite+aiosqlite:///{engine.url.database}")
        beside = AsyncSqlGuard(async_sessionmaker(database), "tests")
        async with beside.admit_async(arrived, TOPIC, KEY) as admission:
            assert isinstance(admission.transaction, AsyncSession)
            await admission.transaction.execute(text("INSERT INTO effects (id) VALUES ('one')"))
        await database.dispose()

    first = event()
    asyncio.run(handle(first))
    assert (effects(engine), verdict(guard, first)) == (["one"], DUPLICATE)


def test_consumers_that_share_tables_do_not_share_memory(guard, engine):
    other = SqlGuard(engine, "others")
    first = event(version=1)
    assert [verdict(guard, first), verdict(other, first), verdict(other, first)] == [FRESH, FRESH, DUPLICATE]


def test_memory_outlives_the_guard(guard, engine):
    first = event(version=2)
    verdict(guard, first)
    again = SqlGuard(engine, "tests")
    assert [verdict(again, first), verdict(again, event(version=1))] == [DUPLICATE, STALE]


@pytest.mark.guarantee("two have the same event at once", "SQLite")
def test_of_many_threads_with_the_same_events_one_handles_each(guard, engine):
    events, start = [event() for _ in range(10)], threading.Barrier(4)

    def consume():
        start.wait()
        for each in events:
            with guard.admit(each, TOPIC, None) as admission:
                if admission.verdict is FRESH:
                    note(admission.transaction, each.event_id)

    threads = [threading.Thread(target=consume) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert effects(engine) == sorted(each.event_id for each in events)


def test_old_ids_are_pruned_and_young_ones_and_versions_are_kept(guard, engine):
    old, young = event(version=1), event(version=2)
    verdict(guard, old)
    long_ago = datetime.now(UTC) - timedelta(days=10)
    with engine.begin() as connection:
        connection.execute(guard_tables().handled.update().values(handled_at=long_ago))
    verdict(guard, young)
    guard.prune(timedelta(days=8))
    unversioned = event(event_id=old.event_id)
    assert [verdict(guard, old), verdict(guard, unversioned), verdict(guard, young)] == [
        STALE,
        FRESH,
        DUPLICATE,
    ]


def test_pruning_leaves_other_consumers_alone_and_stops_at_no_number_of_rows(guard, engine):
    handled, long_ago = guard_tables().handled, datetime.now(UTC) - timedelta(days=10)
    rows = [
        {"consumer": consumer, "event_id": str(number), "handled_at": long_ago}
        for consumer, count in (("tests", 25_000), ("others", 3))
        for number in range(count)
    ]
    with engine.begin() as connection:
        connection.execute(insert(handled), rows)
    guard.prune(timedelta(days=8))
    with engine.connect() as connection:
        left = connection.execute(select(handled.c.consumer, func.count()).group_by(handled.c.consumer)).all()
    assert left == [("others", 3)]


def test_missing_tables_are_no_verdict_on_the_event(engine):
    with pytest.raises(GuardUnavailable, match="no such table"):
        verdict(SqlGuard(engine, "tests"), event())


def test_tables_can_belong_to_a_migration_tool(engine):
    metadata = MetaData()
    tables = guard_tables(metadata)
    metadata.create_all(engine)
    guard, first = SqlGuard(engine, "tests", tables=tables), event()
    assert [verdict(guard, first), verdict(guard, first)] == [FRESH, DUPLICATE]


def test_a_database_of_another_kind_is_refused():
    with pytest.raises(ConfigurationError, match="mysql"):
        Ledger("tests", "mysql", guard_tables())
