"""Arguments of a wrong type or value: an error of the tree says which, before anything is sent."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from immersiverse.auth.events import AuthEventDeserializer, AuthEventSerializer, PinnedSchemas, SchemaRegistry
from immersiverse.auth.events.errors import (
    ConfigurationError,
    DecodeError,
    InvalidEvent,
    MalformedFrame,
    RegistryError,
)
from serialization_samples import CREATED

PINNED: Any = PinnedSchemas(1)
NOWHERE = "http://localhost:1"
serializer: Any = AuthEventSerializer
deserializer: Any = AuthEventDeserializer
pinned: Any = PinnedSchemas
registry: Any = SchemaRegistry


@pytest.mark.parametrize(
    ("call", "key"),
    [
        (lambda: serializer(PINNED, format="xml"), "format"),
        (lambda: serializer(PINNED, format=None), "format"),
        (lambda: serializer(PINNED, format=[]), "format"),
        (lambda: serializer(PINNED, schema_id_in="body"), "schema_id_in"),
        (lambda: serializer(PINNED, schema_id_in=[]), "schema_id_in"),
        (serializer, "schemas"),
        (lambda: serializer(NOWHERE), "schemas"),
        (lambda: deserializer(NOWHERE), "schemas"),
        (lambda: pinned("1"), "protobuf"),
        (lambda: pinned(1.5), "protobuf"),
        (lambda: pinned(True), "protobuf"),
        (lambda: pinned(None), "protobuf"),
        (lambda: pinned(-1), "protobuf"),
        (lambda: pinned(1, 1 << 32), "avro"),
        (lambda: registry(None), "config"),
        (lambda: registry(NOWHERE, strategies={"PROTOBUF": "tpic"}), "strategies"),
        (lambda: registry(NOWHERE, strategies={"PROTOBUF": ["topic"]}), "strategies"),
        (lambda: registry(NOWHERE, strategies="record"), "strategies"),
        (lambda: registry(NOWHERE, strategies=["record"]), "strategies"),
        (lambda: registry(NOWHERE, strategies={"XML": "topic"}), "schema_type"),
        (lambda: registry(NOWHERE).register("t", "JSON"), "schema_type"),
        (lambda: registry(NOWHERE).register("t", []), "schema_type"),
        (lambda: registry(NOWHERE).subject("t", "JSON"), "schema_type"),
        (lambda: registry(NOWHERE).schema_id("t", "JSON"), "schema_type"),
    ],
)
def test_a_wrong_setting_is_named(call: Callable[[], Any], key: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        call()
    assert refused.value.key == key


@pytest.mark.parametrize("schema_type", ["AVRO", "JSON", "XML", []])
def test_an_id_that_is_not_pinned_is_no_fault_of_a_sender(schema_type: Any) -> None:
    with pytest.raises(RegistryError) as refused:
        PINNED.schema_id("t", schema_type)
    assert not isinstance(refused.value, DecodeError)


def test_pinned_ids_have_no_guid_for_a_header() -> None:
    with pytest.raises(RegistryError, match=r"these schemas have no GUIDs: use schema_id_in='prefix'$"):
        serializer(PINNED, schema_id_in="header").serialize(CREATED)
    with pytest.raises(DecodeError):
        PINNED.writer_schema(uuid.UUID(int=1))


@pytest.mark.parametrize("event", ["x", 3, b"", CREATED.user_created])
def test_what_is_not_an_event_is_not_written(event: Any) -> None:
    serialize = serializer(PINNED)
    for call in (serialize, serialize.serialize, serialize.topic_of):
        with pytest.raises(InvalidEvent, match="is not an AuthEvent"):
            call(event)


@pytest.mark.parametrize("value", ["{}", 5, [], object()])
def test_a_value_that_is_not_bytes_is_not_read(value: Any) -> None:
    with pytest.raises(DecodeError, match="a message's value is bytes"):
        deserializer()(value)


@pytest.mark.parametrize("headers", [5, [1], ["abc"], [("a",)]])
def test_headers_that_are_not_pairs_are_malformed(headers: Any) -> None:
    with pytest.raises(MalformedFrame, match="not pairs"):
        deserializer().deserialize(b"{}", headers=headers)


@pytest.mark.parametrize("headers", [None, [], {}, [(b"ce_type", b"x")], [("__value_schema_id", None)]])
def test_headers_without_a_schema_id_change_nothing(headers: Any) -> None:
    frame = AuthEventSerializer(PINNED)(CREATED)
    assert deserializer(PINNED).deserialize(frame, headers=headers) == CREATED
