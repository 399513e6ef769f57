"""What Prometheus reads after details were reported to the hook."""

from __future__ import annotations

import threading

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from immersiverse.auth.events.errors import ConfigurationError
from immersiverse.auth.events.observability import PrometheusHook
from immersiverse.auth.events.observability.aggregator import METRICS
from immersiverse.auth.events.observability.hooks import (
    Committed,
    Consumed,
    DeadLettered,
    DecodeFailed,
    Dropped,
    Durations,
    Gap,
    Lag,
    OutboxBacklog,
    Published,
    Relayed,
    RetentionLoss,
    Retried,
    RowSetAside,
    ShardsHeld,
    Statistics,
    Stubbed,
    Unconfirmed,
    VersionJump,
)

LOGIN = "auth.events.login"
OUTBOX = "auth_events_outbox"


@pytest.fixture
def registry():
    return CollectorRegistry()


@pytest.fixture
def hook(registry):
    return PrometheusHook(registry)


def took(*seconds):
    durations = Durations()
    for each in seconds:
        durations.add(each)
    return durations


def lag(consumer, group="analytics", **partitions):
    return Lag(consumer, group, {(LOGIN, int(name[1:])): behind for name, behind in partitions.items()})


def lags(registry):
    found = {}
    for family in registry.collect():
        for sample in family.samples:
            if sample.name == "kafka_consumer_lag":
                found[sample.labels["group"], int(sample.labels["partition"])] = sample.value
    return found


def test_the_scraped_text_has_every_detail(hook, registry):
    hook(Published(LOGIN, "LoginFailed", "", took(0.004, 0.004)))
    hook(Published(LOGIN, "LoginFailed", "_MSG_TIMED_OUT", took(120.0)))
    hook(Unconfirmed(LOGIN, "publisher"))
    hook(Consumed(LOGIN, "LoginFailed", took(0.002, 0.02), age=0.3))
    hook(Dropped(LOGIN, "LoginFailed", "duplicate"))
    hook(Gap(LOGIN, 1, 3))
    hook(VersionJump(LOGIN, 1, 2_000_000))
    hook(DecodeFailed(LOGIN, "MalformedFrame"))
    hook(Retried(LOGIN, 1, 0.2, OSError()))
    hook(DeadLettered(LOGIN, "MalformedFrame", 0))
    hook(Stubbed(LOGIN, "MalformedFrame", 1_048_000))
    hook(Committed({(LOGIN, 0): 5}, ""))
    hook(RetentionLoss(LOGIN, 0, start=5, end=100))
    hook(Relayed(LOGIN, took(0.02, 0.02)))
    hook(OutboxBacklog(OUTBOX, 1_200, 4.5, 2))
    hook(RowSetAside(LOGIN, "MSG_SIZE_TOO_LARGE"))
    hook(ShardsHeld("relay-1", OUTBOX, frozenset({1, 2}), taken=2, released=0, lost=0))
    hook(lag("consumer-1", p0=7))
    hook(Statistics("producer", {"name": "producer-1", "client_id": "auth", "tx": 12}))
    said = [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]
    for line in (
        'kafka_producer_requests_total{client_id="auth"} 12.0',
        'kafka_consumer_lag{group="analytics",partition="0",topic="auth.events.login"} 7.0',
        'auth_events_published_total{event_type="LoginFailed",outcome="ok",topic="auth.events.login"} 2.0',
        'auth_events_publish_seconds_bucket{le="0.005",topic="auth.events.login"} 2.0',
        'auth_events_publish_seconds_bucket{le="+Inf",topic="auth.events.login"} 3.0',
        'auth_events_publish_seconds_count{topic="auth.events.login"} 3.0',
        'auth_events_publish_seconds_sum{topic="auth.events.login"} 120.008',
        'auth_events_unconfirmed_total{producer="publisher",topic="auth.events.login"} 1.0',
        'auth_events_consumed_total{event_type="LoginFailed",topic="auth.events.login"} 2.0',
        'auth_events_handle_seconds_bucket{event_type="LoginFailed",le="0.01",topic="auth.events.login"} 1.0',
        'auth_events_age_seconds_sum{topic="auth.events.login"} 0.6',
        'auth_events_gaps_total{topic="auth.events.login"} 1.0',
        'auth_events_version_jumps_total{topic="auth.events.login"} 1.0',
        'auth_events_decode_failures_total{error="MalformedFrame",topic="auth.events.login"} 1.0',
        'auth_events_retries_total{error="OSError",topic="auth.events.login"} 1.0',
        'auth_events_dead_letters_total{error="MalformedFrame",topic="auth.events.login"} 1.0',
        'auth_events_dead_letter_stubs_total{topic="auth.events.login"} 1.0',
        'auth_events_commits_total{outcome="ok"} 1.0',
        'auth_events_retention_lost_total{topic="auth.events.login"} 95.0',
        'auth_events_outbox_relay_seconds_count{topic="auth.events.login"} 2.0',
        'auth_events_outbox_backlog{outbox="auth_events_outbox"} 1200.0',
        'auth_events_outbox_oldest_seconds{outbox="auth_events_outbox"} 4.5',
        'auth_events_outbox_set_aside{outbox="auth_events_outbox"} 2.0',
        'auth_events_outbox_refused_total{error="MSG_SIZE_TOO_LARGE",topic="auth.events.login"} 1.0',
        'auth_events_outbox_shards{outbox="auth_events_outbox"} 2.0',
        'auth_events_outbox_lease_changes_total{change="taken"} 2.0',
    ):
        assert line in said
    timed_out = 'event_type="LoginFailed",outcome="_MSG_TIMED_OUT",topic="auth.events.login"'
    assert f"auth_events_published_total{{{timed_out}}} 1.0" in said
    duplicate = 'event_type="LoginFailed",reason="duplicate",topic="auth.events.login"'
    assert f"auth_events_dropped_total{{{duplicate}}} 1.0" in said


def test_every_metric_is_exposed_before_anything_was_reported(registry):
    PrometheusHook(registry)
    text = generate_latest(registry).decode()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    for metric in METRICS:
        family = families[metric.name.removesuffix("_total")]
        assert (family.type, family.documentation) == (metric.kind, metric.meaning)


def test_shards_of_several_relays_are_added_up(hook, registry):
    hook(ShardsHeld("relay-1", OUTBOX, frozenset(range(8)), taken=8, released=0, lost=0))
    hook(ShardsHeld("relay-1", OUTBOX, frozenset(range(4)), taken=0, released=4, lost=0))
    hook(ShardsHeld("relay-2", OUTBOX, frozenset({4, 5}), taken=2, released=0, lost=0))
    text = generate_latest(registry).decode()
    assert 'auth_events_outbox_shards{outbox="auth_events_outbox"} 6.0' in text
    hook(ShardsHeld("relay-2", OUTBOX, frozenset(), taken=0, released=0, lost=2))
    text = generate_latest(registry).decode()
    assert 'auth_events_outbox_shards{outbox="auth_events_outbox"} 4.0' in text
    assert 'auth_events_outbox_lease_changes_total{change="lost"} 2.0' in text


def test_the_lag_of_a_revoked_partition_disappears(hook, registry):
    hook(lag("consumer-1", p0=3, p1=4))
    hook(lag("consumer-1", p1=5))
    assert lags(registry) == {("analytics", 1): 5}
    hook(lag("consumer-1"))
    assert lags(registry) == {}


def test_a_partition_that_moved_within_the_process_keeps_its_new_owners_lag(hook, registry):
    hook(lag("consumer-1", p0=3, p1=4))
    hook(lag("consumer-2", p0=2))
    hook(lag("consumer-1", p1=4))
    assert lags(registry) == {("analytics", 0): 2, ("analytics", 1): 4}


def test_groups_in_one_process_have_lags_of_their_own(hook, registry):
    hook(lag("consumer-1", "analytics", p0=3))
    hook(lag("consumer-2", "security", p0=9))
    assert lags(registry) == {("analytics", 0): 3, ("security", 0): 9}


def test_requests_of_producers_with_one_client_id_add_up_and_never_go_back(hook, registry):
    for name, sent in (("producer-1", 10), ("producer-2", 5), ("producer-1", 12), ("producer-3", 1)):
        hook(Statistics("producer", {"name": name, "client_id": "auth", "tx": sent}))
    assert registry.get_sample_value("kafka_producer_requests_total", {"client_id": "auth"}) == 18


def test_a_consumers_statistics_count_no_producer_requests(hook, registry):
    hook(Statistics("consumer", {"name": "consumer-1", "client_id": "auth", "tx": 12}))
    assert registry.get_sample_value("kafka_producer_requests_total", {"client_id": "auth"}) is None


def test_threads_lose_no_count(hook, registry):
    def report():
        for _ in range(2_000):
            hook(Gap(LOGIN, 1, 3))

    threads = [threading.Thread(target=report) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        generate_latest(registry)
    for thread in threads:
        thread.join()
    assert registry.get_sample_value("auth_events_gaps_total", {"topic": LOGIN}) == 8_000


def test_a_second_hook_on_one_registry_is_refused(registry):
    PrometheusHook(registry)
    with pytest.raises(ConfigurationError, match="share one hook"):
        PrometheusHook(registry)
