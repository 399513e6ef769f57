"""What holds of every valid event, in every format."""

from __future__ import annotations

import json
from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st

import strategies
from immersiverse.auth.events.errors import DecodeError
from immersiverse.auth.events.events import event_type_of, new_event, partition_key, payload_of
from immersiverse.auth.events.identifiers import derived_event_id, new_event_id
from immersiverse.auth.events.serialization.deserializer import AuthEventDeserializer
from immersiverse.auth.events.serialization.json.codec import read_json, write_json
from immersiverse.auth.events.serialization.schemas import PinnedSchemas
from immersiverse.auth.events.serialization.serializer import AuthEventSerializer
from immersiverse.auth.events.v1.events_pb2 import AuthEvent
from immersiverse.auth.events.validation import validate
from serialization_samples import minimal_json

SCHEMAS = PinnedSchemas(protobuf=1, avro=2)
DESERIALIZE = AuthEventDeserializer(SCHEMAS)
KEYS, VALUES = st.none() | st.binary(max_size=2), st.binary(max_size=2)
EVENTS = strategies.events(step=strategies.NANOSECOND)


@given(EVENTS)
def test_any_valid_event_keeps_the_rules(event: AuthEvent) -> None:
    validate(event)
    assert partition_key(event)


@given(EVENTS)
def test_a_new_event_of_the_same_facts_is_the_same_event(event: AuthEvent) -> None:
    again = new_event(
        payload_of(event),
        source=event.source,
        version=event.version,
        timestamp=event.timestamp,
        actor=event.actor if event.HasField("actor") else None,
        event_id=event.event_id,
    )
    event.timestamp.nanos -= event.timestamp.nanos % 1_000
    assert again == event


@pytest.mark.parametrize("format", ["protobuf", "json"])
@given(EVENTS)
def test_any_valid_event_survives_the_way(format: Any, event: AuthEvent) -> None:  # noqa: A002 - its name
    serialize = AuthEventSerializer(SCHEMAS, format=format)
    assert DESERIALIZE(serialize(event)) == event
    sent = serialize.serialize(event)
    assert DESERIALIZE.deserialize(sent.value, headers=sent.headers, key=sent.key) == event


@given(EVENTS)
def test_any_valid_event_is_the_specifications_json_around_json_formats_payload(event: AuthEvent) -> None:
    document = json.loads(write_json(event))
    expected = {
        "eventType": event_type_of(event).name,
        "timestamp": event.timestamp.ToJsonString(),
        "payload": json_format.MessageToDict(payload_of(event)),
        "eventId": event.event_id,
        "source": event.source,
    }
    if event.version:
        expected["version"] = event.version
    if event.HasField("actor"):
        expected["actor"] = json_format.MessageToDict(event.actor)
    assert document == expected


@given(EVENTS, st.none() | st.binary(max_size=8))
def test_a_minimal_json_event_lacks_only_what_the_specification_does_not_have(
    event: AuthEvent, key: bytes | None
) -> None:
    value = minimal_json(event)
    assert set(json.loads(value)) == {"eventType", "timestamp", "payload"}
    minimal = AuthEvent(event_id=derived_event_id(key, value), timestamp=event.timestamp)
    getattr(minimal, event_type_of(event).payload_field).CopyFrom(payload_of(event))
    assert read_json(value, key) == minimal


@given(EVENTS)
def test_the_headers_of_any_valid_event_are_utf8_and_say_what_it_says(event: AuthEvent) -> None:
    sent = AuthEventSerializer(SCHEMAS).serialize(event)
    headers = {name: value.decode() for name, value in sent.headers}
    assert headers["ce_id"] == event.event_id
    assert headers["ce_type"] == event_type_of(event).full_name
    assert headers["ce_partitionkey"] == sent.key.decode() == partition_key(event)
    assert sent.topic == event_type_of(event).topic


@given(st.binary(max_size=64))
def test_any_bytes_are_read_or_refused_as_a_decode_error(value: bytes) -> None:
    with suppress(DecodeError):
        DESERIALIZE(value)


@given(st.recursive(st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(), st.lists), st.data())
def test_any_json_in_any_place_is_read_or_refused_as_a_decode_error(value: Any, data: st.DataObject) -> None:
    document = json.loads(write_json(data.draw(strategies.events())))
    place = data.draw(st.sampled_from([document, document["payload"]]))
    place[data.draw(st.sampled_from(sorted(place)))] = value
    with suppress(DecodeError):
        DESERIALIZE(json.dumps(document).encode())


@given(st.integers(2, 50))
def test_ids_made_one_after_the_other_sort_in_that_order(count: int) -> None:
    made = [new_event_id() for _ in range(count)]
    assert all(earlier < later for earlier, later in pairwise(made))


@given(
    st.none() | st.binary(max_size=8),
    st.binary(max_size=8),
    st.none() | st.binary(max_size=8),
    st.binary(max_size=8),
)
def test_derived_ids_are_equal_for_equal_messages_only(
    key: bytes | None, value: bytes, other_key: bytes | None, other_value: bytes
) -> None:
    same = (key or b"", value) == (other_key or b"", other_value)
    assert (derived_event_id(key, value) == derived_event_id(other_key, other_value)) is same
