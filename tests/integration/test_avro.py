"""The contract's Avro schema on a real registry, with Confluent's classes beside ours."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf.timestamp_pb2 import Timestamp

from immersiverse.auth.events.registry import SchemaRegistry
from immersiverse.auth.events.serialization.avro import schema_text
from immersiverse.auth.events.serialization.deserializer import AuthEventDeserializer
from immersiverse.auth.events.serialization.serializer import AuthEventSerializer
from immersiverse.auth.events.v1 import events_pb2 as v1

LOGGED_OUT = "immersiverse.auth.events.v1.LoggedOut"
TIME = Timestamp(seconds=1_748_772_930, nanos=123_456_000)
EVENT = v1.AuthEvent(
    event_id="01972b2c-9a3b-7c4d-8e5f-0123456789ab",
    timestamp=TIME,
    source="/services/auth",
    version=7,
    logged_out=v1.LoggedOut(user_id="u-42", logged_out_at=TIME, reason=v1.LOGOUT_REASON_EXPIRED),
)
RECORD = {
    "event_id": EVENT.event_id,
    "timestamp": TIME.ToMicroseconds(),
    "source": "/services/auth",
    "version": 7,
    "actor": None,
    "payload": (
        LOGGED_OUT,
        {
            "user_id": "u-42",
            "session_id": "",
            "logged_out_at": TIME.ToMicroseconds(),
            "reason": "LOGOUT_REASON_EXPIRED",
            "ip_address": "",
        },
    ),
}


@pytest.fixture
def topic_name() -> str:
    """A topic that the registry does not know; no broker is needed."""
    return f"avro-{uuid.uuid4()}"


@pytest.fixture
def registry(apicurio: str, topic_name: str) -> Iterator[SchemaRegistry]:
    """A real registry that holds the contract for the topic."""
    schemas = SchemaRegistry(apicurio, strategies={"AVRO": "topic"})
    schemas.register(topic_name, "AVRO")
    with schemas.client:
        yield schemas


@pytest.fixture
def client(apicurio: str) -> Iterator[SchemaRegistryClient]:
    """Confluent's own client of it."""
    with SchemaRegistryClient({"url": apicurio}) as client:
        yield client


def context(topic_name: str) -> SerializationContext:
    return SerializationContext(topic_name, MessageField.VALUE)


def confluent_serializer(client: SchemaRegistryClient) -> Any:
    conf = {"auto.register.schemas": False, "subject.name.strategy.type": "TOPIC"}
    return AvroSerializer(client, schema_text(), None, conf)


def test_the_schema_is_registered_once(registry: SchemaRegistry, topic_name: str) -> None:
    again = registry.register(topic_name, "AVRO")
    assert again.version == 1
    assert registry.schema_id(topic_name, "AVRO").number == again.id


def test_events_travel_by_it(registry: SchemaRegistry, topic_name: str) -> None:
    value = AuthEventSerializer(registry, format="avro")(EVENT, context(topic_name))
    assert AuthEventDeserializer(registry)(value) == EVENT


def test_confluents_serializer_finds_it_and_writes_the_same_bytes(
    registry: SchemaRegistry, client: SchemaRegistryClient, topic_name: str
) -> None:
    ours = AuthEventSerializer(registry, format="avro")
    assert confluent_serializer(client)(RECORD, context(topic_name)) == ours(EVENT, context(topic_name))


def test_ours_reads_what_confluents_serializer_wrote(
    registry: SchemaRegistry, client: SchemaRegistryClient, topic_name: str
) -> None:
    value = confluent_serializer(client)(RECORD, context(topic_name))
    assert AuthEventDeserializer(registry)(value) == EVENT


def test_confluents_deserializer_reads_ours(
    registry: SchemaRegistry, client: SchemaRegistryClient, topic_name: str
) -> None:
    conf = {"subject.name.strategy.type": "TOPIC"}
    read: Any = AvroDeserializer(client, None, None, return_record_name=True, conf=conf)
    record = read(
        AuthEventSerializer(registry, format="avro")(EVENT, context(topic_name)), context(topic_name)
    )
    name, payload = record["payload"]
    assert (name, payload["user_id"], payload["reason"]) == (LOGGED_OUT, "u-42", "LOGOUT_REASON_EXPIRED")


def test_record_names_are_subjects_by_default(apicurio: str) -> None:
    schemas = SchemaRegistry(apicurio)
    with schemas.client:
        found = schemas.register("auth.events.login", "AVRO")
    assert (found.subject, found.schema_type) == ("immersiverse.auth.events.v1.AuthEvent", "AVRO")
