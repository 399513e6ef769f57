"""Relays that share the work, die, freeze and wake up: nothing is lost, no user's events are reordered."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from immersiverse.auth.events import OutboxTables
from immersiverse.auth.events.outbox.database import LeaseLost
from immersiverse.auth.events.outbox.databases import open_outbox
from immersiverse.auth.events.outbox.tables import SHARDS
from outboxes import Target, user_deleted, wait_until

_PROGRAM = Path(__file__).with_name("relay_process.py")


@contextmanager
def relay_process(target: Target) -> Iterator[subprocess.Popen[bytes]]:
    """A relay in a process of its own, which is killed in the end."""
    url = target.engine.url.render_as_string(hide_password=False)
    process = subprocess.Popen([sys.executable, str(_PROGRAM), url, target.bootstrap])
    try:
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait()


def holders(target: Target) -> dict[int, str | None]:
    """Which relay holds each shard."""
    with target.engine.connect() as connection:
        rows = connection.execute(sa.text("SELECT shard, holder FROM auth_events_outbox_shards")).all()
    return {row.shard: row.holder for row in rows}


def test_relays_share_the_shards_alike(target: Target) -> None:
    with target.relaying() as one, target.relaying() as two:
        wait_until(lambda: sorted(holders(target).values(), key=str) == sorted([one.name, two.name] * 4))
    assert set(holders(target).values()) == {None}


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGSTOP])
def test_a_relay_that_dies_or_freezes_is_replaced_in_seconds(target: Target, end: signal.Signals) -> None:
    with relay_process(target) as first:
        sent = [target.commit(user_deleted("anna"))[0].event_id]
        assert target.ids(1) == sent
        first.send_signal(end)
        sent += [each.event_id for each in target.commit(*(user_deleted("anna") for _ in range(20)))]
        with target.relaying() as second:
            begun = time.monotonic()
            wait_until(lambda: set(holders(target).values()) == {second.name}, seconds=20)
            assert time.monotonic() - begun < 15
            assert target.ids(21) == sent


def test_a_relay_that_wakes_up_sends_nothing_of_what_it_had(target: Target) -> None:
    with relay_process(target) as first:
        sent = [target.commit(user_deleted("anna"))[0].event_id]
        assert target.ids(1) == sent
        first.send_signal(signal.SIGSTOP)
        sent += [each.event_id for each in target.commit(*(user_deleted("anna") for _ in range(20)))]
        with target.relaying() as second:
            wait_until(lambda: set(holders(target).values()) == {second.name}, seconds=20)
            assert target.ids(21) == sent
            first.send_signal(signal.SIGCONT)
            wait_until(lambda: len(set(holders(target).values())) == 2)  # it is back, for its share
            sent += [each.event_id for each in target.commit(*(user_deleted("anna") for _ in range(20)))]
            assert target.ids(41) == sent
            assert target.ids(42, seconds=1) == sent


def test_a_relay_whose_connection_was_ended_has_lost_its_lease(target: Target) -> None:
    outbox = open_outbox(target.engine, OutboxTables(), "tests")
    try:
        outbox.renew()
        assert set(outbox.held) == set(range(SHARDS))
        with target.engine.begin() as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
                "AND pid <> pg_backend_pid() AND application_name = 'auth-events outbox relay'"
            )
        outbox._renewed = 0.0  # type: ignore[attr-defined]  # as if it had slept
        with pytest.raises(LeaseLost):
            outbox.require_lease()
    finally:
        outbox.close()


def test_a_shard_that_was_released_while_rows_were_sent_stays_released(target: Target) -> None:
    one = open_outbox(target.engine, OutboxTables(), "one")
    one.renew()
    shards, position = list(one.held), one.held[0]
    two = open_outbox(target.engine, OutboxTables(), "two")
    two.renew()
    one._renewed = 0.0  # type: ignore[attr-defined]  # as if a second had passed
    one.renew()
    one.save(shards, position)
    assert len(one.held) == SHARDS / 2
    two._renewed = 0.0  # type: ignore[attr-defined]
    two.renew()
    one.save(shards, position)
    assert set(holders(target).values()) == {"one", "two"}
    for outbox in (one, two):
        outbox.close()


def test_a_relay_that_loses_the_database_while_kafka_is_away_begins_again_and_can_be_stopped(
    engine: sa.Engine,
) -> None:
    away = Target("127.0.0.1:1", "topic", engine)
    away.commit(user_deleted("anna"))

    def backends() -> set[int | None]:
        with engine.connect() as connection:
            return set(connection.exec_driver_sql("SELECT backend FROM auth_events_outbox_shards").scalars())

    with away.relaying() as relay:
        wait_until(lambda: set(holders(away).values()) == {relay.name})
        time.sleep(1)  # it has queued the event
        (first,) = backends()
        with engine.begin() as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
                "AND application_name = 'auth-events outbox relay'"
            )
        wait_until(lambda: backends().isdisjoint({first, None}))


def test_what_was_committed_after_a_restore_is_sent(target: Target) -> None:
    with target.relaying():
        sent = [target.commit(user_deleted("anna"))[0].event_id]
        assert target.ids(1) == sent
    with target.engine.begin() as connection:  # another cluster, whose transaction ids begin again
        connection.exec_driver_sql(
            "UPDATE auth_events_outbox_shards SET epoch = 'another', snapshot = '9999999:9999999:'"
        )
    (after,) = target.commit(user_deleted("anna"))
    with target.relaying():
        assert target.ids(3) == [*sent, *sent, after.event_id]
