"""Events that other versions of the contract wrote, or writers with schemas of their own."""

from __future__ import annotations

import copy
import io
import json
from collections.abc import Callable
from typing import Any

import fastavro
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from immersiverse.auth.events.errors import MalformedPayload
from immersiverse.auth.events.serialization.avro import reader, schema_text
from immersiverse.auth.events.serialization.schemas import WriterSchema
from immersiverse.auth.events.serialization.unknown import Decoded, UnknownEvent
from immersiverse.auth.events.v1 import events_pb2 as v1

PACKAGE = "immersiverse.auth.events.v1"
Schema = dict[str, Any]

DELETED: dict[str, Any] = {
    "event_id": "e-1",
    "timestamp": 1_000_001,
    "source": "/s",
    "version": 3,
    "actor": None,
    "payload": (
        f"{PACKAGE}.UserDeleted",
        {
            "user_id": "u",
            "deleted_at": 2_000_002,
            "reason": "USER_DELETION_REASON_INACTIVITY",
            "erasure_required": True,
        },
    ),
}
EVENT = v1.AuthEvent(
    event_id="e-1",
    timestamp=Timestamp(seconds=1, nanos=1_000),
    source="/s",
    version=3,
    user_deleted=v1.UserDeleted(
        user_id="u",
        deleted_at=Timestamp(seconds=2, nanos=2_000),
        reason=v1.USER_DELETION_REASON_INACTIVITY,
        erasure_required=True,
    ),
)


def schema() -> Schema:
    return dict(json.loads(schema_text()))


def field(record: Schema, name: str) -> Schema:
    return next(each for each in record["fields"] if each["name"] == name)


def payload(envelope: Schema, name: str) -> Schema:
    return next(branch for branch in field(envelope, "payload")["type"] if branch["name"] == name)


def reading(envelope: Any) -> Callable[[bytes], Decoded]:
    return reader(WriterSchema("AVRO", text=json.dumps(envelope)), 5)


def written(envelope: Schema, record: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    parsed = fastavro.parse_schema(copy.deepcopy(envelope))
    fastavro.schemaless_writer(out, parsed, record)
    return out.getvalue()


def carried(envelope: Schema, record: dict[str, Any]) -> Decoded:
    """What is read of a record that was written with another schema."""
    return reading(envelope)(written(envelope, record))


def deleted(**changes: Any) -> dict[str, Any]:
    name, fields = DELETED["payload"]
    return {**DELETED, "payload": (name, {**fields, **changes})}


def test_a_schema_of_the_same_meaning_and_other_text_reads_the_same() -> None:
    assert carried(schema(), DELETED) == EVENT


def test_fields_in_another_order_are_matched_by_name() -> None:
    envelope = schema()
    payload(envelope, "UserDeleted")["fields"].reverse()
    envelope["fields"].insert(0, envelope["fields"].pop())
    # enums are declared where they are first used, which stays the same record here
    assert carried(envelope, DELETED) == EVENT


def test_fields_that_the_contract_does_not_have_are_passed_over() -> None:
    envelope = schema()
    nested = {
        "type": "record",
        "name": "Extra",
        "fields": [
            {"name": "many", "type": {"type": "array", "items": {"type": "map", "values": "double"}}},
            {"name": "fixed", "type": {"type": "fixed", "name": "Two", "size": 2}},
            {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["A", "B"]}},
            {"name": "maybe", "type": ["null", "Kind", "bytes"]},
            {"name": "float", "type": "float"},
            {"name": "boolean", "type": "boolean"},
        ],
    }
    inner = {"many": [], "fixed": b"xy", "kind": "B", "maybe": b"z", "float": 1.5, "boolean": True}
    extra = {**inner, "many": [{"a": 0.5, "b": 1.0}, {}], "maybe": "A"}
    envelope["fields"].insert(0, {"name": "extra", "type": nested})
    payload(envelope, "UserDeleted")["fields"].insert(1, {"name": "more", "type": ["null", "string"]})
    assert carried(envelope, {**deleted(more="x"), "extra": extra}) == EVENT


def test_fields_that_the_writer_did_not_have_are_left_at_their_defaults() -> None:
    envelope = schema()
    envelope["fields"] = [each for each in envelope["fields"] if each["name"] not in ("version", "actor")]
    record = payload(envelope, "UserDeleted")
    record["fields"] = [each for each in record["fields"] if each["name"] != "erasure_required"]
    expected = v1.AuthEvent()
    expected.CopyFrom(EVENT)
    expected.ClearField("version")
    expected.user_deleted.ClearField("erasure_required")
    assert carried(envelope, DELETED) == expected


def test_a_symbol_that_the_contract_does_not_know_means_unspecified() -> None:
    envelope = schema()
    field(payload(envelope, "UserDeleted"), "reason")["type"]["symbols"].insert(1, "USER_DELETION_REASON_NEW")
    found = carried(envelope, deleted(reason="USER_DELETION_REASON_NEW"))
    assert isinstance(found, v1.AuthEvent)
    assert found.user_deleted.reason == v1.USER_DELETION_REASON_UNSPECIFIED
    assert carried(envelope, DELETED) == EVENT  # the others moved by one


def test_numbers_and_text_may_have_wider_or_narrower_types() -> None:
    envelope = schema()
    field(envelope, "version")["type"] = "int"
    field(envelope, "source")["type"] = "bytes"
    field(envelope, "event_id")["type"] = ["null", "string"]
    assert carried(envelope, {**DELETED, "source": b"/s"}) == EVENT


@pytest.mark.parametrize(("unit", "number"), [("millis", 1_234), ("micros", 1_234_000)])
def test_times_may_have_another_unit(unit: str, number: int) -> None:
    envelope = schema()
    field(envelope, "timestamp")["type"] = {"type": "long", "logicalType": f"timestamp-{unit}"}
    found = reading(envelope)(written(schema(), {**DELETED, "timestamp": number}))
    assert isinstance(found, v1.AuthEvent)
    assert found.timestamp == Timestamp(seconds=1, nanos=234_000_000)


@pytest.mark.parametrize("logical", ["timestamp-nanos", "time-micros", None])
def test_a_time_of_no_known_unit_is_an_error_that_names_the_field(logical: str | None) -> None:
    envelope = schema()
    field(envelope, "timestamp")["type"] = {"type": "long", "logicalType": logical} if logical else "long"
    with pytest.raises(MalformedPayload, match="timestamp: the value does not fit the contract"):
        reading(envelope)(written(schema(), DELETED))


@pytest.mark.parametrize(
    ("kind", "value"), [("string", "3"), (["null", "long"], None)], ids=["other type", "null"]
)
def test_a_type_that_does_not_resolve_to_the_contracts_is_an_error(kind: Any, value: Any) -> None:
    envelope = schema()
    field(envelope, "version").update(type=kind, default=value)
    with pytest.raises(MalformedPayload, match="types that do not resolve to the contract's"):
        carried(envelope, {**DELETED, "version": value})


def test_a_number_beyond_its_fields_range_is_an_error_that_names_the_field() -> None:
    attack = {
        "scope": "BRUTE_FORCE_SCOPE_UNSPECIFIED",
        "user_id": "",
        "attempted_identifier_hash": "",
        "ip_address": "",
    }
    attack |= {"window": {"seconds": 1, "nanos": 0}, "detected_at": 0, "attempts": 1 << 32}  # type: ignore[dict-item]  # as in the schema
    with pytest.raises(MalformedPayload, match="attempts: the value does not fit the contract"):
        carried(schema(), {**DELETED, "payload": (f"{PACKAGE}.BruteForceDetected", attack)})


def newer_schema() -> Schema:
    """The contract with one more event, first in the union, and one more field after it."""
    envelope = schema()
    trusted = {
        "type": "record",
        "name": "NotYetInvented",
        "namespace": PACKAGE,
        "fields": [
            {"name": "user_id", "type": "string", "default": ""},
            {"name": "trusted_at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
            {"name": "undone_at", "type": ["null", {"type": "long", "logicalType": "timestamp-millis"}]},
            {"name": "salt", "type": "bytes", "default": ""},
            {"name": "strength", "type": "double", "default": 0.0},
            {"name": "tags", "type": {"type": "array", "items": "string"}, "default": []},
            {
                "name": "kind",
                "type": {"type": "enum", "name": "Kind", "symbols": ["KIND_UNSPECIFIED", "KIND_RESET"]},
                "default": "KIND_UNSPECIFIED",
            },
            {
                "name": "within",
                "type": {
                    "type": "record",
                    "name": "Duration",
                    "namespace": "google.protobuf",
                    "fields": [
                        {"name": "seconds", "type": "long", "default": 0},
                        {"name": "nanos", "type": "int", "default": 0},
                    ],
                },
            },
        ],
    }
    field(payload(envelope, "BruteForceDetected"), "window")["type"] = "google.protobuf.Duration"
    field(envelope, "payload")["type"].insert(0, trusted)
    envelope["fields"].append({"name": "trace", "type": "string", "default": ""})
    return envelope


TRUSTED = {
    "user_id": "u",
    "trusted_at": 1_000_001,
    "undone_at": None,
    "salt": b"\x00\xff",
    "strength": float("inf"),
    "tags": [],
    "kind": "KIND_UNSPECIFIED",
    "within": {"seconds": 1, "nanos": 500_000_000},
}


def trusted(**changes: Any) -> UnknownEvent:
    record = {**DELETED, "payload": (f"{PACKAGE}.NotYetInvented", {**TRUSTED, **changes}), "trace": "t"}
    found = carried(newer_schema(), record)
    assert isinstance(found, UnknownEvent)
    return found


def test_an_event_type_newer_than_the_contract_arrives_as_an_unknown_event() -> None:
    envelope = v1.AuthEvent()
    envelope.CopyFrom(EVENT)
    envelope.ClearField("payload")
    found = trusted()
    assert (found.event_type, found.format, found.envelope) == ("NotYetInvented", "avro", envelope)


def test_an_unknown_events_payload_is_its_own_bytes() -> None:
    record = copy.deepcopy(field(newer_schema(), "payload")["type"][0])
    assert trusted().payload == written(record, TRUSTED)


def test_an_unknown_events_payload_reads_like_json_and_leaves_defaults_out() -> None:
    assert trusted().read() == {
        "userId": "u",
        "trustedAt": "1970-01-01T00:00:01.000001Z",
        "salt": "AP8=",
        "strength": "Infinity",
        "within": "1.500s",
    }


def test_what_has_no_json_form_is_given_as_it_was_written() -> None:
    found = trusted(within={"seconds": 1 << 60, "nanos": 0}, undone_at=5, kind="KIND_RESET").read()
    assert found["within"] == {"seconds": 1 << 60}
    assert found["undoneAt"] == "1970-01-01T00:00:00.005Z"
    assert found["kind"] == "KIND_RESET"


def test_a_time_outside_the_years_1_to_9999_is_malformed_in_an_unknown_event_too() -> None:
    with pytest.raises(MalformedPayload, match="OverflowError"):
        trusted(trusted_at=1 << 62)


def test_known_events_of_a_newer_schema_are_read() -> None:
    assert carried(newer_schema(), {**DELETED, "trace": "t"}) == EVENT


def test_an_event_whose_writer_left_the_payload_out_is_malformed() -> None:
    envelope = schema()
    field(envelope, "payload")["type"].append("null")
    with pytest.raises(MalformedPayload, match="payload: the event carries no payload"):
        carried(envelope, {**DELETED, "payload": None})
