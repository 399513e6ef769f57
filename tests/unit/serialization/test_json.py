"""The JSON of events, beyond what properties and the specification's samples say of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from immersiverse.auth.events import catalog
from immersiverse.auth.events.errors import MalformedPayload
from immersiverse.auth.events.serialization.deserializer import AuthEventDeserializer
from immersiverse.auth.events.serialization.json.codec import read_json, write_json
from immersiverse.auth.events.v1 import events_pb2 as v1
from serialization_samples import CREATED, EVENT_ID, TIME

DOCUMENT: dict[str, Any] = json.loads(write_json(CREATED))


def read(**changes: Any) -> Any:
    """What is read of the sample with other values in some places."""
    return read_json(json.dumps({**DOCUMENT, **changes}).encode())


def with_payload(**changes: Any) -> Any:
    """What is read of the sample with other values in its payload."""
    return read(payload={**DOCUMENT["payload"], **changes})


def test_an_event_is_one_object_on_one_line_with_the_specifications_fields_first() -> None:
    text = write_json(CREATED)
    assert b"\n" not in text
    assert list(DOCUMENT) == ["eventType", "timestamp", "payload", "eventId", "source", "version"]
    assert DOCUMENT["version"] == 7
    assert DOCUMENT["payload"]["createdAt"] == "2025-06-01T10:15:30.123456Z"


def test_what_an_envelope_does_not_have_is_left_out() -> None:
    bare = v1.AuthEvent(timestamp=TIME, user_deleted=v1.UserDeleted())
    assert json.loads(write_json(bare)) == {
        "eventType": "UserDeleted",
        "timestamp": TIME.ToJsonString(),
        "payload": {},
    }


def test_the_actor_goes_along() -> None:
    event = v1.AuthEvent(actor=v1.Actor(kind=v1.ACTOR_KIND_SERVICE, id="cron"))
    event.MergeFrom(CREATED)
    text = write_json(event)
    assert json.loads(text)["actor"] == {"kind": "ACTOR_KIND_SERVICE", "id": "cron"}
    assert read_json(text) == event


@pytest.mark.parametrize("event_type", catalog.EVENT_TYPES.values(), ids=lambda each: each.name)
def test_an_empty_payload_still_says_its_type(event_type: catalog.EventType) -> None:
    event = v1.AuthEvent(event_id=EVENT_ID, timestamp=TIME)
    getattr(event, event_type.payload_field).SetInParent()
    assert read_json(write_json(event)) == event


@pytest.mark.parametrize("version", [7, "7", 7.0])
def test_a_version_is_a_number_or_a_string_of_one(version: Any) -> None:
    assert read(version=version) == CREATED


def test_the_greatest_version_keeps_every_digit() -> None:
    event = read(version=(1 << 63) - 1)
    assert event.version == (1 << 63) - 1
    assert json.loads(write_json(event))["version"] == (1 << 63) - 1


@pytest.mark.parametrize("version", ["9007199254740993", "9007199254740993.0", "9.007199254740993e15"])
def test_a_version_in_a_string_keeps_every_digit(version: str) -> None:
    assert read(version=version).version == 9_007_199_254_740_993


def test_a_number_whose_form_loses_digits_is_refused() -> None:
    assert read(version=9007199254740992.0).version == 1 << 53
    value = write_json(CREATED).replace(b'"version":7', b'"version":9007199254740993.0')
    with pytest.raises(MalformedPayload, match="version: has more digits"):
        AuthEventDeserializer()(value.replace(b"993.0", b"995.0"))


def test_null_means_that_a_field_is_absent() -> None:
    event = read(version=None, source=None, actor=None, payload={**DOCUMENT["payload"], "email": None})
    assert (event.version, event.source, event.user_created.email) == (0, "", "")
    assert not event.HasField("actor")
    assert read(eventId=None).event_id


def test_fields_go_by_their_proto_names_too() -> None:
    payload = {
        "user_id": "u-42",
        "username": "ada",
        "email": "ada@example.com",
        "created_at": TIME.ToJsonString(),
    }
    assert read(payload=payload) == CREATED
    assert read(eventType="immersiverse.auth.events.v1.UserCreated") == CREATED


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"eventType": None}, "eventType"),
        ({"eventType": ""}, "eventType"),
        ({"eventType": 1}, "eventType"),
        ({"eventType": ["UserCreated"]}, "eventType"),
        ({"payload": None}, "payload"),
        ({"payload": []}, "payload"),
        ({"payload": "{}"}, "payload"),
        ({"payload": 0}, "payload"),
        ({"timestamp": None}, "timestamp"),
        ({"timestamp": 1_748_772_930}, "timestamp"),
        ({"timestamp": "yesterday"}, "timestamp"),
        ({"eventId": 1}, "eventId"),
        ({"eventId": {}}, "eventId"),
        ({"source": False}, "source"),
        ({"version": True}, "version"),
        ({"version": 1.5}, "version"),
        ({"version": "1.5"}, "version"),
        ({"version": "seven"}, "version"),
        ({"version": 1 << 63}, "version"),
        ({"version": -1}, "version"),
        ({"version": "-1"}, "version"),
        ({"version": 10**400}, ""),
        ({"actor": "me"}, "actor"),
        ({"actor": {"id": 1}}, "actor.id"),
    ],
)
def test_a_wrong_envelope_is_refused_by_the_name_of_its_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(MalformedPayload) as refused:
        read(**changes)
    assert refused.value.field == field


@pytest.mark.parametrize("field", ["eventType", "timestamp", "payload"])
def test_what_every_event_has_is_missed(field: str) -> None:
    document = {name: value for name, value in DOCUMENT.items() if name != field}
    with pytest.raises(MalformedPayload, match=f"^{field}: is missing$"):
        read_json(json.dumps(document).encode())


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"userId": 1}, "payload.userId"),
        ({"userId": ["u"]}, "payload.userId"),
        ({"createdAt": "2025-06-31T00:00:00Z"}, "payload.createdAt"),
        ({"createdAt": {}}, "payload.createdAt"),
        ({"method": 1 << 31}, "payload.method"),
        ({"method": True}, "payload.method"),
        ({"method": []}, "payload.method"),
    ],
)
def test_a_wrong_payload_is_refused_by_the_path_of_its_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(MalformedPayload) as refused:
        with_payload(**changes)
    assert refused.value.field == field


@pytest.mark.parametrize("specversion", ["0.3", "1.1", 1.0, None, {}])
def test_another_version_of_cloudevents_is_refused(specversion: Any) -> None:
    cloud = {"specversion": specversion, "id": "a", "source": "/b", "type": "UserCreated", "data": {}}
    with pytest.raises(MalformedPayload, match=r"1\.0"):
        read_json(json.dumps(cloud).encode())


@pytest.mark.parametrize("missing", ["type", "data"])
def test_a_cloudevent_without_type_or_data_is_refused(missing: str) -> None:
    cloud = {"specversion": "1.0", "id": "a", "type": "UserCreated", "time": TIME.ToJsonString(), "data": {}}
    del cloud[missing]
    with pytest.raises(MalformedPayload, match="missing"):
        read_json(json.dumps(cloud).encode())
