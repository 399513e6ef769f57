"""`auth-events inbox` on SQLite."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import create_engine

from immersiverse.auth.events import SqlInbox, inbox_tables
from inboxes.behaviour import DUPLICATE, FRESH, STALE, TOPIC, event, verdict

SECRET = "S3cr3t"


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch):
    for name in ("AUTH_EVENTS_DATABASE", "AUTH_EVENTS_REDIS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'inbox.db'}"


@pytest.fixture
def inbox(url):
    engine = create_engine(url)
    inbox = SqlInbox(engine, "analytics")
    inbox.create_tables()
    yield inbox
    engine.dispose()


def test_after_forget_user_its_next_event_is_handled_whatever_its_version(auth_events, inbox, url):
    forged = event(version=900_000)
    verdict(inbox, forged)
    verdict(inbox, event(version=900_000), TOPIC, b"user-2")
    asked = ("inbox", "forget", "--consumer", "analytics", "--user", "user-1", "--database", url)
    result = auth_events(*asked, "--yes")
    assert (result.code, result.out) == (0, "")
    assert result.err == "forgotten: 0 event ids, 1 versions of users\n"
    assert [verdict(inbox, forged), verdict(inbox, event(version=1))] == [DUPLICATE, FRESH]
    assert verdict(inbox, event(version=1), TOPIC, b"user-2") is STALE


def test_after_forget_all_the_consumer_handles_everything_again(auth_events, inbox, url, monkeypatch):
    monkeypatch.setenv("AUTH_EVENTS_DATABASE", url)
    first = event(version=5)
    verdict(inbox, first)
    result = auth_events("inbox", "forget", "--consumer", "analytics", "--all", "--yes", "--json")
    assert (result.code, result.document) == (0, {"ids": 1, "versions": 1})
    assert verdict(inbox, first) is FRESH


def test_forget_leaves_other_consumers_alone(auth_events, inbox, url):
    first = event(version=5)
    verdict(inbox, first)
    result = auth_events("inbox", "forget", "--consumer", "x", "--all", "--yes", "--json", "--database", url)
    assert result.document == {"ids": 0, "versions": 0}
    assert verdict(inbox, first) is DUPLICATE


def test_prune_deletes_what_is_older(auth_events, inbox, url):
    verdict(inbox, event(version=5))
    engine = create_engine(url)
    with engine.begin() as connection:
        for table in (inbox_tables().handled, inbox_tables().versions):
            connection.execute(table.update().values(handled_at=datetime.now(UTC) - timedelta(days=16)))
    engine.dispose()
    pruning = ("inbox", "prune", "--consumer", "analytics", "--database", url, "--json")
    assert auth_events(*pruning, "--older-than", "17d").document == {"ids": 0, "versions": 0}
    assert auth_events(*pruning).document == {"ids": 1, "versions": 1}


def test_without_a_terminal_or_yes_nothing_is_forgotten(auth_events, inbox, url):
    first = event()
    verdict(inbox, first)
    result = auth_events("inbox", "forget", "--consumer", "analytics", "--all", "--database", url)
    assert result.code == 2
    assert "--yes" in result.err
    assert verdict(inbox, first) is DUPLICATE


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
def test_wrong_use_is_reported_in_one_line_without_secrets(auth_events, arguments, said):
    result = auth_events("inbox", arguments[0], "--consumer", "analytics", *arguments[1:])
    assert result.code == 2
    assert said in result.err
    assert SECRET not in result.err
    assert result.err.count("\n") == 1


def test_a_missing_table_is_named(auth_events, url):
    result = auth_events("inbox", "prune", "--consumer", "analytics", "--database", url)
    assert result.code == 3
    assert "no such table: auth_events_versions; call create_tables(), or run your migrations" in result.err
