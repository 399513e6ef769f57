"""Settings have good defaults, and those that would lose or reorder events are refused."""

from __future__ import annotations

import pytest

from immersiverse.auth.events.admin.cluster import Cluster
from immersiverse.auth.events.errors import ConfigurationError
from immersiverse.auth.events.kafka.config import (
    connection_settings,
    consumer_settings,
    producer_settings,
)
from immersiverse.auth.events.kafka.dead_letters import DeadLetters
from immersiverse.auth.events.kafka.producer.async_publisher import AsyncPublisher
from immersiverse.auth.events.kafka.producer.publisher import Publisher
from immersiverse.auth.events.serialization.serializer import AuthEventSerializer

SERVERS = {"bootstrap.servers": "127.0.0.1:1"}
GROUP = {**SERVERS, "group.id": "g"}


def test_what_is_given_goes_before_the_defaults() -> None:
    settings = producer_settings({**SERVERS, "linger.ms": 50, "compression.type": "zstd"})
    assert (settings["linger.ms"], settings["compression.type"], settings["acks"]) == (50, "zstd", "all")


def test_without_settings_a_producer_loses_and_reorders_nothing() -> None:
    settings = producer_settings(SERVERS)
    assert (settings["acks"], settings["enable.idempotence"]) == ("all", True)
    assert settings["max.in.flight.requests.per.connection"] == 1


def test_without_settings_a_consumer_counts_nothing_as_done_by_itself() -> None:
    settings = consumer_settings(GROUP)
    assert (settings["enable.auto.commit"], settings["enable.auto.offset.store"]) == (False, False)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("acks", 1),
        ("request.required.acks", "1"),
        ("enable.idempotence", False),
        ("partitioner", "random"),
        ("max.in.flight.requests.per.connection", 5),
        ("max.in.flight", "2"),
    ],
)
def test_a_producer_that_may_lose_or_reorder_is_refused(key: str, value: object) -> None:
    with pytest.raises(ConfigurationError) as refused:
        producer_settings({**SERVERS, key: value})
    assert refused.value.key == key


@pytest.mark.parametrize(
    ("key", "value"),
    [("acks", "ALL"), ("acks", -1), ("enable.idempotence", "True"), ("partitioner", "murmur2")],
)
def test_other_ways_to_say_the_same_are_taken(key: str, value: object) -> None:
    assert producer_settings({**SERVERS, key: value})[key] == value


@pytest.mark.parametrize("key", ["bootstrap.servers", "group.id"])
def test_a_consumer_needs_an_address_and_a_group(key: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        consumer_settings({name: value for name, value in GROUP.items() if name != key})
    assert refused.value.key == key


def test_a_consumer_that_counts_events_as_done_too_early_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"enable\.auto\.offset\.store: must be false"):
        consumer_settings({**GROUP, "enable.auto.offset.store": True})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("no.such.setting", 1),
        ("session.timeout.ms", "soon"),
        ("auto.offset.reset", "somewhere"),
        ("max.poll.interval.ms", 1_000),
        ("error_cb", 5),
        ("on_commit", print),
    ],
)
def test_what_librdkafka_refuses_is_refused_by_its_name(key: str, value: object) -> None:
    with pytest.raises(ConfigurationError) as refused:
        consumer_settings({**GROUP, key: value})
    assert refused.value.key == key


@pytest.mark.parametrize("kind", [Publisher, AsyncPublisher])
def test_a_publisher_refuses_it_too(kind: type[Publisher | AsyncPublisher]) -> None:
    with pytest.raises(ConfigurationError) as refused:
        kind({**SERVERS, "no.such.setting": 1}, serializer=AuthEventSerializer(format="json"))
    assert refused.value.key == "no.such.setting"


def test_the_classic_protocol_rebalances_without_stopping_everyone() -> None:
    assert consumer_settings(GROUP)["partition.assignment.strategy"] == "cooperative-sticky"


def test_the_new_protocol_leaves_assignment_to_the_brokers() -> None:
    settings = consumer_settings({**GROUP, "group.protocol": "consumer"})
    assert "partition.assignment.strategy" not in settings


def test_dead_letters_and_redrives_refuse_what_a_publisher_does() -> None:
    wrong = {**GROUP, "max.in.flight": 5}
    with pytest.raises(ConfigurationError, match="confluent-kafka-go#921"):
        DeadLetters(GROUP, producer_config={"max.in.flight": 5})
    with pytest.raises(ConfigurationError, match="confluent-kafka-go#921"):
        Cluster(wrong).producer()


def test_another_client_gets_what_it_takes_to_connect_and_nothing_else() -> None:
    connection = {**SERVERS, "security.protocol": "SSL", "sasl.username": "u", "ssl.ca.location": "ca.pem"}
    assert connection_settings({**connection, "group.id": "g", "session.timeout.ms": 1}) == connection
