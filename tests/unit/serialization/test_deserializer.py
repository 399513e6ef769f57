"""What a deserializer reads, and what it asks a registry."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import Any

import pytest
from confluent_kafka.serialization import Deserializer, MessageField, SerializationContext
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from immersiverse.auth.events import AuthEventDeserializer, AuthEventSerializer, PinnedSchemas
from immersiverse.auth.events.catalog import CONTRACT_FILE
from immersiverse.auth.events.errors import (
    MalformedFrame,
    RegistryUnavailable,
    UnknownFormat,
    UnknownSchemaId,
    WrongSchema,
)
from immersiverse.auth.events.serialization.avro import schema_text
from immersiverse.auth.events.serialization.json.codec import write_json
from immersiverse.auth.events.serialization.schemas import WriterSchema
from immersiverse.auth.events.serialization.wire import header_value, write_indexes
from immersiverse.auth.events.v1 import events_pb2 as v1
from serialization_samples import CREATED, minimal_json

GUID = uuid.UUID("01234567-89ab-cdef-0123-456789abcdef")
PAYLOAD = CREATED.SerializeToString()
FRAME = bytes.fromhex("00 00000001 00") + PAYLOAD
PROTOBUF = WriterSchema("PROTOBUF", CONTRACT_FILE)


@dataclass
class Registry:
    """Schemas by id, as a registry gives them; it remembers what it was asked."""

    schemas: dict[int | uuid.UUID, WriterSchema]
    asked: list[int | uuid.UUID] = field(default_factory=list)
    is_away: bool = False

    def writer_schema(self, schema_id: int | uuid.UUID) -> WriterSchema:
        self.asked.append(schema_id)
        if self.is_away:
            raise RegistryUnavailable("away")
        if schema_id not in self.schemas:
            raise UnknownSchemaId(str(schema_id))
        return self.schemas[schema_id]


def foreign(first_message: str, package: str = CONTRACT_FILE.package) -> WriterSchema:
    """A Protobuf schema whose first message is another."""
    file = FileDescriptorProto(name="foreign.proto", package=package)
    file.message_type.add(name=first_message)
    file.message_type.add(name="AuthEvent")
    return WriterSchema("PROTOBUF", file)


def in_header(guid: uuid.UUID, indexes: tuple[int, ...] | None = (0,)) -> list[tuple[str, bytes]]:
    return [("before", b"1"), ("__value_schema_id", header_value(guid, indexes))]


def context(headers: Any) -> SerializationContext:
    return SerializationContext("auth.events.user", MessageField.VALUE, headers)


def test_it_is_a_deserializer_of_confluents() -> None:
    assert isinstance(AuthEventDeserializer(), Deserializer)


def test_each_schema_is_asked_for_once_and_an_outage_after_that_stops_no_reader() -> None:
    registry = Registry({1: PROTOBUF, GUID: PROTOBUF})
    read = AuthEventDeserializer(registry)
    for is_away in (False, True, True):
        registry.is_away = is_away
        assert read(FRAME) == CREATED
        assert read(PAYLOAD, context(in_header(GUID, ())) if is_away else context(in_header(GUID))) == CREATED
    assert registry.asked == [1, GUID]


def test_a_registry_that_is_away_at_first_use_is_asked_again() -> None:
    registry = Registry({1: PROTOBUF}, is_away=True)
    read = AuthEventDeserializer(registry)
    with pytest.raises(RegistryUnavailable):
        read(FRAME)
    registry.is_away = False
    assert read(FRAME) == CREATED


def test_formats_are_distinguished_in_one_stream() -> None:
    schemas = PinnedSchemas(protobuf=1, avro=2)
    read = AuthEventDeserializer(schemas)
    for _ in range(2):
        for format in ("protobuf", "avro", "json"):  # noqa: A001 - its name
            assert read(AuthEventSerializer(schemas, format=format)(CREATED)) == CREATED


def test_without_a_registry_frames_are_taken_for_protobuf_whatever_their_id() -> None:
    read = AuthEventDeserializer()
    assert read(FRAME) == CREATED
    assert read(FRAME.replace(b"\x01", b"\x63", 1)) == CREATED


@pytest.mark.parametrize("make", [bytes, bytearray, memoryview])
def test_a_value_is_any_kind_of_bytes(make: Any) -> None:
    read = AuthEventDeserializer(PinnedSchemas(1))
    for _ in range(2):  # the way of known schemas too
        assert read(make(FRAME)) == CREATED
        assert read(make(write_json(CREATED))) == CREATED


def test_no_value_is_a_tombstone_and_distinguished_from_an_empty_one() -> None:
    read = AuthEventDeserializer()
    assert read(None) is None
    assert read.deserialize(None, headers=in_header(GUID)) is None
    with pytest.raises(MalformedFrame, match="tombstone"):
        read(b"")


def test_the_long_form_of_the_first_index_is_read() -> None:
    assert AuthEventDeserializer(PinnedSchemas(1))(bytes.fromhex("00 00000001 02 00") + PAYLOAD) == CREATED


@pytest.mark.parametrize("before", [b"\xef\xbb\xbf", b" \r\n\t", b"\xef\xbb\xbf  "])
def test_json_may_stand_behind_a_byte_order_mark_and_space(before: bytes) -> None:
    assert AuthEventDeserializer()(before + write_json(CREATED)) == CREATED


@pytest.mark.parametrize(
    ("indexes", "value"), [((0,), PAYLOAD), (None, b"\x00" + PAYLOAD), (None, b"\x02\x00" + PAYLOAD)]
)
@pytest.mark.parametrize("as_headers", [list, dict, tuple])
def test_a_header_may_name_the_schema_with_the_indexes_there_or_before_the_payload(
    indexes: Any, value: bytes, as_headers: Any
) -> None:
    read = AuthEventDeserializer(Registry({GUID: PROTOBUF}))
    headers = as_headers(in_header(GUID, indexes))
    assert read.deserialize(value, headers=headers) == CREATED
    assert read(value, context(headers)) == CREATED


def test_an_avro_schema_in_a_header_has_no_indexes() -> None:
    value = AuthEventSerializer(PinnedSchemas(1, avro=2), format="avro")(CREATED)[5:]
    read = AuthEventDeserializer(Registry({GUID: WriterSchema("AVRO", text=schema_text())}))
    assert read.deserialize(value, headers=in_header(GUID, None)) == CREATED


def test_a_context_may_have_no_headers() -> None:
    assert AuthEventDeserializer(PinnedSchemas(1))(FRAME, context(None)) == CREATED


def test_the_id_of_json_without_one_comes_from_its_key_and_bytes() -> None:
    value = minimal_json(CREATED)
    read = AuthEventDeserializer().deserialize
    ids = {read(value, key=key).event_id for key in (b"a", b"a", b"b", b"", None)}
    assert len(ids) == 3  # an empty key and none are alike
    assert all(uuid.UUID(made).version == 8 for made in ids)


@pytest.mark.parametrize("schema_id", [2, GUID])
def test_an_id_that_the_registry_does_not_know_is_refused(schema_id: Any) -> None:
    read = AuthEventDeserializer(Registry({1: PROTOBUF}))
    headers = in_header(GUID) if schema_id is GUID else []
    with pytest.raises(UnknownSchemaId):
        read.deserialize(FRAME.replace(b"\x01", b"\x02", 1), headers=headers)


@pytest.mark.parametrize(
    ("schema", "found"),
    [
        (foreign("UserCreated"), "UserCreated"),
        (foreign("AuthEvent", package="elsewhere"), "elsewhere.AuthEvent"),
        (foreign("AuthEvent", package=""), "message AuthEvent"),
        (WriterSchema("PROTOBUF", FileDescriptorProto()), "without messages"),
        (WriterSchema("PROTOBUF"), "without messages"),
        (WriterSchema("JSON", text="{}"), "a JSON schema"),
    ],
)
def test_an_id_of_something_else_is_refused_each_time(schema: WriterSchema, found: str) -> None:
    read = AuthEventDeserializer(Registry({1: schema}))
    for _ in range(2):
        with pytest.raises(WrongSchema, match=found) as wrong:
            read(FRAME)
        assert wrong.value.schema_id == 1


@pytest.mark.parametrize("indexes", [(1,), (0, 0), (2, 1, 0), (2_000_000_000,)])
def test_an_index_that_does_not_point_to_the_envelope_is_refused(indexes: tuple[int, ...]) -> None:
    read = AuthEventDeserializer(PinnedSchemas(1))
    assert read(FRAME) == CREATED
    value = bytes.fromhex("00 00000001") + write_indexes(indexes) + PAYLOAD
    with pytest.raises(WrongSchema, match=str(indexes[0])):
        read(value)


@pytest.mark.parametrize("value", [b"xyz", b"[]", b"\x01" + FRAME[1:], b"\xef\xbb\xbf", b"   ", b'"{}"'])
def test_what_begins_like_no_format_is_refused(value: bytes) -> None:
    with pytest.raises(UnknownFormat):
        AuthEventDeserializer(PinnedSchemas(1))(value)


@pytest.mark.parametrize("value", ["{}", 1, ["a"], {"eventType": "UserCreated"}, object()])
def test_what_is_not_bytes_is_refused(value: Any) -> None:
    read = AuthEventDeserializer(PinnedSchemas(1))
    read(FRAME)
    with pytest.raises(UnknownFormat, match="bytes"):
        read(value)


@pytest.mark.parametrize("header", [b"", b"\x01", b"\x00" + GUID.bytes, "text", 1])
def test_a_schema_id_header_that_is_none_is_refused(header: Any) -> None:
    with pytest.raises(MalformedFrame, match="GUID"):
        AuthEventDeserializer(PinnedSchemas(1)).deserialize(FRAME, headers=[("__value_schema_id", header)])


@pytest.mark.parametrize("headers", [[("__value_schema_id", None)], {"__value_schema_id": None}])
def test_a_schema_id_header_without_a_value_names_no_schema(headers: Any) -> None:
    read = AuthEventDeserializer(PinnedSchemas(1))
    assert read.deserialize(FRAME, headers=headers) == read(FRAME)
    written = minimal_json(CREATED)
    assert read.deserialize(written, headers=headers) == read(written)


def test_many_ids_are_read_and_only_some_remembered() -> None:
    registry = Registry(dict.fromkeys(range(5000), PROTOBUF))
    read = AuthEventDeserializer(registry)
    for number in range(5_000):
        assert read(b"\x00" + number.to_bytes(4) + b"\x00" + PAYLOAD) == CREATED
    assert len(read._readers) == len(read._checked) == 1024


def test_fields_newer_than_the_reader_survive_a_round_trip() -> None:
    added = b"\xc2\x3e\x03new"  # field 1000 of the envelope
    payload = v1.UserCreated(user_id="u").SerializeToString() + added
    envelope = b"\x82\x01" + bytes([len(payload)]) + payload + added
    schemas = PinnedSchemas(1)
    value = bytes.fromhex("00 00000001 00") + envelope
    event = AuthEventDeserializer(schemas)(value)
    assert isinstance(event, v1.AuthEvent)
    assert event.user_created.user_id == "u"
    assert AuthEventSerializer(schemas)(event) == value


def test_json_fields_newer_than_the_reader_are_ignored() -> None:
    document = json.loads(write_json(CREATED))
    newer = {**document, "extra": {"a": [1]}, "payload": {**document["payload"], "extra": None, "more": {}}}
    assert AuthEventDeserializer()(json.dumps(newer).encode()) == CREATED
