"""`auth-events outbox` with PostgreSQL; tests/component/cli has the rest, with SQLite."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from commands import Command, in_process
from outboxes import Target, new_database, user_deleted
from stack.postgres import Postgres


@pytest.fixture
def auth_events(monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]) -> Command:
    """Run a command."""
    return in_process(monkeypatch, capsysbinary)


@pytest.fixture
def empty(postgres: Postgres) -> Iterator[sa.Engine]:
    """A database without an outbox."""
    with new_database(postgres.url) as engine:
        yield engine


def url_of(engine: sa.Engine) -> str:
    """Where it is, for whatever driver."""
    return engine.url.set(drivername="postgresql").render_as_string(hide_password=False)


def test_the_tables_are_applied_and_maintained(auth_events: Command, empty: sa.Engine) -> None:
    url = url_of(empty)
    missing = auth_events("outbox", "status", "--database", url)
    assert (missing.code, "auth-events outbox ddl --apply" in missing.err) == (3, True)
    assert auth_events("outbox", "ddl", "--apply", "--database", url).code == 0
    assert auth_events("outbox", "maintain", "--database", url).err == "nothing was to be done\n"
    done = auth_events("outbox", "maintain", "--days-ahead", "8", "--json", "--database", url).document
    assert len(done["created"]) == 1


def test_printed_statements_run_as_one_script(auth_events: Command, empty: sa.Engine) -> None:
    printed = auth_events("outbox", "ddl", "--database", url_of(empty)).out
    with empty.begin() as connection:
        connection.connection.driver_connection.execute(printed)  # type: ignore[union-attr]  # psycopg's
    assert auth_events("outbox", "status", "--database", url_of(empty)).code == 0


def test_status_shows_open_transactions_and_partitions(auth_events: Command, target: Target) -> None:
    target.commit(user_deleted("anna"))
    with target.engine.connect() as slow:
        slow.exec_driver_sql("SET application_name = 'slow report'")
        target.add(slow, user_deleted("bert"))
        time.sleep(5.5)
        text = auth_events("outbox", "status", "--database", url_of(target.engine)).out
        found = auth_events("outbox", "status", "--json", "--database", url_of(target.engine)).document
        slow.rollback()
    assert "1 events wait" in text
    assert "slow report" in text
    assert "auth_events_outbox_default" in text
    assert [each["application"] for each in found["openTransactions"]] == ["slow report"]
    assert len(found["partitions"]) == 9


def test_a_role_that_does_not_own_the_tables_may_not_maintain_them(
    auth_events: Command, engine: sa.Engine
) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE ROLE visitor LOGIN")
    try:
        result = auth_events("outbox", "maintain", "--database", url_of_role(engine, "visitor"))
    finally:
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP ROLE visitor")
    assert result.code == 1
    assert "maintenance needs the role postgres" in result.err


def url_of_role(engine: sa.Engine, role: str) -> str:
    """Where it is, for another role."""
    url = engine.url.set(drivername="postgresql", username=role)
    return url.render_as_string(hide_password=False)
