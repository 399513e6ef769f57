"""Pruning, forgetting and upgrading a SQL inbox's tables on SQLite; PostgreSQL has a file like this."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import create_engine, select, text
from sqlalchemy.ext.asyncio import create_async_engine

from immersiverse.auth.events import AsyncSqlInbox, ConfigurationError, Forgotten, SqlInbox, inbox_tables
from inboxes.behaviour import DUPLICATE, FRESH, KEY, STALE, TOPIC, event, verdict
from inboxes.makers import created

OF_0_1_0 = (
    "CREATE TABLE auth_events_versions (consumer VARCHAR(255) NOT NULL, topic VARCHAR(249) NOT NULL, "
    "key BLOB NOT NULL, version BIGINT NOT NULL, previous BIGINT NOT NULL, "
    "PRIMARY KEY (consumer, topic, key))"
)


def age(engine, days):
    """Make all rows older."""
    past = datetime.now(UTC) - timedelta(days=days)
    with engine.begin() as connection:
        for table in (inbox_tables().handled, inbox_tables().versions):
            connection.execute(table.update().values(handled_at=past))


def insert_ids(engine, consumer, count, handled_at):
    rows = [{"consumer": consumer, "event_id": str(n), "handled_at": handled_at} for n in range(count)]
    with engine.begin() as connection:
        connection.execute(inbox_tables().handled.insert(), rows)


def test_pruning_deletes_what_is_older_than_the_inbox_remembers(inbox, engine):
    for key in (KEY, b"user-2"):
        verdict(inbox, event(version=5), TOPIC, key)
    age(engine, 16)
    young = event(version=6)
    verdict(inbox, young, TOPIC, b"user-2")
    assert inbox.prune() == Forgotten(ids=2, versions=1)
    assert [verdict(inbox, event(version=4), TOPIC, key) for key in (KEY, b"user-2")] == [FRESH, STALE]
    assert verdict(inbox, young, TOPIC, b"user-2") is DUPLICATE


def test_pruning_keeps_what_is_younger_than_the_inbox_remembers(inbox, engine):
    verdict(inbox, event(version=5))
    age(engine, 14)
    assert inbox.prune() == Forgotten()
    assert verdict(inbox, event(version=4)) is STALE
    assert inbox.prune(timedelta(days=13)) == Forgotten(ids=1, versions=1)


def test_an_inbox_can_remember_for_longer(inbox, engine):
    verdict(inbox, event(version=5))
    age(engine, 16)
    assert SqlInbox(engine, "tests", remember=timedelta(days=30)).prune() == Forgotten()


@pytest.mark.parametrize(("days", "forget"), [(16, SqlInbox.prune), (0, SqlInbox.forget_all)])
def test_any_number_of_rows_is_deleted_and_none_of_another_consumer(inbox, engine, days, forget):
    then = datetime.now(UTC) - timedelta(days=days)
    insert_ids(engine, "tests", 25_000, then)
    insert_ids(engine, "others", 3, then)
    assert forget(inbox) == Forgotten(ids=25_000)
    assert SqlInbox(engine, "others").forget_all() == Forgotten(ids=3)


def test_tables_of_0_1_0_get_the_new_column_and_keep_their_versions(engine):
    with engine.begin() as connection:
        connection.execute(text(OF_0_1_0))
        connection.execute(
            text("INSERT INTO auth_events_versions VALUES ('tests', :topic, :key, 5, 4)"),
            {"topic": TOPIC, "key": KEY},
        )
    inbox = created(created(SqlInbox(engine, "tests")))
    assert inbox.prune() == Forgotten()
    with engine.connect() as connection:
        (handled_at,) = connection.execute(select(inbox_tables().versions.c.handled_at)).scalars()
    age_of_row = datetime.now(UTC) - handled_at.replace(tzinfo=UTC)  # SQLite has no time zones
    assert age_of_row < timedelta(minutes=5)
    assert [verdict(inbox, event(version)) for version in (4, 6)] == [STALE, FRESH]


def test_an_async_inbox_creates_tables_and_prunes(engine):
    with engine.begin() as connection:
        connection.execute(text(OF_0_1_0))

    async def prune():
        database = create_async_engine(f"sqlite+aiosqlite:///{engine.url.database}")
        inbox = AsyncSqlInbox(database, "tests")
        await inbox.create_tables()
        verdict(SqlInbox(engine, "tests"), event(version=5))
        age(engine, 16)
        forgotten = await inbox.prune()
        await database.dispose()
        return forgotten

    assert asyncio.run(prune()) == Forgotten(ids=1, versions=1)


def test_the_message_key_is_all_that_is_stored_about_a_user(inbox, engine):
    verdict(inbox, event(version=5))
    with engine.connect() as connection:
        values = [
            value
            for table in (inbox_tables().handled, inbox_tables().versions)
            for row in connection.execute(select(table))
            for value in row
        ]
    assert [value for value in values if isinstance(value, bytes)] == [KEY]
    assert not any(isinstance(value, str) and "user-1" in value for value in values)


def test_a_database_in_one_connection_is_not_pruned_in_a_handlers_transaction(engine):
    assert SqlInbox(create_engine("sqlite://"), "tests").prune_every is None
    assert AsyncSqlInbox(create_async_engine("sqlite+aiosqlite://"), "tests").prune_every is None
    assert SqlInbox(engine, "tests").prune_every == timedelta(hours=1)
    assert SqlInbox(engine, "tests", prune_every=None).prune_every is None


@pytest.mark.parametrize(
    "wrong", [{"remember": timedelta(0)}, {"prune_every": timedelta(0)}, {"max_version_jump": 0}]
)
def test_a_setting_that_is_not_positive_is_refused(engine, wrong):
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        SqlInbox(engine, "tests", **wrong)
