"""Serializers beside what a user would pick instead: raw Protobuf, json_format, Confluent's classes."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from benchmarks.avro_dictionaries import from_dictionary, to_dictionary
from benchmarks.comparison import Comparison
from benchmarks.event import EVENT, TOPIC
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf import json_format

from immersiverse.auth.events import (
    AuthEvent,
    AuthEventDeserializer,
    AuthEventSerializer,
    SchemaRegistry,
    new_event,
)
from immersiverse.auth.events.serialization.avro import schema_text
from immersiverse.auth.events.serialization.json.codec import read_json, write_json
from immersiverse.auth.events.testing.registry import EmbeddedRegistry

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

STATEMENTS: Final = {
    "new_event": "new_event(login, source='/services/auth', version=42, actor=actor)",
    "protobuf write, raw": "event.SerializeToString()",
    "protobuf write, ours": "serializer(event, context)",
    "protobuf write, Confluent": "confluent_serializer(event, context)",
    "protobuf write, Confluent looking up": "confluent_looking_up(event, context)",
    "protobuf read, raw": "AuthEvent.FromString(payload)",
    "protobuf read, ours": "deserializer(frame, context)",
    "protobuf read, Confluent": "confluent_deserializer(frame, context)",
    "json write, ours": "write_json(event)",
    "json write, json_format": "MessageToJson(event)",
    "json read, ours": "read_json(json)",
    "json read, json_format": "Parse(json_format_text, AuthEvent())",
    "avro write, ours": "avro_serializer(event, context)",
    "avro write, Confluent": "confluent_avro_serializer(event, context)",
    "avro read, ours": "deserializer(avro_frame, context)",
    "avro read, Confluent": "confluent_avro_deserializer(avro_frame, context)",
}

COMPARISONS: Final = (
    Comparison("serialize_vs_raw", "protobuf write, ours", "protobuf write, raw", at_most=2.2),
    Comparison("serialize_vs_confluent", "protobuf write, Confluent", "protobuf write, ours", at_least=8),
    Comparison("deserialize_vs_raw", "protobuf read, ours", "protobuf read, raw", at_most=2.2),
    Comparison("deserialize_vs_confluent", "protobuf read, Confluent", "protobuf read, ours", at_least=10),
    Comparison("json_encode_vs_json_format", "json write, json_format", "json write, ours", at_least=8),
    Comparison("json_decode_vs_json_format", "json read, json_format", "json read, ours", at_least=8),
    Comparison("avro_encode_vs_confluent", "avro write, Confluent", "avro write, ours", at_least=1.3),
    Comparison("avro_decode_vs_confluent", "avro read, Confluent", "avro read, ours", at_least=1.3),
)


@contextmanager
def subjects() -> Iterator[Mapping[str, Any]]:
    """What the statements refer to, on a registry that holds the contract; each has proved to be right."""
    with EmbeddedRegistry() as registry:
        ours = SchemaRegistry(registry.url)
        ours.register(TOPIC, "PROTOBUF")
        ours.register(TOPIC, "AVRO")
        names = {**_ours(ours), **_confluent(SchemaRegistryClient({"url": registry.url}))}
        names |= {"event": EVENT, "AuthEvent": AuthEvent, "payload": EVENT.SerializeToString()}
        names |= {"new_event": new_event, "login": EVENT.login_succeeded, "actor": EVENT.actor}
        names["context"] = context = SerializationContext(TOPIC, MessageField.VALUE)
        names["frame"] = names["serializer"](EVENT, context)
        names["avro_frame"] = names["avro_serializer"](EVENT, context)
        names["json"] = names["write_json"](EVENT)
        names["json_format_text"] = json_format.MessageToJson(EVENT)
        _prove(names)
        yield names


def _ours(registry: SchemaRegistry) -> dict[str, Any]:
    return {
        "serializer": AuthEventSerializer(registry),
        "deserializer": AuthEventDeserializer(registry),
        "avro_serializer": AuthEventSerializer(registry, format="avro"),
        "write_json": write_json,
        "read_json": read_json,
    }


def _confluent(client: SchemaRegistryClient) -> dict[str, Any]:
    """Confluent's classes, set up for what a deployment registered: the latest version, or one looked up."""
    by_topic, by_record = ({"subject.name.strategy.type": name} for name in ("TOPIC", "RECORD"))
    look_up: dict[str, Any] = {"auto.register.schemas": False}
    current = {"use.deprecated.format": False}
    latest = {**look_up, "use.latest.version": True}
    return {
        "confluent_serializer": ProtobufSerializer(AuthEvent, client, {**by_topic, **latest, **current}),
        "confluent_looking_up": ProtobufSerializer(AuthEvent, client, {**by_topic, **look_up, **current}),
        "confluent_deserializer": ProtobufDeserializer(AuthEvent, {**by_topic, **current}, client),
        "confluent_avro_serializer": AvroSerializer(
            client, schema_text(), to_dictionary, {**by_record, **look_up}
        ),
        "confluent_avro_deserializer": AvroDeserializer(
            client, None, from_dictionary, return_record_name=True, conf=by_record
        ),
        "MessageToJson": json_format.MessageToJson,
        "Parse": json_format.Parse,
    }


def _prove(names: Mapping[str, Any]) -> None:
    """A fast wrong answer is not a figure."""
    for name, source in STATEMENTS.items():
        answer = eval(source, dict(names))
        if " read," in name and answer != EVENT:
            raise ArithmeticError(f"{name} does not give the event back")
        if " write, Confluent" in name:
            expected = names["frame" if name.startswith("protobuf") else "avro_frame"]
            if answer != expected:
                raise ArithmeticError(f"{name} gives other bytes than ours")
