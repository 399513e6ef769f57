"""Kafka in the process, alone and with the registry."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from confluent_kafka import Consumer, Producer

from immersiverse.auth.events import (
    AuthEventDeserializer,
    AuthEventSerializer,
    Publisher,
    Subscriber,
    UserDeleted,
    catalog,
    new_event,
)
from immersiverse.auth.events.errors import ConfigurationError, RegistryUnavailable
from immersiverse.auth.events.kafka.config import consumer_settings
from immersiverse.auth.events.registry import SchemaRegistry
from immersiverse.auth.events.testing.broker import PARTITIONS, EmbeddedBroker
from immersiverse.auth.events.testing.stack import EmbeddedStack

QUIET = {"log_level": 2, "log.connection.close": False}


@pytest.fixture(scope="module")
def stack():
    with EmbeddedStack() as running:
        yield running


def produce(bootstrap, topic, values):
    producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True, **QUIET})
    for value in values:
        producer.produce(topic, value, key=b"user-1", headers=[("a", b"1"), ("a", b"2")])
    assert producer.flush(10) == 0


def consume(bootstrap, topic, count, group):
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": group,
            "group.protocol": "consumer",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            **QUIET,
        }
    )
    consumer.subscribe([topic])
    messages = []
    until = time.monotonic() + 20
    while len(messages) < count and time.monotonic() < until:
        messages += consumer.consume(count - len(messages), 0.2)
    if messages:
        consumer.commit(messages[-1], asynchronous=False)
    consumer.close()
    return messages


def test_what_one_client_produces_another_consumes_with_key_and_headers():
    with EmbeddedBroker() as broker:
        produce(broker.bootstrap, "any.topic", [b"1", b"2", b"3"])
        messages = consume(broker.bootstrap, "any.topic", 3, "group")
    assert [message.value() for message in messages] == [b"1", b"2", b"3"]
    assert messages[0].key() == b"user-1"
    assert messages[0].headers() == [("a", b"1"), ("a", b"2")]


def test_a_group_goes_on_where_it_committed():
    with EmbeddedBroker() as broker:
        produce(broker.bootstrap, "any.topic", [b"1", b"2", b"3"])
        consume(broker.bootstrap, "any.topic", 2, "group")
        rest = consume(broker.bootstrap, "any.topic", 1, "group")
    assert [message.value() for message in rest] == [b"3"]


def test_the_topics_of_the_contract_exist_from_the_beginning():
    with EmbeddedBroker(brokers=3) as broker:
        found = Producer({"bootstrap.servers": broker.bootstrap, **QUIET}).list_topics(timeout=10)
    assert set(found.topics) == {*catalog.TOPICS, "auth.events", "auth.events.dlq"}
    assert {len(topic.partitions) for topic in found.topics.values()} == {PARTITIONS}
    assert len(found.brokers) == len(broker.bootstrap.split(",")) == 3


def test_starting_twice_and_stopping_twice_changes_nothing():
    broker = EmbeddedBroker()
    assert broker.start().bootstrap == broker.start().bootstrap
    broker.stop()
    broker.stop()


def test_a_stack_knows_the_contract_in_every_format(stack):
    with SchemaRegistry(stack.registry_url) as registry:
        for topic in (*catalog.TOPICS, catalog.SINGLE_TOPIC):
            assert registry.schema_id(topic, "PROTOBUF").number
        assert registry.schema_id("auth.events.user", "AVRO").number


def test_a_stack_that_cannot_start_leaves_nothing_running(stack):
    port = int(stack.registry_url.rpartition(":")[2])
    second = EmbeddedStack(registry_port=port)
    with pytest.raises(RegistryUnavailable):
        second.start()
    assert second.bootstrap == ""
    second.stop()


def test_a_cluster_has_at_least_one_broker():
    with pytest.raises(ConfigurationError, match="at least one"):
        EmbeddedBroker(brokers=0)


def test_a_group_is_joined_at_once_again_and_again(stack):
    """librdkafka's mock cluster lets a classic group wait for three seconds, and then for 44."""
    with SchemaRegistry(stack.registry_url) as registry:
        deserializer = AuthEventDeserializer(registry)
        for _ in range(3):
            deleted = UserDeleted(user_id="u", deleted_at=datetime.now(UTC))
            with Publisher(
                {"bootstrap.servers": stack.bootstrap}, serializer=AuthEventSerializer(registry)
            ) as publisher:
                publisher.publish(new_event(deleted, source="/tests"))
            subscriber = Subscriber(
                {"bootstrap.servers": stack.bootstrap, "group.id": "again"}, deserializer=deserializer
            )
            subscriber.on(UserDeleted)(lambda _event, _payload: subscriber.stop())  # noqa: B023 - called in run
            begun = time.monotonic()
            subscriber.run()
            assert time.monotonic() - begun < 2.5


@pytest.mark.parametrize(
    ("given", "protocol"),
    [
        ({}, "consumer"),
        ({"group.protocol": "classic"}, "classic"),
        ({"session.timeout.ms": 6000}, None),  # which only the classic protocol has
    ],
)
def test_a_group_protocol_is_suggested_and_never_forced(stack, given, protocol):
    settings = {"bootstrap.servers": stack.bootstrap, "group.id": "g", **given}
    assert consumer_settings(settings).get("group.protocol") == protocol
    assert consumer_settings({**settings, "bootstrap.servers": "".join(stack.bootstrap)}).get(
        "group.protocol"
    ) == given.get("group.protocol")
