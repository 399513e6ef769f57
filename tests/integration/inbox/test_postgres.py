"""The SQL inbox on PostgreSQL with consumers that run at once, and with a server that stops."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import IntegrityError

from immersiverse.auth.events import InboxUnavailable, SqlInbox
from inboxes.behaviour import DUPLICATE, FRESH, KEY, STALE, TOPIC, HandlerFailed, event, fail, verdict
from inboxes.makers import created, database
from stack.postgres import postgres as started_postgres


@pytest.fixture
def engine(postgres):
    columns = "place SERIAL, name TEXT, version BIGINT, owner BYTEA"
    with database(postgres.url, effects=columns, pool_size=10) as engine:
        yield engine


def meanwhile(work):
    """Start something in another thread, and give it time to block."""
    pool = ThreadPoolExecutor(1)
    begun = pool.submit(work)
    time.sleep(0.3)
    assert not begun.done()
    pool.shutdown(wait=False)
    return begun


@pytest.mark.guarantee("two have the same event at once", "PostgreSQL")
def test_a_second_consumer_waits_for_the_first_and_finds_a_duplicate(inbox):
    first = event()
    with inbox.admit(first, TOPIC, KEY) as admission:
        assert admission.verdict is FRESH
        second = meanwhile(lambda: verdict(inbox, first))
    assert second.result(timeout=10) is DUPLICATE


@pytest.mark.guarantee("a handler fails", "PostgreSQL")
def test_a_second_consumer_handles_the_event_when_the_first_fails(inbox):
    first, seconds = event(), []
    fail(inbox, first, after=lambda _: seconds.append(meanwhile(lambda: verdict(inbox, first))))
    assert seconds[0].result(timeout=10) is FRESH


def test_an_older_version_waits_for_a_newer_one_of_its_user_and_is_then_stale(inbox):
    with inbox.admit(event(version=2), TOPIC, KEY):
        older = meanwhile(lambda: verdict(inbox, event(version=1)))
        assert verdict(inbox, event(version=1), key=b"user-2") is FRESH
    assert older.result(timeout=10) is STALE


def test_many_consumers_of_a_stream_leave_its_final_state(inbox, engine):
    users = [f"user-{number}".encode() for number in range(5)]
    stream = [(user, event(version)) for version in range(1, 21) for user in users]

    def consume(seed):
        chance = random.Random(seed)
        for user, arrived in chance.sample(stream, k=len(stream)):
            done = False
            while not done:
                with suppress(HandlerFailed):
                    handle(inbox, user, arrived, fails=chance.random() < 0.2)
                    done = True

    threads = [threading.Thread(target=consume, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    applied = {}
    with engine.connect() as connection:
        for owner, version in connection.execute(text("SELECT owner, version FROM effects ORDER BY place")):
            applied.setdefault(bytes(owner), []).append(version)
    assert {user: versions[-1] for user, versions in applied.items()} == dict.fromkeys(users, 20)
    assert all(versions == sorted(set(versions)) for versions in applied.values())


def handle(inbox, user, arrived, *, fails):
    with inbox.admit(arrived, TOPIC, user) as admission:
        if admission.verdict is FRESH:
            apply(admission.transaction, user, arrived)
        if fails:
            raise HandlerFailed


def apply(connection, user, arrived):
    connection.execute(
        text("INSERT INTO effects (name, version, owner) VALUES (:name, :version, :owner)"),
        {"name": arrived.event_id, "version": arrived.version, "owner": user},
    )


def test_a_deferred_constraint_is_the_handlers_failure(inbox, engine):
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE effects ADD UNIQUE (name) DEFERRABLE INITIALLY DEFERRED"))
    first = event()
    with pytest.raises(IntegrityError):
        handle_twice(inbox, first)
    assert verdict(inbox, first) is FRESH


def handle_twice(inbox, arrived):
    with inbox.admit(arrived, TOPIC, KEY) as admission:
        for _ in range(2):
            apply(admission.transaction, KEY, arrived)


def test_a_stopped_database_is_an_outage():
    with started_postgres() as server:
        engine = create_engine(server.url)
        inbox = created(SqlInbox(engine, "tests"))
        first, second = event(), event()
        verdict(inbox, first)
        with pytest.raises(InboxUnavailable) as lost, inbox.admit(second, TOPIC, KEY):
            server.stop()
        assert lost.value.retryable
        with pytest.raises(InboxUnavailable):
            verdict(inbox, first)
        server.start()
        assert [verdict(inbox, first), verdict(inbox, second)] == [DUPLICATE, FRESH]
        engine.dispose()
