"""In Confluent's SerializingProducer and DeserializingConsumer, on a broker and a registry in the process."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import DeserializingConsumer, SerializingProducer
from confluent_kafka.error import ValueDeserializationError, ValueSerializationError
from confluent_kafka.serialization import StringSerializer

from immersiverse.auth.events import AuthEventDeserializer, AuthEventSerializer, SchemaRegistry, UserCreated
from immersiverse.auth.events.errors import InvalidEvent, UnknownFormat
from immersiverse.auth.events.testing.broker import EmbeddedBroker
from immersiverse.auth.events.testing.registry import EmbeddedRegistry
from serialization_samples import CREATED

TOPIC = "auth.events.user"


@pytest.fixture(scope="module")
def bootstrap() -> Iterator[str]:
    """A broker's address."""
    with EmbeddedBroker() as broker:
        yield broker.bootstrap


@pytest.fixture(scope="module")
def registry() -> Iterator[SchemaRegistry]:
    """A registry that holds the contract."""
    with EmbeddedRegistry() as embedded, SchemaRegistry(embedded.url) as registry:
        registry.register(TOPIC, "PROTOBUF")
        registry.register(TOPIC, "AVRO")
        yield registry


def producer(bootstrap: str, serializer: Any) -> SerializingProducer:
    return SerializingProducer(
        {
            "bootstrap.servers": bootstrap,
            "key.serializer": StringSerializer(),
            "value.serializer": serializer,
        }
    )


def consumed(bootstrap: str, registry: SchemaRegistry, count: int, topic: str) -> list[Any]:
    """The values of the topic's first messages."""
    consumer = DeserializingConsumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": str(uuid.uuid4()),
            "group.protocol": "consumer",  # joins at once
            "auto.offset.reset": "earliest",
            "value.deserializer": AuthEventDeserializer(registry),
        }
    )
    try:
        consumer.subscribe([topic])
        return [consumer.poll(20).value() for _ in range(count)]
    finally:
        consumer.close()


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"format": "avro"},
        {"format": "json"},
        {"schema_id_in": "header"},
        {"format": "avro", "schema_id_in": "header"},
    ],
    ids=lambda settings: "-".join(settings.values()) or "protobuf",
)
def test_what_a_serializing_producer_sends_a_deserializing_consumer_gets(
    bootstrap: str, registry: SchemaRegistry, settings: dict[str, Any]
) -> None:
    topic = f"{TOPIC}.{'-'.join(settings.values())}"
    registry.register(topic, "PROTOBUF")
    sender = producer(bootstrap, AuthEventSerializer(registry, **settings))
    sender.produce(topic, key="u-42", value=CREATED, headers=[("mine", b"1")])
    sender.produce(topic, key="u-42", value=None)
    assert sender.flush(20) == 0
    assert consumed(bootstrap, registry, 2, topic) == [CREATED, None]


def test_a_serializing_producer_reports_what_is_no_event(bootstrap: str, registry: SchemaRegistry) -> None:
    with pytest.raises(ValueSerializationError) as refused:
        producer(bootstrap, AuthEventSerializer(registry)).produce(TOPIC, value=UserCreated())
    assert isinstance(refused.value.__cause__ or refused.value.exception, InvalidEvent)


def test_a_deserializing_consumer_reports_what_cannot_be_read(
    bootstrap: str, registry: SchemaRegistry
) -> None:
    sender = producer(bootstrap, lambda value, _: value)
    sender.produce("garbage", value=b"garbage")
    sender.flush(20)
    with pytest.raises(ValueDeserializationError) as refused:
        consumed(bootstrap, registry, 1, "garbage")
    assert isinstance(refused.value.__cause__ or refused.value.exception, UnknownFormat)
