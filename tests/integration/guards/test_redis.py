"""A Redis guard when a consumer crashes with an event in hand, and when Redis goes away."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
import redis

from guard_makers import in_redis
from guard_statements import DUPLICATE, FRESH, KEY, STALE, TOPIC, event, fail, verdict
from immersiverse.auth.events import ConfigurationError, GuardUnavailable
from immersiverse.auth.events.guards import RedisGuard
from stack.redis import redis_server as started_redis


@pytest.fixture
def client(redis_server):
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
        yield client


@pytest.mark.guarantee("two have the same event at once", "Redis")
def test_an_event_in_hand_cannot_be_had_a_second_time_until_its_fate_is_known(client):
    guard, beside, first = RedisGuard(client, "tests"), RedisGuard(client, "tests"), event()
    with guard.admit(first, TOPIC, KEY), pytest.raises(GuardUnavailable, match="in hand"):
        verdict(beside, first)
    assert verdict(beside, first) is DUPLICATE


def test_an_event_of_a_crashed_consumer_is_fresh_again_after_the_lease(client):
    guard, first = RedisGuard(client, "tests", lease=timedelta(milliseconds=300)), event(version=1)
    held = guard.admit(first, TOPIC, KEY)
    held.__enter__()
    with pytest.raises(GuardUnavailable):
        verdict(guard, first)
    time.sleep(0.4)
    assert [verdict(guard, first), verdict(guard, first)] == [FRESH, DUPLICATE]
    held.__exit__(None, None, None)


def test_a_handler_that_fails_after_its_lease_does_not_take_the_event_from_the_next(client):
    guard, first = RedisGuard(client, "tests", lease=timedelta(milliseconds=200)), event()
    next_one = guard.admit(first, TOPIC, KEY)

    def outstay(_):
        time.sleep(0.3)
        next_one.__enter__()

    fail(guard, first, after=outstay)
    with pytest.raises(GuardUnavailable):
        verdict(guard, first)
    next_one.__exit__(None, None, None)
    assert verdict(guard, first) is DUPLICATE


def test_a_version_never_goes_back_though_an_earlier_event_ends_last(client):
    guard = RedisGuard(client, "tests")
    with guard.admit(event(version=9), TOPIC, KEY):
        verdict(guard, event(version=10))
    assert verdict(guard, event(version=10)) is STALE


def test_nothing_is_remembered_for_longer_than_asked(client):
    guard = RedisGuard(client, "tests", remember=timedelta(seconds=40))
    verdict(guard, event(version=1))
    times = [client.ttl(key) for key in client.scan_iter()]
    assert len(times) >= 2
    assert all(0 < seconds <= 40 for seconds in times)


def test_consumers_do_not_share_memory(client):
    first = event(version=1)
    assert [verdict(RedisGuard(client, name), first) for name in ("a", "b", "a")] == [FRESH, FRESH, DUPLICATE]


def test_a_consumers_keys_share_a_slot_as_a_cluster_wants(client):
    verdict(RedisGuard(client, "analytics"), event(version=1))
    assert all(b"{analytics}" in key for key in client.scan_iter())


def test_a_redis_that_is_away_says_nothing_about_an_event():
    with started_redis() as server, in_redis(server.url) as guard:
        first = event()
        with pytest.raises(GuardUnavailable) as lost, guard.admit(first, TOPIC, KEY):
            server.stop()
        assert lost.value.retryable
        with pytest.raises(GuardUnavailable):
            verdict(guard, first)
        server.start()
        assert [verdict(guard, first), verdict(guard, first)] == [FRESH, DUPLICATE]


def test_a_lease_of_no_time_is_refused(client):
    with pytest.raises(ConfigurationError, match="lease"):
        RedisGuard(client, "tests", lease=timedelta(0))
