"""A dump restored into a new cluster: transaction ids begin again, and rows bring those of the old one."""

from __future__ import annotations

import sqlalchemy as sa

from immersiverse.auth.events import OutboxTables
from immersiverse.auth.events.outbox.status import backlog
from outboxes import Target, user_deleted, wait_until

_LATER = 1_000_000  # transactions that the old cluster had run, and this one has not


def restore(target: Target, *, hours: int = 0) -> None:
    """Make the rows and positions those of another cluster, which is so many hours older."""
    with target.engine.begin() as connection:
        connection.execute(
            sa.text(
                "UPDATE auth_events_outbox SET transaction_id = transaction_id + :later, "
                "created_at = created_at - make_interval(hours => :hours)"
            ),
            {"later": _LATER, "hours": hours},
        )
        connection.execute(
            sa.text(
                "UPDATE auth_events_outbox_shards SET epoch = 'another', snapshot = :snapshot "
                "WHERE epoch <> ''"
            ),
            {"snapshot": f"{_LATER * 2}:{_LATER * 2}:"},
        )


def is_delivered(target: Target) -> bool:
    """Whether nothing is left to send."""
    return backlog(target.engine, OutboxTables()).rows == 0


def test_restored_rows_are_sent_once_more_and_before_what_is_added_later(target: Target) -> None:
    with target.relaying():
        sent = [target.commit(user_deleted("anna"))[0].event_id]
        assert target.ids(1) == sent
    sent += [each.event_id for each in target.commit(*(user_deleted("anna") for _ in range(3)))]
    restore(target)
    sent += [each.event_id for each in target.commit(*(user_deleted("anna") for _ in range(3)))]
    with target.relaying():
        wait_until(lambda: len(target.ids(8, seconds=1)) >= 8)
        after = target.commit(user_deleted("anna"))[0].event_id
        assert target.ids(10, seconds=3) == [sent[0], *sent, after]
        wait_until(lambda: is_delivered(target), seconds=5)


def test_a_restored_row_whose_transaction_id_is_in_use_is_sent_once(target: Target) -> None:
    with target.relaying():
        sent = [target.commit(user_deleted("anna"))[0].event_id]
        assert target.ids(1) == sent
    with target.engine.connect() as open_one:
        number = open_one.exec_driver_sql("SELECT txid_current()").scalar_one()
        restore(target)
        with target.engine.begin() as connection:
            connection.execute(sa.text("UPDATE auth_events_outbox SET transaction_id = :n"), {"n": number})
        with target.relaying():
            wait_until(lambda: len(target.ids(2, seconds=1)) >= 2)
            late = target.add(open_one, user_deleted("berta"))[0].event_id
            after = target.commit(user_deleted("anna"))[0].event_id
            assert target.ids(3) == [*sent, *sent, after]
            open_one.commit()
            assert sorted(target.ids(5, seconds=3)) == sorted([*sent, *sent, after, late])
            wait_until(lambda: is_delivered(target), seconds=5)


def test_rows_delivered_long_before_a_restore_are_not_sent_again(target: Target) -> None:
    with target.relaying():
        sent = [target.commit(user_deleted("anna"))[0].event_id]
        assert target.ids(1) == sent
    restore(target, hours=2)
    with target.relaying():
        wait_until(lambda: is_delivered(target), seconds=10)
        after = target.commit(user_deleted("anna"))[0].event_id
        assert target.ids(3, seconds=3) == [*sent, after]


def test_restored_rows_that_were_never_relayed_are_sent_once(target: Target) -> None:
    sent = [each.event_id for each in target.commit(*(user_deleted("anna") for _ in range(3)))]
    restore(target)
    with target.relaying():
        assert target.ids(4, seconds=3) == sent
        wait_until(lambda: is_delivered(target), seconds=5)
