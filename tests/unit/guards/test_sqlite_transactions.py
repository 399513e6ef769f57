"""A SQL guard on SQLite when something goes wrong in its transaction."""

from __future__ import annotations

import sqlite3
from contextlib import suppress

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy import event as sql_events
from sqlalchemy.exc import DBAPIError, IntegrityError

from guard_statements import DUPLICATE, FRESH, HandlerFailed, event
from immersiverse.auth.events import BrokenTransaction, GuardUnavailable
from transaction_forms import FORMS, handling

ONE = text("INSERT INTO effects (id) VALUES ('one')")
TAKEN = text("INSERT INTO effects (id) VALUES ('taken')")
IMPATIENT = {"connect_args": {"timeout": 0.05}}


def enforce_foreign_keys(connection, _record):
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


@pytest.fixture
def engine(tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path / 'effects.db'}", **IMPATIENT)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE effects (id TEXT PRIMARY KEY)"))
        connection.execute(TAKEN)
    sql_events.listen(Engine, "connect", enforce_foreign_keys)
    yield engine
    sql_events.remove(Engine, "connect", enforce_foreign_keys)
    engine.dispose()


@pytest.fixture(params=FORMS)
def guarded(request, engine):
    file = engine.url.database
    with handling(
        request.param, f"sqlite:///{file}", "tests", async_url=f"sqlite+aiosqlite:///{file}", **IMPATIENT
    ) as made:
        yield made


def effects(engine):
    with engine.connect() as connection:
        return set(connection.execute(text("SELECT id FROM effects")).scalars()) - {"taken"}


@pytest.mark.guarantee("a handler swallows a database error", "SQLite")
def test_an_error_that_a_handler_swallows_undoes_its_statement_only(guarded, engine):
    def swallow(transaction):
        transaction.execute(ONE)
        with suppress(IntegrityError):
            transaction.execute(TAKEN)

    first = event()
    assert [guarded.handle(first, swallow), guarded.handle(first)] == [FRESH, DUPLICATE]
    assert effects(engine) == {"one"}


def test_a_statement_that_rolls_all_back_is_a_failure_though_it_was_swallowed(guarded, engine):
    def swallow(transaction):
        transaction.execute(ONE)
        with suppress(IntegrityError):
            transaction.execute(text("INSERT OR ROLLBACK INTO effects (id) VALUES ('taken')"))

    first = event()
    with pytest.raises(BrokenTransaction):
        guarded.handle(first, swallow)
    assert effects(engine) == set()
    assert guarded.handle(first) is FRESH


def test_a_commit_is_refused_to_a_handler_and_leaves_nothing(guarded, engine):
    def commit(transaction):
        transaction.execute(ONE)
        transaction.commit()

    first = event()
    with pytest.raises(BrokenTransaction):
        guarded.handle(first, commit)
    assert effects(engine) == set()
    assert guarded.handle(first) is FRESH


@pytest.mark.guarantee("the database refuses what a handler wrote", "SQLite")
def test_a_constraint_is_the_handlers_failure_at_once_and_at_commit(guarded, engine):
    def break_at_once(transaction):
        transaction.execute(TAKEN)

    def break_at_commit(transaction):
        transaction.execute(text("PRAGMA defer_foreign_keys = ON"))
        transaction.execute(text("INSERT INTO owned VALUES ('nobody')"))

    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE owned (owner TEXT REFERENCES effects (id))"))
    for handler in (break_at_once, break_at_commit):
        first = event()
        with pytest.raises(IntegrityError):
            guarded.handle(first, handler)
        assert guarded.handle(first) is FRESH


@pytest.mark.guarantee("transactions get in each other's way", "SQLite")
@pytest.mark.parametrize("passing_on", ["as it is", "wrapped"])
def test_a_database_that_is_locked_is_an_outage(guarded, engine, tmp_path, passing_on):
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
    with pytest.raises(GuardUnavailable, match="locked"):
        guarded.handle(first, handler)
    other.execute("ROLLBACK")
    other.close()
    assert effects(engine) == set()
    assert guarded.handle(first) is FRESH


def test_a_database_that_another_writes_in_is_an_outage_for_the_guard_too(guarded, engine):
    with engine.begin() as connection:
        connection.execute(ONE)
        with pytest.raises(GuardUnavailable, match="locked"):
            guarded.handle(event())
