"""What the contract says of itself, and the promises that every event type keeps."""

from __future__ import annotations

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.wrappers_pb2 import BytesValue, Int64Value

from immersiverse.auth.events import catalog
from immersiverse.auth.events.catalog import CONTRACT_FILE
from immersiverse.auth.events.v1 import events_pb2 as v1

EVENT_TYPES = pytest.mark.parametrize("event_type", catalog.EVENT_TYPES.values(), ids=lambda each: each.name)
NUMBERS = {  # of the envelope's payload_fields, by topic: events.proto promises these ranges
    "auth.events.user": range(16, 32),
    "auth.events.login": range(32, 48),
    "auth.events.platform": range(48, 64),
    "auth.events.security": range(64, 80),
}


def test_it_knows_every_payload_field_of_the_envelope_and_nothing_else() -> None:
    payload_fields = v1.AuthEvent.DESCRIPTOR.oneofs_by_name["payload"].fields
    assert [each.payload_field for each in catalog.EVENT_TYPES.values()] == [
        payload_field.name for payload_field in payload_fields
    ]
    assert set(catalog.BY_PAYLOAD_FIELD) == {payload_field.name for payload_field in payload_fields}
    assert {each.message.DESCRIPTOR.full_name for each in catalog.BY_MESSAGE.values()} == {
        payload_field.message_type.full_name for payload_field in payload_fields
    }


def test_the_envelope_stays_the_first_message_of_its_file() -> None:
    assert CONTRACT_FILE.message_type[0].name == v1.AuthEvent.DESCRIPTOR.name


@EVENT_TYPES
def test_every_event_type_has_a_topic_with_a_range_of_numbers(event_type: catalog.EventType) -> None:
    assert event_type.number in NUMBERS[event_type.topic]


@EVENT_TYPES
def test_every_event_type_has_a_partition_key_of_text_fields_of_its_own(
    event_type: catalog.EventType,
) -> None:
    assert event_type.partition_key[0] == "user_id"
    fields = {field.name: field for field in event_type.fields}
    for name in event_type.partition_key:
        assert fields[name].descriptor.type == fields[name].descriptor.TYPE_STRING


@EVENT_TYPES
def test_a_lone_partition_key_is_required_so_that_no_event_lacks_one(event_type: catalog.EventType) -> None:
    fields = {field.name: field for field in event_type.fields}
    if len(event_type.partition_key) == 1:
        assert fields[event_type.partition_key[0]].rules.required


@EVENT_TYPES
def test_every_event_type_says_when_it_happened(event_type: catalog.EventType) -> None:
    times = [
        field
        for field in event_type.fields
        if field.descriptor.message_type and field.descriptor.message_type.name == "Timestamp"
    ]
    assert any(field.rules.required for field in times)


@EVENT_TYPES
def test_an_event_type_is_found_by_either_of_its_names(event_type: catalog.EventType) -> None:
    assert catalog.find(event_type.name) is event_type
    assert catalog.find(event_type.full_name) is event_type
    assert event_type.full_name == event_type.message.DESCRIPTOR.full_name


@pytest.mark.parametrize("name", ["", "AuthEvent", "Actor", "user_created", "elsewhere.UserCreated"])
def test_no_event_type_is_found_by_another_name(name: str) -> None:
    assert catalog.find(name) is None


def test_topics_come_in_the_contracts_order_without_the_special_ones() -> None:
    assert tuple(NUMBERS) == catalog.TOPICS
    assert catalog.SINGLE_TOPIC == "auth.events"
    assert catalog.DEAD_LETTER_TOPIC == "auth.events.dlq"
    assert catalog.DEFAULT_SOURCE == "/services/auth"


@EVENT_TYPES
def test_user_ids_and_addresses_are_marked_as_personal_data(event_type: catalog.EventType) -> None:
    classes = {
        "user_id": "pseudonym",
        "ip_address": "network",
        "user_agent": "network",
        "email": "contact",
        "username": "contact",
    }
    for field in event_type.fields:
        assert field.personal_data == classes.get(field.name, field.personal_data)


def test_a_field_may_hold_no_personal_data() -> None:
    fields = {field.name: field for field in catalog.EVENT_TYPES["UserCreated"].fields}
    assert fields["method"].personal_data == ""
    assert fields["created_at"].json_name == "createdAt"


def test_a_string_whose_class_nothing_states_is_the_most_sensitive() -> None:
    most = len(catalog.PERSONAL_DATA) - 1
    assert catalog.sensitivity(FieldMask.DESCRIPTOR.fields_by_name["paths"]) == most
    assert catalog.sensitivity(BytesValue.DESCRIPTOR.fields_by_name["value"]) == most
    assert catalog.sensitivity(Int64Value.DESCRIPTOR.fields_by_name["value"]) == 0
    platform = catalog.EVENT_TYPES["UserCreated"].message.DESCRIPTOR.fields_by_name["platform"]
    assert catalog.sensitivity(platform) == 0
