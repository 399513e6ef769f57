"""The JSON envelope follows the contract: a field that it gains is read and written without more code."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

from immersiverse.auth.events import catalog
from immersiverse.auth.events.catalog import CONTRACT_FILE
from immersiverse.auth.events.errors import InvalidEvent, MalformedPayload
from immersiverse.auth.events.serialization.json.codec import (
    envelope_fields,
    envelope_reader,
    envelope_writer,
    read_json,
    write_json,
)
from immersiverse.auth.events.v1 import events_pb2 as v1
from immersiverse.auth.events.v1 import options_pb2
from serialization_samples import CREATED, EVENT_ID, TIME

ADDED = {
    "trace_id": (FieldDescriptorProto.TYPE_STRING, ""),
    "is_test": (FieldDescriptorProto.TYPE_BOOL, ""),
    "sequence": (FieldDescriptorProto.TYPE_INT64, ""),
    "cause": (FieldDescriptorProto.TYPE_ENUM, "ActorKind"),
    "witness": (FieldDescriptorProto.TYPE_MESSAGE, "Actor"),
    "seen_at": (FieldDescriptorProto.TYPE_MESSAGE, "Timestamp"),
}


@cache
def later_envelope() -> Descriptor:
    """The envelope of a contract that has more fields in it."""
    file = FileDescriptorProto.FromString(CONTRACT_FILE.SerializeToString())
    for number, (name, (kind, held)) in enumerate(ADDED.items(), start=6):
        scope = "google.protobuf" if held == "Timestamp" else file.package
        file.message_type[0].field.add(
            name=name, number=number, label=1, type=kind, type_name=f".{scope}.{held}" if held else None
        )
    pool = DescriptorPool()
    needed = (*options_pb2.DESCRIPTOR.dependencies, options_pb2.DESCRIPTOR, *v1.DESCRIPTOR.dependencies)
    for content in dict.fromkeys(each.serialized_pb for each in needed):
        pool.AddSerializedFile(content)
    pool.AddSerializedFile(file.SerializeToString())
    return pool.FindMessageTypeByName(v1.AuthEvent.DESCRIPTOR.full_name)


def later_event() -> Any:
    """An event with a value in every field of that envelope."""
    return GetMessageClass(later_envelope())(
        event_id=EVENT_ID,
        timestamp={"seconds": TIME.seconds, "nanos": TIME.nanos},
        source="/s",
        version=7,
        actor={"kind": 3, "id": "cron"},
        trace_id="t-1",
        is_test=True,
        sequence=1 << 60,
        cause=2,
        witness={"id": "w"},
        seen_at={"seconds": 0},
    )


def written(event: Any) -> dict[str, Any]:
    document = {"timestamp": TIME.ToJsonString()}
    envelope_writer(later_envelope())(event, document)
    return document


def test_a_field_that_the_envelope_gains_is_written_by_itself() -> None:
    assert written(later_event()) == {
        "eventId": EVENT_ID,
        "timestamp": TIME.ToJsonString(),
        "source": "/s",
        "version": 7,
        "actor": {"kind": "ACTOR_KIND_SERVICE", "id": "cron"},
        "traceId": "t-1",
        "isTest": True,
        "sequence": str(1 << 60),
        "cause": "ACTOR_KIND_ADMINISTRATOR",
        "witness": {"id": "w"},
        "seenAt": "1970-01-01T00:00:00Z",
    }


def test_a_field_that_the_envelope_gains_is_read_by_itself() -> None:
    event, read = later_event(), GetMessageClass(later_envelope())()
    envelope_reader(later_envelope())(json.loads(json.dumps(written(event))), read)
    assert read == event


def test_an_envelope_without_optional_fields_adds_nothing() -> None:
    assert set(written(GetMessageClass(later_envelope())())) == {"timestamp"}


def test_every_field_of_this_envelope_but_the_payloads_is_in_json() -> None:
    names = {field.name for field in envelope_fields(v1.AuthEvent.DESCRIPTOR)}
    assert names == set(v1.AuthEvent.DESCRIPTOR.fields_by_name) - set(catalog.BY_PAYLOAD_FIELD)
    event = v1.AuthEvent(actor=v1.Actor(kind=v1.ACTOR_KIND_USER, id="u"))
    event.MergeFrom(CREATED)
    assert {field.name for field, _ in event.ListFields()} == {*names, "user_created"}
    document = json.loads(write_json(event))
    assert set(document) == {
        "eventType",
        "payload",
        *(f.json_name for f in envelope_fields(event.DESCRIPTOR)),
    }
    assert read_json(json.dumps(document).encode()) == event


def test_what_json_cannot_say_of_an_envelope_is_an_invalid_event() -> None:
    event = v1.AuthEvent(user_created=v1.UserCreated(user_id="u"))
    event.timestamp.seconds = 1 << 60
    with pytest.raises(InvalidEvent, match=r"^UserCreated: JSON cannot express this"):
        write_json(event)


def test_a_cloudevent_carries_the_rest_of_the_envelope_by_its_names_in_json() -> None:
    cloud = {
        "specversion": "1.0",
        "id": EVENT_ID,
        "source": "/s",
        "type": "UserDeleted",
        "time": TIME.ToJsonString(),
        "data": {"userId": "u"},
        "version": 9,
        "actor": {"kind": "ACTOR_KIND_SYSTEM", "id": "rule"},
    }
    assert read_json(json.dumps(cloud).encode()) == v1.AuthEvent(
        event_id=EVENT_ID,
        timestamp=TIME,
        source="/s",
        version=9,
        actor=v1.Actor(kind=v1.ACTOR_KIND_SYSTEM, id="rule"),
        user_deleted=v1.UserDeleted(user_id="u"),
    )
    with pytest.raises(MalformedPayload, match=r"^actor"):
        read_json(json.dumps({**cloud, "actor": "me"}).encode())
