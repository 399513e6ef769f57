"""The SQL inbox on SQLite, beyond the behaviour of every inbox."""

from __future__ import annotations

import asyncio
import threading

import pytest
from sqlalchemy import MetaData, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session, sessionmaker

from immersiverse.auth.events import (
    AsyncSqlInbox,
    ConfigurationError,
    InboxUnavailable,
    SqlInbox,
    inbox_tables,
)
from immersiverse.auth.events.inbox.sql_store import SqlStore
from inboxes.behaviour import DUPLICATE, FRESH, KEY, STALE, TOPIC, event, fail, verdict
from inboxes.makers import created, effects_in

INSERT = text("INSERT INTO effects (id) VALUES (:id)")


def test_effects_are_committed_when_the_handler_returns(inbox, engine):
    with inbox.admit(event(), TOPIC, KEY) as admission:
        admission.transaction.execute(INSERT, {"id": "one"})
        assert effects_in(engine) == []
    assert effects_in(engine) == ["one"]


@pytest.mark.guarantee("a handler fails", "SQLite")
def test_effects_are_rolled_back_when_the_handler_fails(inbox, engine):
    first = event(version=1)
    fail(inbox, first, after=lambda transaction: transaction.execute(INSERT, {"id": "one"}))
    assert effects_in(engine) == []
    assert verdict(inbox, first) is FRESH


def test_an_inbox_with_a_sessionmaker_gives_sessions(engine):
    inbox, first = created(SqlInbox(sessionmaker(engine), "tests")), event()
    with inbox.admit(first, TOPIC, KEY) as admission:
        assert isinstance(admission.transaction, Session)
        admission.transaction.execute(INSERT, {"id": "one"})
    assert (effects_in(engine), verdict(inbox, first)) == (["one"], DUPLICATE)


def test_an_async_inbox_gives_async_transactions_on_the_same_tables(inbox, engine):
    async def handle(arrived):
        database = create_async_engine(f"sqlite+aiosqlite:///{engine.url.database}")
        beside = AsyncSqlInbox(async_sessionmaker(database), "tests")
        async with beside.admit_async(arrived, TOPIC, KEY) as admission:
            assert isinstance(admission.transaction, AsyncSession)
            await admission.transaction.execute(INSERT, {"id": "one"})
        await database.dispose()

    first = event()
    asyncio.run(handle(first))
    assert (effects_in(engine), verdict(inbox, first)) == (["one"], DUPLICATE)


def test_consumers_share_tables_but_not_records(inbox, engine):
    other, first = SqlInbox(engine, "others"), event(version=1)
    assert [verdict(inbox, first), verdict(other, first), verdict(other, first)] == [FRESH, FRESH, DUPLICATE]


def test_records_outlive_the_inbox(inbox, engine):
    first = event(version=2)
    verdict(inbox, first)
    again = SqlInbox(engine, "tests")
    assert [verdict(again, first), verdict(again, event(version=1))] == [DUPLICATE, STALE]


@pytest.mark.guarantee("two have the same event at once", "SQLite")
def test_only_one_of_many_threads_handles_an_event(inbox, engine):
    events, start = [event() for _ in range(10)], threading.Barrier(4)

    def consume():
        start.wait()
        for each in events:
            with inbox.admit(each, TOPIC, None) as admission:
                if admission.verdict is FRESH:
                    admission.transaction.execute(INSERT, {"id": each.event_id})

    threads = [threading.Thread(target=consume) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert effects_in(engine) == sorted(each.event_id for each in events)


def test_missing_tables_are_an_outage(engine):
    with pytest.raises(InboxUnavailable, match="no such table"):
        verdict(SqlInbox(engine, "tests"), event())


def test_a_migration_tool_can_create_the_tables(engine):
    metadata = MetaData()
    tables = inbox_tables(metadata)
    metadata.create_all(engine)
    inbox, first = SqlInbox(engine, "tests", tables=tables), event()
    assert [verdict(inbox, first), verdict(inbox, first)] == [FRESH, DUPLICATE]


def test_another_database_system_is_refused():
    with pytest.raises(ConfigurationError, match="mysql"):
        SqlStore("tests", "mysql", inbox_tables())
