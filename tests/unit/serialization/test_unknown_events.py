"""Events of types newer than the reader, and of a contract that grows."""

from __future__ import annotations

import json

import pytest

from immersiverse.auth.events import AuthEventDeserializer, AuthEventSerializer, UnknownEvent
from immersiverse.auth.events.catalog import CONTRACT_FILE
from immersiverse.auth.events.errors import MalformedPayload
from immersiverse.auth.events.serialization.json.codec import write_json
from immersiverse.auth.events.serialization.schemas import PinnedSchemas, WriterSchema
from immersiverse.auth.events.serialization.text import event_line
from immersiverse.auth.events.v1.events_pb2 import AuthEvent
from later_version import NEWER_PAYLOAD_FIELD, newer_contract, newer_event
from serialization_samples import CREATED, EVENT_ID, TIME


class Registry:
    """A registry that knows the later version."""

    def writer_schema(self, _schema_id: object) -> WriterSchema:
        return WriterSchema("PROTOBUF", newer_contract())


WRITTEN = newer_event(user_id="u-42")
FRAME = bytes.fromhex("00 00000009 00") + WRITTEN.SerializeToString()
JSON = {"eventType": "NotYetInvented", "timestamp": "2025-06-01T10:15:30Z", "payload": {"userId": "u-42"}}


def test_a_newer_type_arrives_named_and_readable_through_its_writers_schema() -> None:
    event = AuthEventDeserializer(Registry())(FRAME)
    assert isinstance(event, UnknownEvent)
    assert event.event_type == "NotYetInvented"
    assert event.format == "protobuf"
    assert event.envelope.event_id == EVENT_ID
    assert event.envelope.timestamp == TIME
    assert event.payload == WRITTEN.not_yet_invented.SerializeToString()
    assert event.read() == {"userId": "u-42", "trustedAt": TIME.ToJsonString()}


@pytest.mark.parametrize("schemas", [None, PinnedSchemas(9)])
def test_without_a_registry_it_is_named_by_its_number_and_not_readable(
    schemas: PinnedSchemas | None,
) -> None:
    event = AuthEventDeserializer(schemas)(FRAME)
    assert isinstance(event, UnknownEvent)
    assert event.event_type == f"#{NEWER_PAYLOAD_FIELD}"
    assert event.payload == WRITTEN.not_yet_invented.SerializeToString()
    with pytest.raises(MalformedPayload, match="registry"):
        event.read()


def test_known_types_under_the_newer_schema_are_known() -> None:
    frame = bytes.fromhex("00 00000009 00") + CREATED.SerializeToString()
    assert AuthEventDeserializer(Registry())(frame) == CREATED


def test_of_several_payloads_the_last_counts() -> None:
    twice = FRAME + newer_event(user_id="u-43").SerializeToString()
    event = AuthEventDeserializer(Registry())(twice)
    assert isinstance(event, UnknownEvent)
    assert event.read()["userId"] == "u-43"


def test_its_envelope_carries_it_on_unread() -> None:
    event = AuthEventDeserializer(Registry())(FRAME)
    assert isinstance(event, UnknownEvent)
    assert event.envelope.SerializeToString() == FRAME[6:]


@pytest.mark.parametrize("payload", [b"\x0a\xff", b"\x0a\x01\xff", b"\x00", b"\xff" * 20])
def test_a_payload_that_does_not_fit_its_writers_schema_is_refused_when_read(payload: bytes) -> None:
    payload_field = b"\xc2\x0c" + bytes([len(payload)]) + payload  # field 200, length-delimited
    event = AuthEventDeserializer(Registry())(FRAME[:6] + payload_field)
    assert isinstance(event, UnknownEvent)
    with pytest.raises(MalformedPayload, match="does not fit"):
        event.read()


def test_a_number_where_a_payload_should_be_is_no_payload() -> None:
    with pytest.raises(MalformedPayload, match="no payload"):
        AuthEventDeserializer(Registry())(FRAME[:6] + b"\xc0\x0c\x01")


def test_a_field_that_its_writer_did_not_declare_as_a_payload_is_none() -> None:
    class Earlier:
        """A registry that knows this version only."""

        def writer_schema(self, _schema_id: object) -> WriterSchema:
            return WriterSchema("PROTOBUF", CONTRACT_FILE)

    with pytest.raises(MalformedPayload, match="no payload"):
        AuthEventDeserializer(Earlier())(FRAME)


def test_an_event_without_a_payload_is_malformed_under_a_pinned_id_too() -> None:
    with pytest.raises(MalformedPayload, match="no payload"):
        AuthEventDeserializer(PinnedSchemas(9))(FRAME[:6] + AuthEvent(event_id=EVENT_ID).SerializeToString())


@pytest.mark.parametrize(
    "event_type", ["NotYetInvented", "com.example.Thing", "", "user_created", "AuthEvent"]
)
def test_a_type_that_json_names_and_the_contract_does_not_know(event_type: str) -> None:
    value = json.dumps({**JSON, "eventType": event_type}).encode()
    if not event_type:
        with pytest.raises(MalformedPayload, match="missing"):
            AuthEventDeserializer()(value)
        return
    event = AuthEventDeserializer()(value)
    assert isinstance(event, UnknownEvent)
    assert (event.event_type, event.format) == (event_type, "json")
    assert json.loads(event.payload) == event.read() == JSON["payload"]


def test_a_cloudevent_of_another_type_is_unknown() -> None:
    cloud = {
        "specversion": "1.0",
        "id": "a",
        "source": "/b",
        "type": "c.d",
        "time": JSON["timestamp"],
        "data": {},
    }
    event = AuthEventDeserializer()(json.dumps(cloud).encode())
    assert isinstance(event, UnknownEvent)
    assert event.event_type == "c.d"
    assert event.envelope.source == "/b"


def test_an_unknown_json_payload_keeps_numbers_of_any_size_and_depths() -> None:
    payload = {"count": 123_456_789_012_345_678_901_234_567_890, "deep": json.loads("[" * 500 + "]" * 500)}
    event = AuthEventDeserializer()(json.dumps({**JSON, "eventType": "Later", "payload": payload}).encode())
    assert isinstance(event, UnknownEvent)
    assert event.read() == payload
    assert json.loads(event.payload) == payload
    assert json.loads(event_line(event))["payload"] == payload


@pytest.mark.parametrize(
    "value",
    [b'{"eventType":"Later","timestamp":"2025-06-01T10:15:30Z","payload":{"n":' + b"9" * 5_000 + b"}}"],
)
def test_a_number_of_thousands_of_digits_is_malformed(value: bytes) -> None:
    with pytest.raises(MalformedPayload):
        AuthEventDeserializer()(value)


def test_an_enum_value_newer_than_the_reader_means_unspecified_in_json_and_is_kept_in_protobuf() -> None:
    newer = AuthEvent()
    newer.CopyFrom(CREATED)
    newer.user_created.method = 99  # type: ignore[assignment]  # as a later version would
    schemas = PinnedSchemas(1)
    assert AuthEventDeserializer(schemas)(AuthEventSerializer(schemas)(newer)) == newer
    assert AuthEventDeserializer()(write_json(newer)) == newer  # a number, as proto3 JSON has it
    document = json.loads(write_json(CREATED))
    document["payload"]["method"] = "AUTHENTICATION_METHOD_TELEPATHY"
    assert AuthEventDeserializer()(json.dumps(document).encode()) == CREATED
