"""The Redis inbox: leases, expiry, and a server that stops."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from immersiverse.auth.events import ConfigurationError, InboxUnavailable, RedisInbox
from inboxes.behaviour import DUPLICATE, FRESH, KEY, STALE, TOPIC, event, fail, verdict
from inboxes.makers import in_redis
from stack.redis import redis_server as started_redis


@pytest.mark.guarantee("two have the same event at once", "Redis")
def test_an_event_that_is_being_handled_is_leased(client):
    inbox, beside, first = RedisInbox(client, "tests"), RedisInbox(client, "tests"), event()
    with inbox.admit(first, TOPIC, KEY), pytest.raises(InboxUnavailable, match="leased"):
        verdict(beside, first)
    assert verdict(beside, first) is DUPLICATE


def test_a_crashed_consumers_event_is_fresh_when_its_lease_expires(client):
    inbox, first = RedisInbox(client, "tests", lease=timedelta(milliseconds=300)), event(version=1)
    held = inbox.admit(first, TOPIC, KEY)
    held.__enter__()
    with pytest.raises(InboxUnavailable):
        verdict(inbox, first)
    time.sleep(0.4)
    assert [verdict(inbox, first), verdict(inbox, first)] == [FRESH, DUPLICATE]
    held.__exit__(None, None, None)


def test_a_handler_that_fails_after_its_lease_does_not_release_the_next_one(client):
    inbox, first = RedisInbox(client, "tests", lease=timedelta(milliseconds=200)), event()
    next_one = inbox.admit(first, TOPIC, KEY)

    def outstay(_):
        time.sleep(0.3)
        next_one.__enter__()

    fail(inbox, first, after=outstay)
    with pytest.raises(InboxUnavailable):
        verdict(inbox, first)
    next_one.__exit__(None, None, None)
    assert verdict(inbox, first) is DUPLICATE


def test_a_version_never_goes_back_when_an_older_event_finishes_last(client):
    inbox = RedisInbox(client, "tests")
    with inbox.admit(event(version=9), TOPIC, KEY):
        verdict(inbox, event(version=10))
    assert verdict(inbox, event(version=10)) is STALE


def test_every_key_expires_when_it_need_not_be_remembered(client):
    inbox = RedisInbox(client, "tests", remember=timedelta(seconds=40))
    verdict(inbox, event(version=1))
    times = [client.ttl(key) for key in client.scan_iter()]
    assert len(times) >= 2
    assert all(0 < seconds <= 40 for seconds in times)


def test_consumers_do_not_share_records(client):
    first = event(version=1)
    assert [verdict(RedisInbox(client, name), first) for name in ("a", "b", "a")] == [FRESH, FRESH, DUPLICATE]


def test_a_consumers_keys_share_a_slot_as_a_cluster_requires(client):
    verdict(RedisInbox(client, "analytics"), event(version=1))
    assert all(b"{analytics}" in key for key in client.scan_iter())


def test_a_stopped_redis_is_an_outage():
    with started_redis() as server, in_redis(server.url) as inbox:
        first = event()
        with pytest.raises(InboxUnavailable) as lost, inbox.admit(first, TOPIC, KEY):
            server.stop()
        assert lost.value.retryable
        with pytest.raises(InboxUnavailable):
            verdict(inbox, first)
        server.start()
        assert [verdict(inbox, first), verdict(inbox, first)] == [FRESH, DUPLICATE]


def test_a_lease_that_is_not_positive_is_refused(client):
    with pytest.raises(ConfigurationError, match="lease"):
        RedisInbox(client, "tests", lease=timedelta(0))
