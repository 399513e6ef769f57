"""A database that is wrong gives a clear error, to the writer, the relay and the operator alike."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from immersiverse.auth.events import ConfigurationError, Outbox, OutboxRelay, OutboxTables, OutboxUnavailable
from immersiverse.auth.events.outbox.databases import engine_of, open_outbox
from immersiverse.auth.events.outbox.status import status
from outboxes import SERIALIZER, user_deleted

TABLES = OutboxTables()


@pytest.mark.parametrize("url", ["not a url", "", "postgresql//host", "mysql://host/database"])
def test_a_url_that_is_none_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(
        ConfigurationError, match=r"^database: (is not a database URL|mysql is not)"
    ) as caught:
        OutboxRelay(url, {"bootstrap.servers": "localhost:9092"})
    assert not url or url not in str(caught.value)


@pytest.mark.parametrize("driver", ["postgres", "postgresql", "postgresql+asyncpg", "postgresql+psycopg"])
def test_a_url_of_any_driver_is_used_with_ours(engine: sa.Engine, driver: str) -> None:
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    found = engine_of(url.replace("postgresql", driver, 1))
    assert len(status(found, TABLES).shards) == 8
    found.dispose()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"port": 1}, "(?i)refused"),
        ({"database": "missing"}, 'database "missing" does not exist; check the database\'s URL'),
        ({"username": "missing"}, 'role "missing" does not exist; check the database\'s URL'),
    ],
)
def test_a_url_that_leads_nowhere_says_why(engine: sa.Engine, change: dict[str, object], says: str) -> None:
    elsewhere = sa.create_engine(engine.url.set(**change))  # type: ignore[arg-type]  # parts of a URL
    with pytest.raises(OutboxUnavailable, match=says):
        status(elsewhere, TABLES)
    with pytest.raises(OutboxUnavailable, match=says):
        open_outbox(elsewhere, TABLES, "tests")
    elsewhere.dispose()


def test_a_read_only_database_says_what_to_use(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        name = connection.exec_driver_sql("SELECT current_database()").scalar_one()
        connection.exec_driver_sql(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    says = r"read-only transaction; use the database's primary"
    read_only = sa.create_engine(engine.url)
    with read_only.connect() as connection, pytest.raises(OutboxUnavailable, match=says):
        Outbox(SERIALIZER).add(connection, user_deleted("anna"))
    outbox = open_outbox(read_only, TABLES, "tests")
    with pytest.raises(OutboxUnavailable, match=says):
        outbox.renew()
    outbox.close()
    assert status(read_only, TABLES).backlog.rows == 0  # which only reads
    read_only.dispose()


def test_tables_of_an_older_version_name_the_column_and_the_command(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE auth_events_outbox DROP COLUMN baggage")
    says = r"column .*baggage.* does not exist; create this version's tables with: auth-events outbox ddl"
    with engine.connect() as connection, pytest.raises(OutboxUnavailable, match=says):
        Outbox(SERIALIZER).add(connection, user_deleted("anna"))
    outbox = open_outbox(engine, TABLES, "tests")
    outbox.renew()
    with pytest.raises(OutboxUnavailable, match=says):
        outbox.poll(outbox.held[0], list(outbox.held), 10)
    outbox.close()


def test_a_database_without_the_tables_names_the_command(engine: sa.Engine) -> None:
    tables = OutboxTables("missing")
    says = r"does not exist; create this version's tables with: auth-events outbox ddl"
    with pytest.raises(OutboxUnavailable, match=says):
        status(engine, tables)
    with pytest.raises(OutboxUnavailable, match=says):
        open_outbox(engine, tables, "tests")
