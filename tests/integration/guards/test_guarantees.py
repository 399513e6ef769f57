"""The cells of the table of guards in docs/delivery.md that need servers or processes that die."""

from __future__ import annotations

import itertools
import logging
import os
import subprocess
import sys
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import redis
from sqlalchemy import create_engine, text

from guard_statements import DUPLICATE, FRESH, KEY, TOPIC, event, fail, verdict
from immersiverse.auth.events import GuardUnavailable
from immersiverse.auth.events.guards import RedisGuard, SqlGuard
from integration.running import eventually
from stack.postgres import postgres as started_postgres
from stack.redis import redis_server as started_redis

CONSUMER = Path(__file__).with_name("killed_consumer.py")
LONG = timedelta(minutes=10)


@contextmanager
def killed_while_handling(url, first):
    """A consumer with `kill -9` that had an event and its effect; this goes on while it is still alive."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, CONSUMER, url, first.SerializeToString().hex()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:
        try:
            assert process.stdout.readline() == b"handling\n"
            yield
        finally:
            process.kill()


def is_free(guard, first):
    try:
        with guard.admit(first, "topic", b"key") as admission:
            return admission.verdict is FRESH
    except GuardUnavailable:
        return False


@contextmanager
def database(url):
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE IF EXISTS effects"))
        connection.execute(text("CREATE TABLE effects (id TEXT)"))
    guard = SqlGuard(engine, "killed")
    guard.create_tables()
    try:
        yield engine, guard
    finally:
        engine.dispose()


@pytest.mark.guarantee("a subscriber is killed in a handler", "PostgreSQL")
@pytest.mark.guarantee("a subscriber is killed in a handler", "SQLite")
@pytest.mark.parametrize("kind", ["postgres", "sqlite"])
def test_a_consumer_that_is_killed_leaves_no_effect_and_its_event_is_free_at_once(request, tmp_path, kind):
    url = (
        request.getfixturevalue("postgres").url
        if kind == "postgres"
        else f"sqlite:///{tmp_path / 'effects.db'}"
    )
    first = event(version=1)
    with database(url) as (engine, guard):
        with killed_while_handling(url, first):
            pass
        eventually(lambda: is_free(guard, first))  # PostgreSQL notices the closed connection by itself
        assert is_free(guard, first) is False
        with engine.connect() as connection:
            assert connection.execute(text("SELECT count(*) FROM effects")).scalar() == 0


@pytest.mark.guarantee("a subscriber is killed in a handler", "Redis")
def test_a_consumer_that_is_killed_keeps_its_event_for_the_lease_and_its_effect_for_ever(redis_server):
    first = event(version=1)
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
        guard = RedisGuard(client, "killed")
        with killed_while_handling(redis_server.url, first):
            pass
        assert not is_free(guard, first)
        (held,) = client.scan_iter("*:id:*")
        assert 0 < client.pttl(held) <= 60_000  # the default lease
        client.pexpire(held, 1)
        eventually(lambda: is_free(guard, first))
        assert client.get("effects") == b"1"


@pytest.mark.guarantee("the server is killed and started again", "PostgreSQL")
def test_a_postgres_that_is_killed_forgets_nothing_that_was_handled():
    with started_postgres() as server, database(server.url) as (engine, guard):
        first, second = event(), event()
        with guard.admit(first, TOPIC, KEY) as admission:
            admission.transaction.execute(text("INSERT INTO effects (id) VALUES ('one')"))
        with pytest.raises(GuardUnavailable):
            handle_while_it_is_killed(guard, second, server)
        server.start()
        assert [verdict(guard, first), verdict(guard, second)] == [DUPLICATE, FRESH]
        with engine.connect() as connection:
            assert list(connection.execute(text("SELECT id FROM effects")).scalars()) == ["one"]


def handle_while_it_is_killed(guard, arrived, server):
    with guard.admit(arrived, TOPIC, KEY) as admission:
        admission.transaction.execute(text("INSERT INTO effects (id) VALUES ('two')"))
        server.server.kill()


@pytest.mark.guarantee("the server is killed and started again", "Redis")
@pytest.mark.parametrize(
    ("options", "then"),
    [(("--appendonly", "yes", "--appendfsync", "always"), DUPLICATE), (("--appendonly", "no"), FRESH)],
    ids=["all on disk", "nothing on disk"],
)
def test_a_redis_that_is_killed_knows_what_is_on_its_disk_and_the_rest_is_handled_again(options, then):
    with started_redis(*options) as server, redis.Redis.from_url(server.url) as client:
        guard, first = RedisGuard(client, "tests"), event(version=1)
        verdict(guard, first)
        server.stop()
        with pytest.raises(GuardUnavailable):
            verdict(guard, first)
        server.start()
        assert verdict(guard, first) is then


@pytest.mark.guarantee("a replica takes over", "Redis")
def test_a_replica_that_takes_over_knows_what_had_reached_it_and_the_rest_is_handled_again():
    with (
        started_redis() as primary,
        started_redis("--replicaof", "127.0.0.1", str(primary.port)) as replica,
        redis.Redis.from_url(primary.url) as old,
        redis.Redis.from_url(replica.url) as new,
    ):
        arrived, lost = event(version=1), event(version=2)
        eventually(lambda: new.info("replication")["master_link_status"] == "up")
        verdict(RedisGuard(old, "tests"), arrived)
        assert old.wait(1, 30_000) == 1
        new.replicaof("127.0.0.1", "1")  # the link is cut, as by the network
        verdict(RedisGuard(old, "tests"), lost)
        primary.stop()
        guard = RedisGuard(new, "tests")
        with pytest.raises(GuardUnavailable):  # a replica takes no writes before it is promoted
            verdict(guard, event(version=3))
        new.replicaof("NO", "ONE")
        assert [verdict(guard, arrived), verdict(guard, lost)] == [DUPLICATE, FRESH]


@pytest.fixture
def full_redis():
    with started_redis() as server, redis.Redis.from_url(server.url) as client:
        yield client


def limit(client, policy):
    client.config_set("maxmemory-policy", policy)
    client.config_set("maxmemory", client.info("memory")["used_memory"] + 2_000_000)


@pytest.mark.guarantee("memory is full", "Redis")
def test_a_full_redis_that_evicts_nothing_makes_events_wait(full_redis, caplog):
    guard, first = RedisGuard(full_redis, "tests"), event()
    verdict(guard, first)
    full_redis.config_set("maxmemory", 1)
    with pytest.raises(GuardUnavailable):
        verdict(guard, event())
    assert verdict(guard, first) is DUPLICATE
    assert caplog.text == ""


@pytest.mark.guarantee("memory is full", "Redis")
@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl"])
def test_a_full_redis_that_evicts_forgets_events_and_was_warned_of(full_redis, caplog, policy):
    limit(full_redis, policy)
    guard, first = RedisGuard(full_redis, "tests"), event()
    with caplog.at_level(logging.WARNING):
        verdict(guard, first)
    assert f"maxmemory-policy {policy}" in caplog.text
    fill(full_redis, until=lambda: not list(full_redis.scan_iter("*:id:*")))
    assert verdict(guard, first) is FRESH


def fill(client, until):
    numbers = itertools.count()
    while not until():
        with client.pipeline(transaction=False) as pipeline:
            for number in itertools.islice(numbers, 200):
                pipeline.set(f"filling-{number}", "x" * 1_000, ex=1_000_000)
            pipeline.execute()


def test_a_redis_without_a_limit_to_its_memory_or_the_right_to_ask_is_not_warned_of(full_redis, caplog):
    full_redis.config_set("maxmemory-policy", "allkeys-lru")
    assert verdict(RedisGuard(full_redis, "tests"), event()) is FRESH
    limit(full_redis, "allkeys-lru")
    full_redis.execute_command("ACL", "SETUSER", "default", "-info")
    assert verdict(RedisGuard(full_redis, "others"), event()) is FRESH
    assert caplog.text == ""


@pytest.mark.guarantee("a handler outlasts the lease", "Redis")
def test_an_event_whose_lease_ends_is_handled_by_another_beside_the_first(redis_server):
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
        guard, first = RedisGuard(client, "tests", lease=timedelta(milliseconds=200)), event(version=1)
        with guard.admit(first, TOPIC, KEY):
            eventually(lambda: not list(client.scan_iter("*:id:*")))
            assert verdict(guard, first) is FRESH
        assert verdict(guard, first) is DUPLICATE


@pytest.mark.guarantee("a handler fails", "Redis")
def test_an_event_whose_handler_fails_is_free_at_once_and_what_it_did_stays(redis_server):
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
        guard, first = RedisGuard(client, "tests", lease=LONG), event(version=1)
        fail(guard, first, lambda _: client.incr("effects"))
        assert client.get("effects") == b"1"
        assert verdict(guard, first) is FRESH
