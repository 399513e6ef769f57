"""What keeps the tables of a SQL guard small and up to date, on SQLite; PostgreSQL has a file like this."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import create_engine, select, text
from sqlalchemy.ext.asyncio import create_async_engine

from guard_statements import FRESH, KEY, STALE, TOPIC, event, verdict
from immersiverse.auth.events import ConfigurationError
from immersiverse.auth.events.guards import AsyncSqlGuard, Forgotten, SqlGuard, guard_tables

OF_0_1_0 = (
    "CREATE TABLE auth_events_versions (consumer VARCHAR(255) NOT NULL, topic VARCHAR(249) NOT NULL, "
    "key BLOB NOT NULL, version BIGINT NOT NULL, previous BIGINT NOT NULL, "
    "PRIMARY KEY (consumer, topic, key))"
)


@pytest.fixture
def engine(tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path / 'guard.db'}")
    yield engine
    engine.dispose()


@pytest.fixture
def guard(engine):
    guard = SqlGuard(engine, "tests")
    guard.create_tables()
    return guard


def age(engine, days):
    """Make everything older."""
    long_ago = datetime.now(UTC) - timedelta(days=days)
    with engine.begin() as connection:
        for table in (guard_tables().handled, guard_tables().versions):
            connection.execute(table.update().values(handled_at=long_ago))


def test_pruning_forgets_users_that_were_quiet_for_longer_than_the_guard_remembers(guard, engine):
    for key in (KEY, b"user-2"):
        verdict(guard, event(version=5), TOPIC, key)
    age(engine, 9)
    verdict(guard, event(version=6), TOPIC, b"user-2")
    assert guard.prune() == Forgotten(ids=2, versions=1)
    assert [verdict(guard, event(version=4), TOPIC, key) for key in (KEY, b"user-2")] == [FRESH, STALE]


def test_nothing_younger_than_the_guard_remembers_is_pruned(guard, engine):
    verdict(guard, event(version=5))
    age(engine, 7)
    assert guard.prune() == Forgotten()
    assert verdict(guard, event(version=4)) is STALE
    assert guard.prune(timedelta(days=6)) == Forgotten(ids=1, versions=1)


def test_how_long_a_guard_remembers_is_its_users_choice(guard, engine):
    verdict(guard, event(version=5))
    age(engine, 9)
    assert SqlGuard(engine, "tests", remember=timedelta(days=30)).prune() == Forgotten()


def test_forgetting_a_consumer_stops_at_no_number_of_rows_and_leaves_others_alone(guard, engine):
    now = datetime.now(UTC)
    rows = [{"consumer": "tests", "event_id": str(number), "handled_at": now} for number in range(25_000)]
    with engine.begin() as connection:
        connection.execute(guard_tables().handled.insert(), rows)
    other = SqlGuard(engine, "others")
    verdict(other, event(version=5))
    assert guard.forget_all() == Forgotten(ids=25_000)
    assert verdict(other, event(version=4)) is STALE


def test_the_tables_of_0_1_0_get_their_column_and_remember_what_they_did(engine):
    with engine.begin() as connection:
        connection.execute(text(OF_0_1_0))
        connection.execute(
            text("INSERT INTO auth_events_versions VALUES ('tests', :topic, :key, 5, 4)"),
            {"topic": TOPIC, "key": KEY},
        )
    guard = SqlGuard(engine, "tests")
    for _ in range(2):
        guard.create_tables()
    assert guard.prune() == Forgotten()
    with engine.connect() as connection:
        (handled_at,) = connection.execute(select(guard_tables().versions.c.handled_at)).scalars()
    age_of_row = datetime.now(UTC) - handled_at.replace(tzinfo=UTC)  # SQLite knows no time zones
    assert age_of_row < timedelta(minutes=5)
    assert [verdict(guard, event(version)) for version in (4, 6)] == [STALE, FRESH]


def test_an_async_guard_prunes_and_makes_the_column_too(engine):
    with engine.begin() as connection:
        connection.execute(text(OF_0_1_0))

    async def prune():
        database = create_async_engine(f"sqlite+aiosqlite:///{engine.url.database}")
        guard = AsyncSqlGuard(database, "tests")
        await guard.create_tables()
        verdict(SqlGuard(engine, "tests"), event(version=5))
        age(engine, 9)
        forgotten = await guard.prune()
        await database.dispose()
        return forgotten

    assert asyncio.run(prune()) == Forgotten(ids=1, versions=1)


def test_what_a_guard_knows_of_a_user_is_the_key(guard, engine):
    verdict(guard, event(version=5))
    with engine.connect() as connection:
        rows = [
            value
            for table in (guard_tables().handled, guard_tables().versions)
            for row in connection.execute(select(table))
            for value in row
        ]
    personal = [value for value in rows if b"user-1" in (value if isinstance(value, bytes) else b"")]
    assert personal == [KEY]
    assert not any(isinstance(value, str) and "user-1" in value for value in rows)


def test_a_database_in_one_connection_is_not_pruned_in_the_midst_of_a_handlers_transaction(engine):
    assert SqlGuard(create_engine("sqlite://"), "tests").prune_every is None
    assert AsyncSqlGuard(create_async_engine("sqlite+aiosqlite://"), "tests").prune_every is None
    assert SqlGuard(engine, "tests").prune_every == timedelta(hours=1)
    assert SqlGuard(engine, "tests", prune_every=None).prune_every is None


@pytest.mark.parametrize(
    "wrong", [{"remember": timedelta(0)}, {"prune_every": timedelta(0)}, {"max_version_jump": 0}]
)
def test_a_time_or_a_limit_that_means_nothing_is_refused(engine, wrong):
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        SqlGuard(engine, "tests", **wrong)
