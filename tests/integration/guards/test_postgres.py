"""A SQL guard between consumers that really run at once, and with a database that goes away."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import IntegrityError

from guard_statements import DUPLICATE, FRESH, KEY, STALE, TOPIC, HandlerFailed, event, fail, verdict
from immersiverse.auth.events import GuardUnavailable
from immersiverse.auth.events.guards import SqlGuard
from stack.postgres import postgres as started_postgres


@pytest.fixture
def engine(postgres):
    engine = create_engine(postgres.url, pool_size=10)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE IF EXISTS effects"))
        connection.execute(
            text("CREATE TABLE effects (place SERIAL, name TEXT, version BIGINT, owner BYTEA)")
        )
    yield engine
    engine.dispose()


@pytest.fixture
def guard(engine, request):
    guard = SqlGuard(engine, request.node.name[:255])
    guard.create_tables()
    return guard


def meanwhile(work):
    """Begin something in another thread, and give it time to be blocked."""
    pool = ThreadPoolExecutor(1)
    begun = pool.submit(work)
    time.sleep(0.3)
    assert not begun.done()
    pool.shutdown(wait=False)
    return begun


@pytest.mark.guarantee("two have the same event at once", "PostgreSQL")
def test_a_second_consumer_of_an_event_waits_and_finds_it_handled(guard):
    first = event()
    with guard.admit(first, TOPIC, KEY) as admission:
        assert admission.verdict is FRESH
        second = meanwhile(lambda: verdict(guard, first))
    assert second.result(timeout=10) is DUPLICATE


@pytest.mark.guarantee("a handler fails", "PostgreSQL")
def test_a_second_consumer_of_an_event_takes_over_when_the_first_fails(guard):
    first, seconds = event(), []
    fail(guard, first, after=lambda _: seconds.append(meanwhile(lambda: verdict(guard, first))))
    assert seconds[0].result(timeout=10) is FRESH


def test_an_older_version_waits_for_a_newer_one_of_its_user_and_is_stale_then(guard):
    with guard.admit(event(version=2), TOPIC, KEY):
        older = meanwhile(lambda: verdict(guard, event(version=1)))
        assert verdict(guard, event(version=1), key=b"user-2") is FRESH
    assert older.result(timeout=10) is STALE


def test_many_consumers_of_one_stream_leave_the_state_of_the_stream(guard, engine):
    users = [f"user-{number}".encode() for number in range(5)]
    stream = [(user, event(version)) for version in range(1, 21) for user in users]

    def consume(seed):
        chance = random.Random(seed)
        for user, arrived in chance.sample(stream, k=len(stream)):
            done = False
            while not done:
                with suppress(HandlerFailed):
                    handle(guard, user, arrived, fails=chance.random() < 0.2)
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


def handle(guard, user, arrived, *, fails):
    with guard.admit(arrived, TOPIC, user) as admission:
        if admission.verdict is FRESH:
            apply(admission.transaction, user, arrived)
        if fails:
            raise HandlerFailed


def apply(connection, user, arrived):
    connection.execute(
        text("INSERT INTO effects (name, version, owner) VALUES (:name, :version, :owner)"),
        {"name": arrived.event_id, "version": arrived.version, "owner": user},
    )


def test_a_constraint_that_is_checked_at_commit_is_the_handlers_failure(guard, engine):
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE effects ADD UNIQUE (name) DEFERRABLE INITIALLY DEFERRED"))
    first = event()
    with pytest.raises(IntegrityError):
        handle_twice(guard, first)
    assert verdict(guard, first) is FRESH


def handle_twice(guard, arrived):
    with guard.admit(arrived, TOPIC, KEY) as admission:
        for _ in range(2):
            apply(admission.transaction, KEY, arrived)


def test_a_database_that_is_away_says_nothing_about_an_event():
    with started_postgres() as server:
        engine = create_engine(server.url)
        guard = SqlGuard(engine, "tests")
        guard.create_tables()
        first, second = event(), event()
        verdict(guard, first)
        with pytest.raises(GuardUnavailable) as lost, guard.admit(second, TOPIC, KEY):
            server.stop()
        assert lost.value.retryable
        with pytest.raises(GuardUnavailable):
            verdict(guard, first)
        server.start()
        assert [verdict(guard, first), verdict(guard, second)] == [DUPLICATE, FRESH]
        engine.dispose()
