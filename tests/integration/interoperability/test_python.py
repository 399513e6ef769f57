"""Confluent's Python serializers on the embedded registry, unmodified."""

from __future__ import annotations

import json
from typing import Any

import pytest
from confluent_kafka.schema_registry import (
    ConfigCompatibilityLevel,
    Schema,
    SchemaReference,
    SchemaRegistryClient,
    SchemaRegistryError,
    ServerConfig,
    header_schema_id_serializer,
    prefix_schema_id_serializer,
    record_subject_name_strategy,
    topic_subject_name_strategy,
)
from confluent_kafka.schema_registry import topic_record_subject_name_strategy as topic_record
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext, SerializationError

from immersiverse.auth.events.v1.events_pb2 import AuthEvent
from integration.interoperability.contract import OPTIONS, SUBJECT, TOPIC, login_failed
from integration.interoperability.python_client import PythonClient

LOGIN = {
    "type": "record",
    "name": "Login",
    "namespace": "test",
    "fields": [{"name": "user_id", "type": "string"}, {"name": "attempt", "type": "int"}],
}


@pytest.mark.parametrize("header", [False, True], ids=["id before the value", "id in a header"])
def test_protobuf_travels_however_the_schema_is_found(
    registry: str, python: PythonClient, header: bool
) -> None:
    for how in ("register", "lookup", "latest"):
        written = python.write(registry, TOPIC, login_failed(), how=how, header=header)
        assert python.read(registry, TOPIC, written) == login_failed()
        assert written.headers.keys() == ({"__value_schema_id"} if header else set())
    with SchemaRegistryClient({"url": registry}) as client:
        assert client.get_subjects() == [SUBJECT, OPTIONS]
        assert client.get_versions(SUBJECT) == [1]
        assert client.get_version(SUBJECT, 1).schema.references == [SchemaReference(OPTIONS, OPTIONS, 1)]


def test_a_message_that_is_not_the_first_travels_with_its_index(registry: str, python: PythonClient) -> None:
    failed = login_failed().login_failed
    written = python.write(registry, TOPIC, failed, how="register")
    index = list(failed.DESCRIPTOR.file.message_types_by_name).index("LoginFailed")
    assert written.value[:5] == b"\0\0\0\0\2"
    assert written.value[5:] == bytes([2, 2 * index]) + failed.SerializeToString()


def test_without_registering_an_unknown_schema_is_an_error(registry: str, python: PythonClient) -> None:
    for how in ("lookup", "latest"):
        with pytest.raises((SerializationError, SchemaRegistryError), match="40401"):
            python.write(registry, TOPIC, login_failed(), how=how)


def test_avro_travels_however_the_schema_is_found(registry: str, python: PythonClient) -> None:
    value = {"user_id": "u-1", "attempt": 3}
    for schema in (LOGIN, None, LOGIN):
        written = python.write_avro(registry, TOPIC, value, schema)
        assert python.read_avro(registry, TOPIC, written) == value
    with SchemaRegistryClient({"url": registry}) as client:
        assert client.get_versions(SUBJECT) == [1]


@pytest.mark.parametrize("header", [False, True], ids=["id before the value", "GUID in a header"])
@pytest.mark.parametrize(
    "strategy", [topic_subject_name_strategy, record_subject_name_strategy, topic_record]
)
@pytest.mark.parametrize("kind", ["PROTOBUF", "AVRO"])
def test_one_client_reads_and_then_writes_what_was_registered(
    registry: str, kind: str, strategy: Any, header: bool
) -> None:
    """A client that has read caches the answer by id, and takes it for the registration when it writes."""
    ids = header_schema_id_serializer if header else prefix_schema_id_serializer
    with SchemaRegistryClient({"url": registry}) as first, SchemaRegistryClient({"url": registry}) as one:
        value = login_failed() if kind == "PROTOBUF" else {"user_id": "user-1234", "attempt": 3}
        headers: list[tuple[str, bytes]] = []
        for client, register in ((first, True), (one, False)):
            config = {
                "auto.register.schemas": register,
                "subject.name.strategy": strategy,
                "schema.id.serializer": ids,
            }
            written: dict[str, Any] = {}
            context = SerializationContext(TOPIC, MessageField.VALUE, written)
            if kind == "PROTOBUF":
                encoded = ProtobufSerializer(AuthEvent, client, config)(value, context)
                read: Any = ProtobufDeserializer(AuthEvent, {}, one)
            else:
                encoded = AvroSerializer(client, json.dumps(LOGIN), conf=config)(value, context)
                read = AvroDeserializer(one)
            headers = list(written.items())
            assert read(encoded, SerializationContext(TOPIC, MessageField.VALUE, headers)) == value
        assert bool(headers) == header


def test_every_call_of_the_client_gets_the_answer_it_expects(registry: str) -> None:
    schema = Schema('{"type":"record","name":"A","fields":[]}', "AVRO")
    wider = Schema('{"type":"record","name":"A","fields":[{"name":"x","type":"int","default":0}]}', "AVRO")
    with SchemaRegistryClient({"url": registry}) as client:
        registered = client.register_schema_full_response("s/1", schema)
        assert registered.guid
        assert client.get_schema_by_guid(registered.guid).schema_str == schema.schema_str
        assert client.lookup_schema("s/1", schema).version == 1
        assert client.get_schema_types() == ["AVRO", "JSON", "PROTOBUF"]
        assert client.get_subjects_by_schema_id(1) == ["s/1"]
        assert [held.version for held in client.get_schema_versions(1)] == [1]
        assert client.get_latest_version("s/1").schema_id == 1
        assert client.test_compatibility("s/1", wider)
        assert client.test_compatibility_all_versions("s/1", wider)
        assert client.set_compatibility("s/1", "FULL") == {"compatibility": "FULL"}
        assert client.get_compatibility("s/1") == "FULL"
        client.set_config("s/1", ServerConfig(compatibility=ConfigCompatibilityLevel.NONE))
        assert client.get_config("s/1").compatibility_level == "NONE"
        client.delete_config("s/1")
        assert client.delete_version("s/1", 1) == 1
        with pytest.raises(SchemaRegistryError) as refused:
            client.delete_subject("s/1")
        assert (refused.value.http_status_code, refused.value.error_code) == (404, 40404)
        assert client.delete_version("s/1", 1, permanent=True) == 1
