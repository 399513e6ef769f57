"""What a relay sends: all that committed, nothing else, in each user's order."""

from __future__ import annotations

import os
import threading
import time
from collections import defaultdict

import pytest
import sqlalchemy as sa

from immersiverse.auth.events import (
    AuthEvent,
    AuthEventDeserializer,
    InvalidEvent,
    Outbox,
    OutboxTables,
    OutboxUnavailable,
    PinnedSchemas,
)
from immersiverse.auth.events.outbox.set_aside import SetAside
from outboxes import SERIALIZER, Target, new_database, user_deleted, wait_until
from stack.postgres import Postgres


def test_what_is_committed_is_sent_as_the_serializer_writes_it(target: Target) -> None:
    with target.relaying():
        (added,) = target.commit(user_deleted("anna"))
        (message,) = target.messages(1)
    expected = SERIALIZER.serialize(added)
    assert (message.key(), message.value()) == (expected.key, expected.value)
    assert tuple(message.headers() or ()) == expected.headers


def test_what_is_rolled_back_is_not_sent(target: Target) -> None:
    with target.relaying():
        with target.engine.connect() as connection:
            target.add(connection, user_deleted("anna"))
            connection.rollback()
        (added,) = target.commit(user_deleted("anna"))
        assert target.ids(2, seconds=2) == [added.event_id]
    assert added.version == 1


def test_a_transaction_that_commits_late_is_sent_and_holds_up_none(target: Target) -> None:
    with target.relaying(), target.engine.connect() as slow:
        (late,) = target.add(slow, user_deleted("late"))
        early = [target.commit(user_deleted(f"user-{n}"))[0].event_id for n in range(20)]
        assert sorted(target.ids(20)) == sorted(early)
        slow.commit()
        assert sorted(target.ids(21)) == sorted([*early, late.event_id])
        assert len(target.ids(22, seconds=1)) == 21


def test_versions_have_no_gaps_and_come_in_order(target: Target) -> None:
    def write(writer: int) -> None:
        for turn in range(30):
            with target.engine.connect() as connection:
                target.add(connection, user_deleted(f"user-{(writer + turn) % 3}"))
                if turn % 5:
                    connection.commit()
                else:
                    connection.rollback()

    writers = [threading.Thread(target=write, args=(writer,)) for writer in range(6)]
    with target.relaying(), target.relaying():
        for each in writers:
            each.start()
        for each in writers:
            each.join()
        messages = target.messages(6 * 24)
    read = AuthEventDeserializer(PinnedSchemas(7))
    versions = defaultdict[bytes | None, list[int]](list)
    for message in messages:
        event = read.deserialize(message.value())
        assert isinstance(event, AuthEvent)
        versions[message.key()].append(event.version)
    assert sum(map(len, versions.values())) == 6 * 24
    for of_user in versions.values():
        assert of_user == list(range(1, len(of_user) + 1))


def test_a_backlog_larger_than_a_page_comes_in_order(target: Target) -> None:
    ids = [each.event_id for each in target.commit(*(user_deleted("anna") for _ in range(10_000)))]
    with target.relaying():
        assert target.ids(10_000) == ids


def test_a_row_that_is_too_large_holds_up_its_user_only(target: Target, small_topic: str) -> None:
    with target.engine.begin() as connection:
        large = target.outbox.add(connection, user_deleted("anna"))
        connection.execute(
            sa.text("UPDATE auth_events_outbox SET payload = payload || :noise"),
            {"noise": os.urandom(5_000)},  # which does not compress
        )
        target.redirect(connection, small_topic)
    set_aside = SetAside(target.engine, OutboxTables())
    with target.relaying():
        wait_until(set_aside.rows)
        (waiting,) = target.commit(user_deleted("anna"))
        (other,) = target.commit(user_deleted("bert"))
        assert target.ids(2, seconds=2) == [other.event_id]
        refused, behind = set_aside.rows()
        assert (refused.event_id, refused.is_waiting) == (large.event_id, False)
        assert "MSG_SIZE_TOO_LARGE" in refused.reason
        assert (behind.event_id, behind.is_waiting) == (waiting.event_id, True)
        set_aside.retry()
        wait_until(lambda: not set_aside.rows()[0].retry)
        assert len(set_aside.rows()) == 2
        set_aside.drop([refused.sequence])
        assert target.ids(2) == [other.event_id, waiting.event_id]
        wait_until(lambda: not set_aside.rows())


def test_a_topic_that_appears_takes_what_was_set_aside(target: Target) -> None:
    set_aside = SetAside(target.engine, OutboxTables())
    with target.engine.begin() as connection:
        added = target.outbox.add(connection, user_deleted("anna"))
        target.redirect(connection, f"{target.topic}-missing")
    with target.relaying():
        wait_until(set_aside.rows, seconds=60)
        assert "UNKNOWN_TOPIC" in set_aside.rows()[0].reason
        with target.engine.begin() as connection:  # as if the topic existed now
            connection.execute(
                sa.text("UPDATE auth_events_outbox_set_aside SET aggregatetype = :topic"),
                {"topic": target.topic},
            )
        set_aside.retry()
        assert target.ids(1) == [added.event_id]


def test_a_relay_stops_while_kafka_is_away_and_the_next_one_sends(target: Target) -> None:
    added = target.commit(user_deleted("anna"), user_deleted("anna"))
    away = Target("127.0.0.1:1", target.topic, target.engine)
    with away.relaying():
        wait_until(lambda: set(holders(target)) != {None})
        time.sleep(1)  # it waits for Kafka
        begun = time.monotonic()
    assert time.monotonic() - begun < 15
    assert set(holders(target)) == {None}
    with target.relaying():
        assert target.ids(2) == [event.event_id for event in added]


def holders(target: Target) -> list[str | None]:
    """Which relay holds each shard."""
    with target.engine.connect() as connection:
        return list(connection.exec_driver_sql("SELECT holder FROM auth_events_outbox_shards").scalars())


def test_an_event_with_a_version_is_refused(target: Target) -> None:
    event = user_deleted("anna")
    event.version = 3
    with target.engine.begin() as connection, pytest.raises(InvalidEvent, match="version: is assigned"):
        target.outbox.add(connection, event)


def test_an_event_that_is_too_large_is_refused(target: Target) -> None:
    outbox = Outbox(SERIALIZER, max_message_bytes=200)
    with target.engine.begin() as connection, pytest.raises(InvalidEvent, match="more than 200"):
        outbox.add(connection, user_deleted("anna"))


def test_a_database_without_tables_names_the_command(postgres: Postgres) -> None:
    with new_database(postgres.url) as engine:
        outbox = Outbox(SERIALIZER)
        with engine.connect() as connection, pytest.raises(OutboxUnavailable, match="auth-events outbox ddl"):
            outbox.add(connection, user_deleted("anna"))
