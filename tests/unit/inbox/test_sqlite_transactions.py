"""The SQL inbox on SQLite when its transaction fails."""

from __future__ import annotations

import sqlite3
from contextlib import suppress

import pytest
from sqlalchemy import Engine, text
from sqlalchemy import event as sql_events
from sqlalchemy.exc import DBAPIError, IntegrityError

from immersiverse.auth.events import BrokenTransaction, InboxUnavailable
from inboxes.behaviour import DUPLICATE, FRESH, HandlerFailed, event
from inboxes.makers import database, effects_in
from inboxes.transactions import FORMS, inbox_consumer

ONE = text("INSERT INTO effects (id) VALUES ('one')")
TAKEN = text("INSERT INTO effects (id) VALUES ('taken')")
SHORT_TIMEOUT = {"connect_args": {"timeout": 0.05}}


def enforce_foreign_keys(connection, _record):
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


@pytest.fixture
def engine(tmp_path):
    with database(
        f"sqlite:///{tmp_path / 'inbox.db'}", effects="id TEXT PRIMARY KEY", **SHORT_TIMEOUT
    ) as engine:
        with engine.begin() as connection:
            connection.execute(TAKEN)
        sql_events.listen(Engine, "connect", enforce_foreign_keys)
        yield engine
        sql_events.remove(Engine, "connect", enforce_foreign_keys)


@pytest.fixture(params=FORMS)
def consumer(request, engine):
    file = engine.url.database
    with inbox_consumer(
        request.param, f"sqlite:///{file}", "tests", async_url=f"sqlite+aiosqlite:///{file}", **SHORT_TIMEOUT
    ) as made:
        yield made


@pytest.mark.guarantee("a handler swallows a database error", "SQLite")
def test_a_database_error_that_a_handler_swallows_undoes_only_its_statement(consumer, engine):
    def swallow(transaction):
        transaction.execute(ONE)
        with suppress(IntegrityError):
            transaction.execute(TAKEN)

    first = event()
    assert [consumer.handle(first, swallow), consumer.handle(first)] == [FRESH, DUPLICATE]
    assert effects_in(engine) == ["one", "taken"]


def test_a_swallowed_error_that_rolled_back_the_transaction_is_a_failure(consumer, engine):
    def swallow(transaction):
        transaction.execute(ONE)
        with suppress(IntegrityError):
            transaction.execute(text("INSERT OR ROLLBACK INTO effects (id) VALUES ('taken')"))

    first = event()
    with pytest.raises(BrokenTransaction):
        consumer.handle(first, swallow)
    assert effects_in(engine) == ["taken"]
    assert consumer.handle(first) is FRESH


def test_a_handler_that_commits_fails_and_its_effects_are_rolled_back(consumer, engine):
    def commit(transaction):
        transaction.execute(ONE)
        transaction.commit()

    first = event()
    with pytest.raises(BrokenTransaction):
        consumer.handle(first, commit)
    assert effects_in(engine) == ["taken"]
    assert consumer.handle(first) is FRESH


@pytest.mark.guarantee("the database refuses what a handler wrote", "SQLite")
def test_a_violated_constraint_is_the_handlers_failure_at_the_statement_and_at_the_commit(consumer, engine):
    def break_at_once(transaction):
        transaction.execute(TAKEN)

    def break_at_commit(transaction):
        transaction.execute(text("PRAGMA defer_foreign_keys = ON"))
        transaction.execute(text("INSERT INTO owned VALUES ('missing')"))

    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE owned (owner TEXT REFERENCES effects (id))"))
    for handler in (break_at_once, break_at_commit):
        first = event()
        with pytest.raises(IntegrityError):
            consumer.handle(first, handler)
        assert consumer.handle(first) is FRESH


@pytest.mark.guarantee("transactions get in each other's way", "SQLite")
@pytest.mark.parametrize("passing_on", ["as it is", "wrapped"])
def test_a_locked_database_is_an_outage_when_a_handler_writes(consumer, engine, tmp_path, passing_on):
    other = sqlite3.connect(tmp_path / "other.db", isolation_level=None)
    other.execute("CREATE TABLE elsewhere (id TEXT)")

    def handler(transaction):
        transaction.execute(ONE)
        transaction.execute(text("ATTACH DATABASE :file AS other"), {"file": str(tmp_path / "other.db")})
        other.execute("BEGIN IMMEDIATE")
        try:
            transaction.execute(text("INSERT INTO other.elsewhere VALUES ('x')"))
        except DBAPIError as error:
            if passing_on == "wrapped":
                raise HandlerFailed from error
            raise

    first = event()
    with pytest.raises(InboxUnavailable, match="locked"):
        consumer.handle(first, handler)
    other.execute("ROLLBACK")
    other.close()
    assert effects_in(engine) == ["taken"]
    assert consumer.handle(first) is FRESH


def test_a_locked_database_is_an_outage_when_the_inbox_writes(consumer, engine):
    with engine.begin() as connection:
        connection.execute(ONE)
        with pytest.raises(InboxUnavailable, match="locked"):
            consumer.handle(event())
