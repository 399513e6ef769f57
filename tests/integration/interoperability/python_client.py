"""Confluent's Python serializers behind the interface that the other languages' programs have."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from confluent_kafka.schema_registry import (
    SchemaRegistryClient,
    header_schema_id_serializer,
    prefix_schema_id_serializer,
)
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf.message import Message

from immersiverse.auth.events.v1 import events_pb2


@dataclass(frozen=True)
class Written:
    """A record's value and headers, as they would be in Kafka."""

    value: bytes
    headers: dict[str, bytes]


class PythonClient:
    """Confluent's Python serializers, with a new client for every call, so that nothing is remembered."""

    def write(self, url: str, topic: str, event: Message, *, how: str, header: bool = False) -> Written:
        """Serialize; `how` is register, lookup or latest."""
        config = {
            "auto.register.schemas": how == "register",
            "use.latest.version": how == "latest",
            "schema.id.serializer": header_schema_id_serializer if header else prefix_schema_id_serializer,
        }
        headers: dict[str, str | bytes | None] = {}
        context = SerializationContext(topic, MessageField.VALUE, headers)
        with SchemaRegistryClient({"url": url}) as client:
            value = ProtobufSerializer(type(event), client, config)(event, context)
        return Written(value, {name: text for name, text in headers.items() if isinstance(text, bytes)})

    def read(self, url: str, topic: str, written: Written) -> events_pb2.AuthEvent:
        """Deserialize."""
        context = SerializationContext(topic, MessageField.VALUE, list(written.headers.items()))
        with SchemaRegistryClient({"url": url}) as client:
            deserialize = ProtobufDeserializer(events_pb2.AuthEvent, {}, client)
            event = deserialize(written.value, context)
        assert isinstance(event, events_pb2.AuthEvent)
        return event

    def write_avro(self, url: str, topic: str, value: Any, schema: Any = None) -> Written:
        """Serialize with the schema, registering it, or with the latest there is."""
        config = {"auto.register.schemas": schema is not None, "use.latest.version": schema is None}
        with SchemaRegistryClient({"url": url}) as client:
            serialize = AvroSerializer(client, schema and json.dumps(schema), conf=config)
            return Written(serialize(value, SerializationContext(topic, MessageField.VALUE)), {})

    def read_avro(self, url: str, topic: str, written: Written) -> Any:
        """Deserialize."""
        with SchemaRegistryClient({"url": url}) as client:
            return AvroDeserializer(client)(written.value, SerializationContext(topic, MessageField.VALUE))
