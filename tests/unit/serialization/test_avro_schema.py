"""The Avro schema that the contract becomes."""

from __future__ import annotations

import json
from typing import Any

import fastavro
import pytest

from immersiverse.auth.events import catalog
from immersiverse.auth.events.serialization.avro import schema_text

PACKAGE = "immersiverse.auth.events.v1"


def envelope() -> dict[str, Any]:
    return dict(json.loads(schema_text()))


def named_types(schema: Any) -> dict[str, Any]:
    """Every type that the schema declares, by its short name."""
    if isinstance(schema, list):
        return {name: found for branch in schema for name, found in named_types(branch).items()}
    if not isinstance(schema, dict):
        return {}
    inner = [schema.get("items"), schema.get("type"), *[f["type"] for f in schema.get("fields", ())]]
    found = named_types(inner)
    return {**found, schema["name"]: schema} if schema["type"] in ("record", "enum") else found


def field_of(record: str, field: str) -> dict[str, Any]:
    fields = named_types(envelope())[record]["fields"]
    return next(each for each in fields if each["name"] == field)


def test_the_schema_is_compact_json_and_always_the_same_text() -> None:
    assert schema_text() == json.dumps(envelope(), separators=(",", ":"))
    assert schema_text() is schema_text()


def test_an_avro_library_takes_the_schema() -> None:
    assert fastavro.schema.fullname(envelope()) == f"{PACKAGE}.AuthEvent"
    fastavro.parse_schema(envelope())


def test_the_envelope_has_the_contracts_fields_and_one_union_of_payloads() -> None:
    names = [field["name"] for field in envelope()["fields"]]
    assert names == ["event_id", "timestamp", "source", "version", "actor", "payload"]


def test_the_union_holds_every_event_in_the_order_of_the_contract_and_no_null() -> None:
    branches = field_of("AuthEvent", "payload")["type"]
    assert [branch["name"] for branch in branches] == list(catalog.EVENT_TYPES)


def test_a_payload_has_no_default_since_it_is_required() -> None:
    assert "default" not in field_of("AuthEvent", "payload")


def test_payload_fields_keep_their_names_in_the_proto_file() -> None:
    for event_type in catalog.EVENT_TYPES.values():
        fields = named_types(envelope())[event_type.name]["fields"]
        assert [field["name"] for field in fields] == [field.name for field in event_type.fields]


@pytest.mark.parametrize(
    ("record", "field", "expected"),
    [
        ("AuthEvent", "event_id", {"type": "string", "default": ""}),
        ("AuthEvent", "version", {"type": "long", "default": 0}),
        ("AuthEvent", "timestamp", {"type": {"type": "long", "logicalType": "timestamp-micros"}}),
        ("UserUpdated", "email_verified", {"type": "boolean", "default": False}),
        ("UserUpdated", "changed_fields", {"type": {"type": "array", "items": "string"}}),
        ("LoginFailed", "consecutive_failures", {"type": "long", "default": 0}),
        ("SuspiciousLogin", "risk_score", {"type": "double", "default": 0.0}),
        ("PlatformConnected", "scopes", {"type": {"type": "array", "items": "string"}, "default": []}),
        (
            "BlacklistAdded",
            "expires_at",
            {"type": ["null", {"type": "long", "logicalType": "timestamp-micros"}], "default": None},
        ),
        (
            "LoginSucceeded",
            "method",
            {"type": f"{PACKAGE}.AuthenticationMethod", "default": "AUTHENTICATION_METHOD_UNSPECIFIED"},
        ),
    ],
)
def test_a_field_is_written_as_the_mapping_says(record: str, field: str, expected: dict[str, Any]) -> None:
    assert field_of(record, field) == {"name": field, **expected}


def test_a_required_duration_is_a_record_without_loss() -> None:
    window = field_of("BruteForceDetected", "window")["type"]
    assert (window["namespace"], window["name"]) == ("google.protobuf", "Duration")
    assert [(field["name"], field["type"]) for field in window["fields"]] == [
        ("seconds", "long"),
        ("nanos", "int"),
    ]


def test_an_optional_message_may_be_null_and_is_so_by_default() -> None:
    actor = field_of("AuthEvent", "actor")
    assert actor["type"][0] == "null"
    assert actor["type"][1]["name"] == "Actor"
    assert actor["default"] is None


def test_readers_that_know_fewer_symbols_fall_back_on_unspecified() -> None:
    enums = [found for found in named_types(envelope()).values() if found["type"] == "enum"]
    assert enums
    for enum in enums:
        assert enum["default"] == enum["symbols"][0]
        assert enum["default"].endswith("_UNSPECIFIED")
