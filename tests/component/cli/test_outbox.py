"""`auth-events outbox`, with SQLite and the embedded broker."""

from __future__ import annotations

import signal
import socket
import sqlite3
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from commands import Command
from component.cli.terminal import end, running
from component.cli.typing_terminal import typing
from immersiverse.auth.events import Outbox, OutboxTables
from immersiverse.auth.events.outbox.database import Row
from immersiverse.auth.events.outbox.set_aside import SetAside
from immersiverse.auth.events.testing.broker import EmbeddedBroker
from outboxes import SERIALIZER, user_deleted, wait_until

SECRET = "S3cr3t"


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AUTH_EVENTS_DATABASE", "AUTH_EVENTS_BOOTSTRAP_SERVERS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def url(tmp_path: Path, auth_events: Command) -> str:
    """A database with an outbox."""
    url = f"sqlite:///{tmp_path / 'outbox.db'}"
    assert auth_events("outbox", "ddl", "--apply", "--database", url).code == 0
    return url


@pytest.fixture
def engine(url: str) -> Iterator[sa.Engine]:
    """The same, for what commands do not do."""
    engine = sa.create_engine(url)
    yield engine
    engine.dispose()


@pytest.fixture
def add(engine: sa.Engine) -> Callable[..., None]:
    """Adds an event for each user."""

    def added(*users: str) -> None:
        with engine.begin() as connection:
            Outbox(SERIALIZER).add_all(connection, [user_deleted(user) for user in users])

    return added


@pytest.fixture
def refused(engine: sa.Engine, add: Callable[..., None]) -> None:
    """A row that Kafka refused, and one that waits behind it: 1 and 2."""
    add("anna")
    store = SetAside(engine, OutboxTables())
    row = Row(1, 0, 0.0, "auth.events.user", b"anna", b"value", _HEADERS)
    store.add([(row, "MSG_SIZE_TOO_LARGE: too large")], is_waiting=False)
    store.add([(row._replace(sequence=2), "waits")], is_waiting=True)


_HEADERS = [
    ("ce_specversion", b"1.0"), ("ce_id", b"an-id"), ("ce_type", b"immersiverse.auth.events.v1.UserDeleted"),
    ("ce_source", b"/tests"), ("ce_time", b"2025-01-01T00:00:00Z"), ("ce_partitionkey", b"anna"),
    ("content-type", b"application/x-protobuf"),
]  # fmt: skip


@pytest.mark.parametrize("dialect", ["postgresql", "sqlite"])
def test_ddl_prints_the_statements(auth_events: Command, dialect: str) -> None:
    result = auth_events("outbox", "ddl", "--dialect", dialect, "--schema", "auth")
    assert (result.code, result.err) == (0, "")
    for statement in OutboxTables("auth").ddl(dialect):
        assert f"{statement};\n" in result.out


def test_printed_statements_create_the_tables(auth_events: Command, tmp_path: Path) -> None:
    printed = auth_events("outbox", "ddl", "--database", f"sqlite:///{tmp_path / 'never-made.db'}").out
    assert not (tmp_path / "never-made.db").exists()
    with closing(sqlite3.connect(tmp_path / "made.db")) as database:
        database.executescript(printed)
    assert auth_events("outbox", "status", "--database", f"sqlite:///{tmp_path / 'made.db'}").code == 0


def test_apply_may_run_again(auth_events: Command, url: str, add: Callable[..., None]) -> None:
    add("anna")
    assert (
        auth_events("outbox", "ddl", "--apply", "--database", url).err
        == "the outbox auth_events_outbox is ready\n"
    )
    assert auth_events("outbox", "status", "--json", "--database", url).document["backlog"] == 1


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_a_relay_relays_says_so_and_ends_cleanly(
    auth_events: Command, url: str, add: Callable[..., None], stop: signal.Signals
) -> None:
    add("anna", "bert", "anna")

    def backlog() -> int:
        return int(auth_events("outbox", "status", "--json", "--database", url).document["backlog"])

    with EmbeddedBroker() as broker:
        with running("outbox", "relay", "--database", url, "-b", broker.bootstrap) as process:
            wait_until(lambda: backlog() == 0)
            result = end(process, stop)
        assert result.code == 0
        lines = [line.partition(" INFO ")[2] for line in result.err.splitlines()]
        assert lines[0].endswith("relaying from auth_events_outbox")
        assert lines[1].startswith("took shard 0, 1")
        assert lines[-2].startswith("released shard 0, 1")
        assert lines[-1].endswith("has ended")
        tailed = auth_events(
            "tail", "-b", broker.bootstrap, "--from", "beginning", "--no-follow", "--headers"
        )
    assert [tailed.out.count(f'"key":"{user}"') for user in ("anna", "bert")] == [2, 1]


def test_a_relay_serves_metrics(url: str, add: Callable[..., None]) -> None:
    add("anna")
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]

    def metrics() -> str:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
                return str(answer.read().decode())
        except OSError:
            return ""

    with EmbeddedBroker() as broker:
        command = ("outbox", "relay", "--database", url, "-b", broker.bootstrap, "--metrics-port", str(port))
        with running(*command, "--quiet") as process:
            wait_until(lambda: 'auth_events_outbox_shards{outbox="auth_events_outbox"} 8.0' in metrics())
            wait_until(
                lambda: 'auth_events_outbox_relay_seconds_count{topic="auth.events.user"} 1.0' in metrics()
            )
            result = end(process, signal.SIGTERM)
    assert (result.code, result.err) == (0, "")


def test_a_port_that_is_taken_is_one_line(auth_events: Command, url: str) -> None:
    with closing(socket.create_server(("0.0.0.0", 0))) as taken:
        port = taken.getsockname()[1]
        result = auth_events(
            "outbox", "relay", "--database", url, "-b", "127.0.0.1:1", "--metrics-port", str(port)
        )
    assert result.code == 3
    assert result.err.startswith(f"auth-events: cannot listen on port {port}")


def test_status_shows_backlog_shards_and_findings(
    auth_events: Command, url: str, add: Callable[..., None]
) -> None:
    add("anna", "bert")
    found = auth_events("outbox", "status", "--json", "--database", url).document
    assert (found["backlog"], found["setAside"], len(found["shards"])) == (2, 0, 8)
    assert sum(shard["backlog"] for shard in found["shards"]) == 2
    assert found["findings"][0].startswith("no relay holds shard 0")
    text = auth_events("outbox", "status", "--database", url).out
    assert "2 events wait, the oldest for" in text
    assert "! no relay holds shard 0" in text


def test_status_is_watched_as_lines_of_json(url: str) -> None:
    with running("outbox", "status", "--watch", "--interval", "0.1", "--json", "--database", url) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(3)]
        assert end(process, signal.SIGINT).code == 130
    assert all('"backlog":0' in line for line in lines)


def test_status_is_redrawn_at_a_terminal(url: str) -> None:
    with typing("outbox", "status", "--watch", "--interval", "0.1", "--database", url) as terminal:
        terminal.wait_for("0 events wait")
        terminal.wait_for("0 events wait")
        terminal.interrupt()


@pytest.mark.usefixtures("refused")
def test_what_is_set_aside_is_listed(auth_events: Command, url: str) -> None:
    rows = auth_events("outbox", "set-aside", "list", "--json", "--database", url).document
    assert [(row["row"], row["waiting"], row["key"]) for row in rows] == [
        (1, False, "anna"),
        (2, True, "anna"),
    ]
    text = auth_events("outbox", "set-aside", "list", "--database", url).out
    assert "MSG_SIZE_TOO_LARGE: too large" in text
    assert (
        auth_events("outbox", "set-aside", "list", "--limit", "1", "--json", "--database", url).document
        == rows[:1]
    )


@pytest.mark.usefixtures("refused")
def test_retry_takes_numbers_or_all(auth_events: Command, url: str) -> None:
    assert auth_events("outbox", "set-aside", "retry", "--database", url).code == 2
    missing = auth_events("outbox", "set-aside", "retry", "1", "7", "--database", url)
    assert missing.code == 1
    assert "1 events will be retried; 1 of these rows are not there, or only wait" in missing.err
    assert auth_events("outbox", "set-aside", "retry", "--all", "--database", url).code == 0
    rows = auth_events("outbox", "set-aside", "list", "--json", "--database", url).document
    assert [row["retry"] for row in rows] == [True, False]


@pytest.mark.usefixtures("refused")
def test_drop_asks_and_refuses_what_only_waits(auth_events: Command, url: str) -> None:
    unconfirmed = auth_events("outbox", "set-aside", "drop", "1", "--database", url)
    assert (unconfirmed.code, "pass --yes" in unconfirmed.err) == (2, True)
    waiting = auth_events("outbox", "set-aside", "drop", "2", "--yes", "--database", url)
    assert (waiting.code, "only waits behind a refused one" in waiting.err) == (1, True)
    with typing("outbox", "set-aside", "drop", "1", "--database", url) as terminal:
        terminal.wait_for("Never publish 1 events")
        terminal.type("y\n")
        terminal.wait_for("1 events are dropped")
    rows = auth_events("outbox", "set-aside", "list", "--json", "--database", url).document
    assert [row["row"] for row in rows] == [2]
    assert auth_events("outbox", "set-aside", "drop", "1", "--yes", "--database", url).code == 1


def test_maintain_deletes_old_delivered_rows_only(
    auth_events: Command, url: str, engine: sa.Engine, add: Callable[..., None]
) -> None:
    def maintain(*options: str) -> int:
        return int(
            auth_events("outbox", "maintain", "--json", "--database", url, *options).document["deleted"]
        )

    add("anna", "bert", "carl")
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE auth_events_outbox SET created_at = '2020-01-01' WHERE sequence < 3"
        )
        connection.exec_driver_sql("UPDATE auth_events_outbox_shards SET sequence = 1")
    assert maintain() == 1
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE auth_events_outbox_shards SET sequence = 3")
    assert maintain() == 1
    assert auth_events("outbox", "maintain", "--database", url).err == "nothing was to be done\n"
    time.sleep(1.1)  # SQLite's times are whole seconds
    assert maintain("--keep", "0s") == 1


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("status",), 2, "no database given: pass --database URL, or set AUTH_EVENTS_DATABASE"),
        (("status", "--database", f"nothing:{SECRET}"), 2, "is not a database URL"),
        (("status", "--database", f"mysql://a:{SECRET}@h/d"), 2, "mysql is not supported"),
        (("status", "--database", f"postgresql://a:{SECRET}@127.0.0.1:1/d"), 3, "refused"),
        (("status", "--database", "sqlite://"), 3, "no such table"),
        (("ddl", "--apply", "--dialect", "sqlite"), 2, "--dialect is for printing"),
        (("ddl", "--schema", "a;b"), 2, "is not a plain name of a database schema"),
        (("maintain", "--database", "sqlite://", "--keep", "soon"), 2, "invalid age 'soon'"),
        (("relay", "--database", "sqlite://"), 2, "no Kafka cluster given"),
        (("relay", "--database", "sqlite://", "-b", "a:1", "-c", "acks=1"), 2, "acks"),
    ],
)
def test_wrong_use_and_no_connection_are_one_line(
    auth_events: Command, arguments: tuple[str, ...], code: int, says: str
) -> None:
    result = auth_events("outbox", *arguments)
    assert (result.code, result.out) == (code, "")
    last = result.err.splitlines()[-1]
    assert last.startswith("auth-events: ")
    assert says in last
    assert SECRET not in result.err
