"""Confluent's Avro classes and ours on one registry, unmodified."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka.schema_registry import SchemaRegistryClient, record_subject_name_strategy
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf.timestamp_pb2 import Timestamp

from immersiverse.auth.events.registry import SchemaRegistry
from immersiverse.auth.events.serialization.avro import schema_text
from immersiverse.auth.events.serialization.deserializer import AuthEventDeserializer
from immersiverse.auth.events.serialization.serializer import AuthEventSerializer
from immersiverse.auth.events.testing.registry import EmbeddedRegistry
from immersiverse.auth.events.v1 import events_pb2 as v1

TOPIC = "auth.events.platform"
CONNECTED = "immersiverse.auth.events.v1.PlatformConnected"
TIME = Timestamp(seconds=1_748_772_930, nanos=123_456_000)
EVENT = v1.AuthEvent(
    event_id="01972b2c-9a3b-7c4d-8e5f-0123456789ab",
    timestamp=TIME,
    source="/services/auth",
    version=7,
    platform_connected=v1.PlatformConnected(
        user_id="u-42", platform="steam", platform_user_id="765", connected_at=TIME, scopes=["a", "b"]
    ),
)


@pytest.fixture(scope="module")
def registry() -> Iterator[SchemaRegistry]:
    """A registry that holds the contract."""
    with EmbeddedRegistry() as embedded:
        schemas = SchemaRegistry(embedded.url)
        schemas.register(TOPIC, "AVRO")
        with schemas.client:
            yield schemas


@pytest.fixture
def client(registry: SchemaRegistry) -> Iterator[SchemaRegistryClient]:
    """Confluent's own client of it."""
    with SchemaRegistryClient(registry.client.config()) as client:
        yield client


def to_dict(event: v1.AuthEvent, _: SerializationContext) -> dict[str, Any]:
    """What a user of Confluent's serializer writes for this event."""
    connected = event.platform_connected
    return {
        "event_id": event.event_id,
        "timestamp": event.timestamp.ToMicroseconds(),
        "source": event.source,
        "version": event.version,
        "actor": None,
        "payload": (
            CONNECTED,
            {
                "user_id": connected.user_id,
                "platform": connected.platform,
                "platform_user_id": connected.platform_user_id,
                "connected_at": connected.connected_at.ToMicroseconds(),
                "scopes": list(connected.scopes),
            },
        ),
    }


def from_dict(record: dict[str, Any], _: SerializationContext) -> v1.AuthEvent:
    """What a user of Confluent's deserializer writes for this event."""
    name, connected = record["payload"]
    assert name == CONNECTED
    envelope = {key: record[key] for key in ("event_id", "timestamp", "source", "version", "actor")}
    return v1.AuthEvent(**envelope, platform_connected=v1.PlatformConnected(**connected))


def context() -> SerializationContext:
    return SerializationContext(TOPIC, MessageField.VALUE, headers=[])


def confluent_serializer(client: SchemaRegistryClient) -> Any:
    conf = {"auto.register.schemas": False, "subject.name.strategy": record_subject_name_strategy}
    return AvroSerializer(client, schema_text(), to_dict, conf)


def confluent_deserializer(client: SchemaRegistryClient) -> Any:
    conf = {"subject.name.strategy": record_subject_name_strategy}
    return AvroDeserializer(client, None, from_dict, return_record_name=True, conf=conf)


def test_confluents_serializer_finds_our_schema_and_writes_the_same_bytes(
    registry: SchemaRegistry, client: SchemaRegistryClient
) -> None:
    ours = AuthEventSerializer(registry, format="avro")
    assert confluent_serializer(client)(EVENT, context()) == ours(EVENT, context())


def test_confluents_deserializer_reads_ours(registry: SchemaRegistry, client: SchemaRegistryClient) -> None:
    value = AuthEventSerializer(registry, format="avro")(EVENT, context())
    assert confluent_deserializer(client)(value, context()) == EVENT


def test_ours_reads_what_confluents_serializer_wrote(
    registry: SchemaRegistry, client: SchemaRegistryClient
) -> None:
    value = confluent_serializer(client)(EVENT, context())
    assert AuthEventDeserializer(registry)(value, context()) == EVENT


def test_the_id_may_travel_in_a_header(registry: SchemaRegistry, client: SchemaRegistryClient) -> None:
    message = AuthEventSerializer(registry, format="avro", schema_id_in="header").serialize(EVENT)
    headers: list[tuple[str, str | bytes | None]] = [*message.headers]
    assert AuthEventDeserializer(registry).deserialize(message.value, headers=headers) == EVENT
    ctx = SerializationContext(TOPIC, MessageField.VALUE, headers=headers)
    assert confluent_deserializer(client)(message.value, ctx) == EVENT
