"""What a serializer gives, and what it refuses."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

import pytest
from confluent_kafka.serialization import MessageField, SerializationContext, Serializer
from google.protobuf.timestamp_pb2 import Timestamp

from immersiverse.auth.events import AuthEventSerializer, PinnedSchemas, SerializedEvent
from immersiverse.auth.events.errors import (
    ConfigurationError,
    InvalidEvent,
    RegistryRefused,
    RegistryUnavailable,
    SchemaNotRegistered,
)
from immersiverse.auth.events.serialization.schemas import SchemaId, SchemaType
from immersiverse.auth.events.v1.events_pb2 import Actor, AuthEvent, LoginFailed, UserCreated
from serialization_samples import CREATED, EVENT_ID, FAILED, TIME

GUID = uuid.UUID("01234567-89ab-cdef-0123-456789abcdef")
TOPIC = "auth.events.user"


@dataclass
class Registry:
    """Ids by topic, as a registry gives them; it counts how often it is asked."""

    ids: dict[str, SchemaId]
    asked: list[tuple[str, str]] = field(default_factory=list)

    def schema_id(self, topic: str, schema_type: SchemaType) -> SchemaId:
        self.asked.append((topic, schema_type))
        if topic not in self.ids:
            raise SchemaNotRegistered(f"{topic}-value")
        return self.ids[topic]


def context(topic: str = TOPIC, headers: Any = None) -> SerializationContext:
    return SerializationContext(topic, MessageField.VALUE, headers)


def test_it_is_a_serializer_of_confluents() -> None:
    assert isinstance(AuthEventSerializer(PinnedSchemas(1)), Serializer)


def test_a_protobuf_value_is_a_frame_around_the_envelopes_own_bytes() -> None:
    value = AuthEventSerializer(PinnedSchemas(0x0102))(CREATED, context())
    assert value == bytes.fromhex("00 00000102 00") + CREATED.SerializeToString()


def test_an_avro_value_has_no_indexes_in_its_frame() -> None:
    value = AuthEventSerializer(PinnedSchemas(1, avro=2), format="avro")(CREATED)
    assert value.startswith(bytes.fromhex("00 00000002 48") + EVENT_ID.encode())


def test_a_json_value_needs_no_schema_id() -> None:
    assert AuthEventSerializer(format="json")(CREATED).startswith(b'{"eventType":"UserCreated"')


def test_nothing_is_a_tombstone() -> None:
    serialize = AuthEventSerializer(PinnedSchemas(1))
    assert serialize(None) is None
    assert serialize(None, context()) is None


def test_the_whole_message_has_topic_key_value_and_headers() -> None:
    serialize = AuthEventSerializer(PinnedSchemas(1))
    assert serialize.serialize(CREATED) == SerializedEvent(
        topic=TOPIC,
        key=b"u-42",
        value=serialize(CREATED),
        headers=(
            ("ce_specversion", b"1.0"),
            ("ce_id", EVENT_ID.encode()),
            ("ce_type", b"immersiverse.auth.events.v1.UserCreated"),
            ("ce_source", b"/services/auth"),
            ("ce_time", b"2025-06-01T10:15:30.123456Z"),
            ("ce_partitionkey", b"u-42"),
            ("content-type", b"application/protobuf"),
            ("ce_subject", b"u-42"),
        ),
        event_type="UserCreated",
    )


def test_an_event_about_no_known_user_has_no_subject_and_the_default_source_if_none_is_named() -> None:
    headers = dict(AuthEventSerializer(PinnedSchemas(1)).serialize(FAILED).headers)
    assert "ce_subject" not in headers
    assert headers["ce_partitionkey"] == b"00ff"
    assert headers["ce_source"] == b"/services/auth"


def test_single_topic_mode_sends_everything_to_one_topic() -> None:
    registry = Registry({"auth.events": SchemaId(9)})
    serialize = AuthEventSerializer(registry, single_topic=True)
    assert serialize(FAILED)[:5] == bytes.fromhex("00 00000009")
    assert serialize.serialize(CREATED).topic == "auth.events"
    assert registry.asked == [("auth.events", "PROTOBUF")]


def test_a_topic_that_is_given_goes_before_the_contracts() -> None:
    registry = Registry({"elsewhere": SchemaId(3), TOPIC: SchemaId(4)})
    serialize = AuthEventSerializer(registry)
    assert serialize.serialize(CREATED, topic="elsewhere").topic == "elsewhere"
    assert serialize(CREATED, context("elsewhere"))[4] == 3
    assert serialize(CREATED)[4] == 4


def test_each_topics_id_is_asked_for_once() -> None:
    registry = Registry({TOPIC: SchemaId(1), "auth.events.login": SchemaId(2)})
    serialize = AuthEventSerializer(registry)
    for _ in range(3):
        serialize(CREATED), serialize(CREATED, context()), serialize.serialize(FAILED)
    assert registry.asked == [(TOPIC, "PROTOBUF"), ("auth.events.login", "PROTOBUF")]


def test_an_id_that_could_not_be_had_is_asked_for_again() -> None:
    registry = Registry({})
    serialize = AuthEventSerializer(registry)
    with pytest.raises(SchemaNotRegistered, match="auth-events schema register"):
        serialize(CREATED)
    registry.ids[TOPIC] = SchemaId(1)
    assert serialize(CREATED)[4] == 1


def test_header_mode_puts_the_guid_and_the_indexes_into_a_header() -> None:
    serialize = AuthEventSerializer(Registry({TOPIC: SchemaId(1, GUID)}), schema_id_in="header")
    sent = serialize.serialize(CREATED)
    assert sent.value == CREATED.SerializeToString()
    assert sent.headers[-1] == ("__value_schema_id", b"\x01" + GUID.bytes + b"\x00")


@pytest.mark.parametrize("headers", [[("before", b"1")], {"before": b"1"}])
def test_header_mode_adds_to_the_headers_of_confluents_context(headers: Any) -> None:
    serialize = AuthEventSerializer(Registry({TOPIC: SchemaId(1, GUID)}), schema_id_in="header")
    assert serialize(CREATED, context(headers=headers)) == CREATED.SerializeToString()
    assert dict(headers) == {"before": b"1", "__value_schema_id": b"\x01" + GUID.bytes + b"\x00"}


@pytest.mark.parametrize("ctx", [None, context()])
def test_header_mode_without_headers_is_refused(ctx: SerializationContext | None) -> None:
    serialize = AuthEventSerializer(Registry({TOPIC: SchemaId(1, GUID)}), schema_id_in="header")
    with pytest.raises(InvalidEvent, match="headers"):
        serialize(CREATED, ctx)


def test_header_mode_needs_a_registry_that_gives_guids() -> None:
    with pytest.raises(RegistryRefused, match="prefix"):
        AuthEventSerializer(PinnedSchemas(1), schema_id_in="header").serialize(CREATED)


def test_json_in_header_mode_has_nothing_to_put_there() -> None:
    sent = AuthEventSerializer(format="json", schema_id_in="header").serialize(CREATED)
    assert "__value_schema_id" not in dict(sent.headers)


@pytest.mark.parametrize("format", ["protobuf", "avro", "json"])
@pytest.mark.parametrize("ctx", [None, context()])
@pytest.mark.parametrize("wrong", [b"bytes", "text", {}, 1, UserCreated(), LoginFailed(), Timestamp(), Actor])
def test_what_is_no_event_is_refused(wrong: Any, ctx: Any, format: Any) -> None:  # noqa: A002 - its name
    serialize = AuthEventSerializer(PinnedSchemas(1, avro=2), format=format)
    serialize(CREATED, ctx)  # the way of known topics refuses too
    with pytest.raises(InvalidEvent, match="new_event"):
        serialize(wrong, ctx)
    with pytest.raises(InvalidEvent, match="new_event"):
        serialize.serialize(wrong)


@pytest.mark.parametrize("format", ["protobuf", "avro", "json"])
@pytest.mark.parametrize("ctx", [None, context()])
def test_an_event_without_a_payload_is_refused(ctx: Any, format: Any) -> None:  # noqa: A002 - its name
    serialize = AuthEventSerializer(PinnedSchemas(1, avro=2), format=format)
    with pytest.raises(InvalidEvent, match="payload"):
        serialize(AuthEvent(event_id=EVENT_ID, timestamp=TIME), ctx)


def test_an_event_without_a_partition_key_has_no_message() -> None:
    with pytest.raises(InvalidEvent, match="partition key"):
        AuthEventSerializer(PinnedSchemas(1)).serialize(AuthEvent(login_failed=LoginFailed()))


def test_json_refuses_a_time_that_it_cannot_say() -> None:
    event = AuthEvent(timestamp=Timestamp(seconds=1 << 40), user_created=UserCreated(user_id="u"))
    with pytest.raises(InvalidEvent, match="years"):
        AuthEventSerializer(format="json")(event)


def test_an_event_that_new_event_did_not_make_has_no_message() -> None:
    with pytest.raises(InvalidEvent, match=r"UserCreated\.event_id: is required: make events with new_event"):
        AuthEventSerializer(PinnedSchemas(1)).serialize(AuthEvent(user_created=UserCreated(user_id="u")))


def test_headers_refuse_a_time_that_they_cannot_say() -> None:
    payload = UserCreated(user_id="u")
    event = AuthEvent(event_id=EVENT_ID, timestamp=Timestamp(seconds=1 << 40), user_created=payload)
    with pytest.raises(InvalidEvent, match="years"):
        AuthEventSerializer(PinnedSchemas(1)).serialize(event)


@pytest.mark.parametrize("format", ["protobuf", "avro"])
def test_a_format_with_schemas_needs_ids(format: Any) -> None:  # noqa: A002 - its name
    with pytest.raises(ConfigurationError, match="SchemaRegistry or PinnedSchemas"):
        AuthEventSerializer(format=format)


def test_unknown_settings_are_refused_at_once() -> None:
    with pytest.raises(ConfigurationError, match="no format 'xml'"):
        AuthEventSerializer(PinnedSchemas(1), format="xml")  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="'prefix' or 'header'"):
        AuthEventSerializer(PinnedSchemas(1), schema_id_in="tail")  # type: ignore[arg-type]


def test_pinned_schemas_refuse_as_a_registry_does_what_they_cannot_give() -> None:
    with pytest.raises(RegistryRefused, match="PinnedSchemas has no id for AVRO"):
        AuthEventSerializer(PinnedSchemas(1), format="avro")(CREATED)
    for number in (-1, 1 << 32):
        with pytest.raises(ConfigurationError, match="a schema id is a number from 0 to 4294967295"):
            PinnedSchemas(number)


def test_a_registry_that_is_away_is_said_to_be_worth_another_try() -> None:
    class Away:
        def schema_id(self, topic: str, schema_type: SchemaType) -> SchemaId:
            raise RegistryUnavailable(f"{topic} {schema_type}")

    with pytest.raises(RegistryUnavailable) as away:
        AuthEventSerializer(Away())(CREATED)
    assert away.value.retryable
