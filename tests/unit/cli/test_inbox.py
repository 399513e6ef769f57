"""Forgetting and pruning what consumers remember, by command, on SQLite."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import create_engine

from guard_statements import DUPLICATE, FRESH, STALE, TOPIC, event, verdict
from immersiverse.auth.events.guards import SqlGuard, guard_tables

KEY = b"user-1"
SECRET = "S3cr3t"


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch):
    for name in ("AUTH_EVENTS_DATABASE", "AUTH_EVENTS_REDIS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'guard.db'}"


@pytest.fixture
def guard(url):
    engine = create_engine(url)
    guard = SqlGuard(engine, "analytics")
    guard.create_tables()
    yield guard
    engine.dispose()


def test_a_forgotten_users_next_event_is_handled_whatever_its_version(auth_events, guard, url):
    forged = event(version=900_000)
    verdict(guard, forged)
    verdict(guard, event(version=900_000), TOPIC, b"user-2")
    asked = ("inbox", "forget", "--consumer", "analytics", "--user", "user-1", "--database", url)
    result = auth_events(*asked, "--yes")
    assert (result.code, result.out) == (0, "")
    assert result.err == "forgotten: 0 event ids, 1 versions of users\n"
    assert [verdict(guard, forged), verdict(guard, event(version=1))] == [DUPLICATE, FRESH]
    assert verdict(guard, event(version=1), TOPIC, b"user-2") is STALE


def test_a_forgotten_consumer_handles_everything_again(auth_events, guard, url, monkeypatch):
    monkeypatch.setenv("AUTH_EVENTS_DATABASE", url)
    first = event(version=5)
    verdict(guard, first)
    result = auth_events("inbox", "forget", "--consumer", "analytics", "--all", "--yes", "--json")
    assert (result.code, result.document) == (0, {"ids": 1, "versions": 1})
    assert verdict(guard, first) is FRESH


def test_another_consumers_memory_stays(auth_events, guard, url):
    first = event(version=5)
    verdict(guard, first)
    result = auth_events("inbox", "forget", "--consumer", "x", "--all", "--yes", "--json", "--database", url)
    assert result.document == {"ids": 0, "versions": 0}
    assert verdict(guard, first) is DUPLICATE


def test_what_is_older_is_pruned(auth_events, guard, url):
    verdict(guard, event(version=5))
    engine = create_engine(url)
    with engine.begin() as connection:
        for table in (guard_tables().handled, guard_tables().versions):
            connection.execute(table.update().values(handled_at=datetime.now(UTC) - timedelta(days=9)))
    engine.dispose()
    pruning = ("inbox", "prune", "--consumer", "analytics", "--database", url, "--json")
    assert auth_events(*pruning, "--older-than", "10d").document == {"ids": 0, "versions": 0}
    assert auth_events(*pruning).document == {"ids": 1, "versions": 1}


def test_nothing_is_forgotten_without_a_terminal_and_an_answer(auth_events, guard, url):
    first = event()
    verdict(guard, first)
    result = auth_events("inbox", "forget", "--consumer", "analytics", "--all", "--database", url)
    assert result.code == 2
    assert "--yes" in result.err
    assert verdict(guard, first) is DUPLICATE


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("forget", "--all", "--yes"), "--database and --redis"),
        (("forget", "--all", "--yes", "--database", "sqlite://", "--redis", "redis://x"), "one of"),
        (("forget", "--yes", "--database", "sqlite://"), "--user and --all"),
        (("forget", "--all", "--user", "1", "--yes", "--database", "sqlite://"), "--user and --all"),
        (("forget", "--all", "--yes", "--database", f"postgresql+psycopg//a:{SECRET}@h/d"), "--database"),
        (("forget", "--all", "--yes", "--database", f"nosql://a:{SECRET}@h/d"), "--database"),
        (("forget", "--all", "--yes", "--database", f"postgresql+psycopg://a:b@h:{SECRET}/d"), "--database"),
        (("forget", "--all", "--yes", "--redis", f"http://a:{SECRET}@h"), "--redis"),
        (("forget", "--all", "--yes", "--redis", f"redis://a:b@h:{SECRET}/0"), "--redis"),
        (("prune",), "--database"),
        (("prune", "--database", "sqlite://", "--older-than", "eight"), "'eight'"),
        (("prune", "--database", "sqlite://", "--older-than", "0d"), "'0d'"),
    ],
)  # fmt: skip
def test_wrong_use_is_one_line_without_what_may_be_secret(auth_events, arguments, said):
    result = auth_events("inbox", arguments[0], "--consumer", "analytics", *arguments[1:])
    assert result.code == 2
    assert said in result.err
    assert SECRET not in result.err
    assert result.err.count("\n") == 1


@pytest.mark.parametrize(
    "where",
    [
        ("--database", f"postgresql+psycopg://a:{SECRET}@127.0.0.1:1/d"),
        ("--redis", f"redis://a:{SECRET}@127.0.0.1:1/0"),
    ],
)
def test_what_cannot_be_reached_is_exit_code_3_without_the_password(auth_events, where):
    result = auth_events("inbox", "forget", "--consumer", "analytics", "--all", "--yes", *where)
    assert result.code == 3
    assert SECRET not in result.err


def test_tables_that_are_missing_are_named(auth_events, url):
    result = auth_events("inbox", "prune", "--consumer", "analytics", "--database", url)
    assert (result.code, "no such table" in result.err) == (3, True)
