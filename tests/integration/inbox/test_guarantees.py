"""The cells of the table of inboxes in docs/delivery.md that need servers, or processes that are killed."""

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
from sqlalchemy import text

from immersiverse.auth.events import InboxUnavailable, RedisInbox, SqlInbox
from immersiverse.auth.events.inbox.interface import REMEMBER
from inboxes.behaviour import DUPLICATE, FRESH, KEY, TOPIC, event, fail, verdict
from inboxes.makers import created, database, effects_in
from integration.running import eventually
from stack.postgres import postgres as started_postgres
from stack.redis import redis_server as started_redis

CONSUMER = Path(__file__).with_name("killed_consumer.py")
LONG = timedelta(minutes=10)


@contextmanager
def killed_while_handling(url, first):
    """While a consumer handles an event and has left its effect; then it is killed by SIGKILL."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, CONSUMER, url, first.SerializeToString().hex()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:
        try:
            assert process.stdout.readline() == b"handling\n"
            yield
        finally:
            process.kill()


def is_fresh(inbox, first):
    try:
        with inbox.admit(first, "topic", b"key") as admission:
            return admission.verdict is FRESH
    except InboxUnavailable:
        return False


@pytest.mark.guarantee("a subscriber is killed in a handler", "PostgreSQL")
@pytest.mark.guarantee("a subscriber is killed in a handler", "SQLite")
@pytest.mark.parametrize("kind", ["postgres", "sqlite"])
def test_a_killed_consumer_leaves_no_effect_and_its_event_is_fresh_at_once(request, tmp_path, kind):
    url = (
        request.getfixturevalue("postgres").url
        if kind == "postgres"
        else f"sqlite:///{tmp_path / 'effects.db'}"
    )
    first = event(version=1)
    with database(url) as engine:
        inbox = created(SqlInbox(engine, "killed"))
        with killed_while_handling(url, first):
            pass
        eventually(lambda: is_fresh(inbox, first))  # PostgreSQL notices the closed connection by itself
        assert is_fresh(inbox, first) is False
        assert effects_in(engine) == []


@pytest.mark.guarantee("a subscriber is killed in a handler", "Redis")
def test_a_killed_consumer_leaves_its_effect_and_its_lease(redis_server):
    first = event(version=1)
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
        inbox = RedisInbox(client, "killed")
        with killed_while_handling(redis_server.url, first):
            pass
        assert not is_fresh(inbox, first)
        (held,) = client.scan_iter("*:id:*")
        assert 0 < client.pttl(held) <= 60_000  # the default lease
        client.pexpire(held, 1)
        eventually(lambda: is_fresh(inbox, first))
        assert client.get("effects") == b"1"


@pytest.mark.guarantee("the server is killed and started again", "PostgreSQL")
def test_a_killed_postgres_forgets_nothing():
    with started_postgres() as server, database(server.url) as engine:
        inbox = created(SqlInbox(engine, "tests"))
        first, second = event(), event()
        with inbox.admit(first, TOPIC, KEY) as admission:
            admission.transaction.execute(text("INSERT INTO effects (id) VALUES ('one')"))
        with pytest.raises(InboxUnavailable):
            handle_while_it_is_killed(inbox, second, server)
        server.start()
        assert [verdict(inbox, first), verdict(inbox, second)] == [DUPLICATE, FRESH]
        assert effects_in(engine) == ["one"]


def handle_while_it_is_killed(inbox, arrived, server):
    with inbox.admit(arrived, TOPIC, KEY) as admission:
        admission.transaction.execute(text("INSERT INTO effects (id) VALUES ('two')"))
        server.server.kill()


@pytest.mark.guarantee("the server is killed and started again", "Redis")
@pytest.mark.parametrize(
    ("options", "then"),
    [(("--appendonly", "yes", "--appendfsync", "always"), DUPLICATE), (("--appendonly", "no"), FRESH)],
    ids=["all on disk", "nothing on disk"],
)
def test_a_killed_redis_remembers_what_is_on_disk(options, then):
    with started_redis(*options) as server, redis.Redis.from_url(server.url) as client:
        inbox, first = RedisInbox(client, "tests"), event(version=1)
        verdict(inbox, first)
        server.stop()
        with pytest.raises(InboxUnavailable):
            verdict(inbox, first)
        server.start()
        assert verdict(inbox, first) is then


@pytest.mark.guarantee("a replica takes over", "Redis")
def test_a_promoted_replica_remembers_what_had_reached_it():
    with (
        started_redis() as primary,
        started_redis("--replicaof", "127.0.0.1", str(primary.port)) as replica,
        redis.Redis.from_url(primary.url) as old,
        redis.Redis.from_url(replica.url) as new,
    ):
        arrived, lost = event(version=1), event(version=2)
        eventually(lambda: new.info("replication")["master_link_status"] == "up")
        verdict(RedisInbox(old, "tests"), arrived)
        assert old.wait(1, 30_000) == 1
        new.replicaof("127.0.0.1", "1")  # the link is cut, as by the network
        verdict(RedisInbox(old, "tests"), lost)
        primary.stop()
        inbox = RedisInbox(new, "tests")
        with pytest.raises(InboxUnavailable):  # a replica takes no writes before it is promoted
            verdict(inbox, event(version=3))
        new.replicaof("NO", "ONE")
        assert [verdict(inbox, arrived), verdict(inbox, lost)] == [DUPLICATE, FRESH]


@pytest.fixture
def full_redis():
    with started_redis() as server, redis.Redis.from_url(server.url) as client:
        yield client


def limit(client, policy):
    client.config_set("maxmemory-policy", policy)
    client.config_set("maxmemory", client.info("memory")["used_memory"] + 2_000_000)


@pytest.mark.guarantee("memory is full", "Redis")
def test_a_full_redis_that_evicts_nothing_is_an_outage(full_redis, caplog):
    inbox, first = RedisInbox(full_redis, "tests"), event()
    verdict(inbox, first)
    full_redis.config_set("maxmemory", 1)
    with pytest.raises(InboxUnavailable):
        verdict(inbox, event())
    assert verdict(inbox, first) is DUPLICATE
    assert caplog.text == ""


@pytest.mark.guarantee("memory is full", "Redis")
@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl"])
def test_a_full_redis_that_evicts_forgets_events_after_a_warning(full_redis, caplog, policy):
    limit(full_redis, policy)
    inbox, first = RedisInbox(full_redis, "tests"), event()
    with caplog.at_level(logging.WARNING):
        verdict(inbox, first)
    assert f"maxmemory-policy {policy}" in caplog.text
    fill(full_redis, until=lambda: not list(full_redis.scan_iter("*:id:*")))
    assert verdict(inbox, first) is FRESH


def fill(client, until):
    numbers = itertools.count()
    while not until():
        with client.pipeline(transaction=False) as pipeline:
            for number in itertools.islice(numbers, 200):
                pipeline.set(f"filling-{number}", "x" * 1_000, ex=10 * REMEMBER)
            pipeline.execute()


def test_without_a_memory_limit_or_the_right_to_ask_there_is_no_warning(full_redis, caplog):
    full_redis.config_set("maxmemory-policy", "allkeys-lru")
    assert verdict(RedisInbox(full_redis, "tests"), event()) is FRESH
    limit(full_redis, "allkeys-lru")
    full_redis.execute_command("ACL", "SETUSER", "default", "-info")
    assert verdict(RedisInbox(full_redis, "others"), event()) is FRESH
    assert caplog.text == ""


@pytest.mark.guarantee("a handler outlasts the lease", "Redis")
def test_an_event_whose_lease_expires_is_handled_a_second_time_at_once(redis_server):
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
        inbox, first = RedisInbox(client, "tests", lease=timedelta(milliseconds=200)), event(version=1)
        with inbox.admit(first, TOPIC, KEY):
            eventually(lambda: not list(client.scan_iter("*:id:*")))
            assert verdict(inbox, first) is FRESH
        assert verdict(inbox, first) is DUPLICATE


@pytest.mark.guarantee("a handler fails", "Redis")
def test_a_failed_handlers_event_is_fresh_at_once_and_its_effect_stays(redis_server):
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
        inbox, first = RedisInbox(client, "tests", lease=LONG), event(version=1)
        fail(inbox, first, lambda _: client.incr("effects"))
        assert client.get("effects") == b"1"
        assert verdict(inbox, first) is FRESH
