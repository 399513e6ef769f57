"""Partitions are created ahead, and dropped when all that they hold is delivered and old."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from immersiverse.auth.events import OperationRefused, Outbox, OutboxTables
from immersiverse.auth.events.outbox.partitions import partitions
from immersiverse.auth.events.outbox.retention import maintain
from outboxes import SERIALIZER, Target, new_database, user_deleted
from stack.postgres import Postgres

TABLES = OutboxTables()
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def tables_of(engine: sa.Engine) -> set[str]:
    """The names of the partitions that are left."""
    with engine.begin() as connection:
        return {each.table for each in partitions(connection, TABLES)}


def named(days: int) -> str:
    """The name of the partition so many days from today."""
    return f"auth_events_outbox_p{TODAY + timedelta(days=days):%Y%m%d}"


def old_partition(engine: sa.Engine, days: int = 5) -> str:
    """Another partition, for rows of so many days ago."""
    begin, until = TODAY - timedelta(days=days), TODAY - timedelta(days=days - 1)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            f"CREATE TABLE {named(-days)} PARTITION OF auth_events_outbox "
            f"FOR VALUES FROM ('{begin.isoformat()}') TO ('{until.isoformat()}')"
        )
    return named(-days)


def make_old(connection: sa.Connection, days: int = 5) -> None:
    """Move the rows of this transaction into the past."""
    connection.exec_driver_sql(
        f"UPDATE auth_events_outbox SET created_at = now() - interval '{days} days' "
        "WHERE transaction_id = txid_current()"
    )


def test_new_tables_have_partitions_for_a_week(engine: sa.Engine) -> None:
    assert tables_of(engine) == {*map(named, range(8)), "auth_events_outbox_default"}
    assert maintain(engine, TABLES).created == []


def test_partitions_are_created_ahead(engine: sa.Engine) -> None:
    assert maintain(engine, TABLES, days_ahead=9).created == [named(8), named(9)]
    with engine.begin() as connection:
        indexed = connection.exec_driver_sql(
            f"SELECT count(*) FROM pg_indexes WHERE tablename = '{named(9)}'"
        ).scalar_one()
    assert indexed == 1


def test_a_partition_is_dropped_when_it_is_delivered_and_old(target: Target) -> None:
    old = old_partition(target.engine)
    with target.engine.begin() as connection:
        added = target.add(connection, *(user_deleted(f"user-{n}") for n in range(30)))
        make_old(connection)
    kept = maintain(target.engine, TABLES)
    assert kept.dropped == []
    assert kept.left == [f"{old}: has undelivered rows"]
    with target.relaying():
        assert set(target.ids(30)) == {event.event_id for event in added}
    assert maintain(target.engine, TABLES, keep=timedelta(days=6)).dropped == []
    assert maintain(target.engine, TABLES).dropped == [old]
    assert old not in tables_of(target.engine)


def test_one_undelivered_row_keeps_its_partition(target: Target) -> None:
    old = old_partition(target.engine)
    with target.engine.connect() as late:
        target.add(late, user_deleted("late"))
        make_old(late)
        with target.relaying():
            first = target.commit(user_deleted("first"))
            assert target.ids(1) == [first[0].event_id]
        left = maintain(target.engine, TABLES).left  # while its transaction is open
        assert left == [f"{old}: open transactions hold locks on it"]
        late.commit()
    assert maintain(target.engine, TABLES).left == [f"{old}: has undelivered rows"]


def test_writers_go_on_while_maintenance_waits_for_a_lock(target: Target) -> None:
    old_partition(target.engine)
    slowest, stopped = [0.0], threading.Event()

    def write() -> None:
        while not stopped.is_set():
            begun = time.monotonic()
            target.commit(user_deleted("anna"))
            slowest[0] = max(slowest[0], time.monotonic() - begun)

    writer = threading.Thread(target=write)
    with target.engine.connect() as reader:  # which holds the lock of a reader for long
        reader.exec_driver_sql("SELECT count(*) FROM auth_events_outbox")
        writer.start()
        left = maintain(target.engine, TABLES).left
        stopped.set()
        writer.join()
    assert left
    assert slowest[0] < 1.0


def test_old_rows_of_the_default_partition_are_removed_together(target: Target) -> None:
    with target.engine.begin() as connection:
        target.add(connection, user_deleted("anna"))
        make_old(connection)
    left = maintain(target.engine, TABLES).left
    assert left == ["auth_events_outbox_default: has rows that are recent or undelivered"]
    with target.relaying():
        assert len(target.ids(1)) == 1
    assert maintain(target.engine, TABLES).dropped == ["auth_events_outbox_default (its rows)"]
    with target.engine.begin() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM auth_events_outbox").scalar_one() == 0


def test_a_day_that_the_default_partition_holds_gets_no_partition(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql(f"DROP TABLE {named(0)}")
        Outbox(SERIALIZER).add(connection, user_deleted("anna"))
    done = maintain(engine, TABLES)
    assert done.created == []
    assert f"{TODAY:%Y-%m-%d}: the DEFAULT partition has rows of this day" in done.left


def test_a_partition_that_was_only_detached_is_dropped(engine: sa.Engine) -> None:
    old = old_partition(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"ALTER TABLE auth_events_outbox DETACH PARTITION {old}")
    assert maintain(engine, TABLES).dropped == [old]
    assert old not in tables_of(engine)


def test_a_role_without_the_tables_is_refused(postgres: Postgres) -> None:
    with new_database(postgres.url) as engine:
        Outbox(SERIALIZER).create_all(engine)
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP ROLE IF EXISTS another_role")
            connection.exec_driver_sql("CREATE ROLE another_role LOGIN")
        other = sa.create_engine(engine.url.set(username="another_role"))
        with pytest.raises(OperationRefused, match="needs the role postgres, which owns"):
            maintain(other, TABLES)
        other.dispose()


def test_a_schema_of_its_own_is_maintained(postgres: Postgres) -> None:
    tables = OutboxTables("auth")
    with new_database(postgres.url) as engine:
        with engine.begin() as connection:
            connection.exec_driver_sql("CREATE SCHEMA auth")
            tables.create_all(connection)
        created = maintain(engine, tables, days_ahead=8).created
    assert created == [f'"auth".{named(8)}']
