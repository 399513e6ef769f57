"""What `status` shows: backlog and age, shards and their holders, open transactions, and what is wrong."""

from __future__ import annotations

import time

import sqlalchemy as sa

from immersiverse.auth.events import OutboxTables
from immersiverse.auth.events.outbox.databases import open_outbox
from immersiverse.auth.events.outbox.set_aside import SetAside
from immersiverse.auth.events.outbox.shard_states import shard_states, undelivered
from immersiverse.auth.events.outbox.status import backlog, status
from immersiverse.auth.events.outbox.tables import SHARDS
from outboxes import Target, user_deleted, wait_until

TABLES = OutboxTables()


def make_old(connection: sa.Connection, minutes: int) -> None:
    """Let the rows of this transaction be so old, as if it had been open for so long."""
    connection.exec_driver_sql(
        f"UPDATE auth_events_outbox SET created_at = now() - interval '{minutes} minutes' "
        "WHERE transaction_id = txid_current()"
    )


def test_what_no_relay_has_sent_is_the_backlog(target: Target) -> None:
    with target.engine.begin() as connection:
        target.add(connection, user_deleted("anna"))
        make_old(connection, 2)
    target.commit(*(user_deleted(f"user-{n}") for n in range(9)))
    found = backlog(target.engine, TABLES)
    assert found.rows == 10
    assert 119 < found.oldest_seconds < 180
    with target.relaying():
        assert len(target.ids(10)) == 10
        wait_until(lambda: backlog(target.engine, TABLES).rows == 0)
    assert backlog(target.engine, TABLES).oldest_seconds == 0


def test_what_is_uncommitted_is_no_backlog_but_shown(target: Target) -> None:
    with target.engine.connect() as slow:
        slow.exec_driver_sql("SET application_name = 'slow report'")
        target.add(slow, user_deleted("anna"))
        time.sleep(5.5)
        found = status(target.engine, TABLES)
        slow.rollback()
    assert found.backlog.rows == 0
    (opened,) = found.open_transactions
    assert (opened.application, opened.state) == ("slow report", "idle in transaction")
    assert opened.seconds is not None
    assert opened.seconds >= 5
    assert status(target.engine, TABLES).open_transactions == []


def test_shards_name_their_holder(target: Target) -> None:
    free = status(target.engine, TABLES)
    assert [shard.state.holder for shard in free.shards] == [None] * SHARDS
    assert "no relay holds shard 0, 1, 2, 3, 4, 5, 6, 7: start one" in free.findings[0]
    with target.relaying() as relay:
        wait_until(lambda: all(shard.state.holder for shard in status(target.engine, TABLES).shards))
        held = status(target.engine, TABLES)
    assert {shard.state.holder for shard in held.shards} == {relay.name}
    assert all(shard.state.is_alive for shard in held.shards)
    assert held.findings == []


def test_a_backlog_that_is_half_sent_counts_the_other_half(target: Target) -> None:
    target.commit(*(user_deleted("anna") for _ in range(10)))
    with target.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE auth_events_outbox_shards SET target = txid_current_snapshot()::text, sequence = 4"
        )
    assert backlog(target.engine, TABLES).rows == 6


def test_a_restored_database_is_a_finding(target: Target) -> None:
    target.commit(user_deleted("anna"))
    with target.engine.begin() as connection:  # another cluster, whose transaction ids begin again
        connection.exec_driver_sql(
            "UPDATE auth_events_outbox_shards SET epoch = 'another', snapshot = '9999999:9999999:', "
            "saved_at = now()"
        )
    found = status(target.engine, TABLES)
    assert found.backlog.rows == 1
    assert any("restored or failed over" in each for each in found.findings)


def test_faults_of_the_tables_are_findings(target: Target) -> None:
    with target.engine.begin() as connection:
        connection.exec_driver_sql("DROP INDEX auth_events_outbox_transaction")
        connection.exec_driver_sql("ALTER TABLE auth_events_outbox_shards SET (autovacuum_enabled = off)")
        connection.exec_driver_sql(
            "DO $$ DECLARE name text; BEGIN FOR name IN SELECT inhrelid::regclass::text FROM pg_inherits "
            "WHERE inhparent = 'auth_events_outbox'::regclass AND inhrelid::regclass::text ~ '_p2' "
            "LOOP EXECUTE 'DROP TABLE ' || name; END LOOP; END $$"
        )
    target.commit(user_deleted("anna"))
    findings = "\n".join(status(target.engine, TABLES).findings)
    assert "there is no partition for tomorrow" in findings
    assert "auth_events_outbox_default has rows" in findings
    assert "auth_events_outbox_default has no valid index on transaction_id" in findings
    assert "autovacuum is off for auth_events_outbox_shards" in findings


def test_rows_set_aside_are_counted_apart(target: Target) -> None:
    with target.engine.begin() as connection:
        target.outbox.add(connection, user_deleted("anna"))
        target.redirect(connection, f"{target.topic}-missing")
    with target.relaying():
        wait_until(SetAside(target.engine, TABLES).rows, seconds=60)
        target.commit(user_deleted("anna"))
        wait_until(lambda: backlog(target.engine, TABLES).set_aside == 2)
        wait_until(lambda: backlog(target.engine, TABLES).rows == 0)
    assert backlog(target.engine, TABLES).waiting == 1


def test_rates_are_differences(target: Target) -> None:
    before = status(target.engine, TABLES)
    target.commit(*(user_deleted("anna") for _ in range(50)))
    with target.relaying():
        wait_until(lambda: backlog(target.engine, TABLES).rows == 0)
    target.commit(*(user_deleted("anna") for _ in range(10)))
    after = status(target.engine, TABLES)
    seconds = (after.measured_at - before.measured_at).total_seconds()
    added, delivered = after.rates(before)
    assert round(added * seconds) == 60
    assert round(delivered * seconds) == 50


def test_a_shard_without_rows_keeps_up_with_the_others(target: Target) -> None:
    outbox = open_outbox(target.engine, TABLES, "tests")
    try:
        outbox.renew()
        target.commit(*(user_deleted(f"user-{n}") for n in range(50)))
        empty = outbox.poll(outbox.held[0], [], 10)  # as a relay does that finds no rows of its shards
        outbox.held.update(dict.fromkeys(outbox.held, empty.after))
        outbox._saved = outbox._renewed = -100.0  # type: ignore[attr-defined]  # as if a minute had passed
        outbox.renew()
        with target.engine.begin() as connection:
            saved = {state.position for state in shard_states(connection, TABLES)}
        assert saved == {empty.after}
    finally:
        outbox.close()


def test_delivered_rows_are_not_read(target: Target) -> None:
    target.commit(*(user_deleted(f"user-{n}") for n in range(500)))
    with target.relaying():
        wait_until(lambda: backlog(target.engine, TABLES).rows == 0)
    with target.engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        query = undelivered("postgresql", TABLES.outbox, shard_states(connection, TABLES), "shard")
        plan = "\n".join(connection.exec_driver_sql(f"EXPLAIN (ANALYZE, COSTS OFF) {query}").scalars())
    assert "Seq Scan" not in plan
    assert "Rows Removed" not in plan
