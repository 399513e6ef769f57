"""The JSON Schemas of events take every message that is one, and refuse what is none."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

import strategies
from golden.corpus.cases import cases
from golden.corpus.release import releases
from golden.test_specification import SAMPLES
from immersiverse.auth.events import catalog
from immersiverse.auth.events.events import event_type_of
from immersiverse.auth.events.serialization.json.codec import read_json, write_json
from immersiverse.auth.events.serialization.json.schema import schema_text
from immersiverse.auth.events.simulation import simulate
from immersiverse.auth.events.v1 import events_pb2 as v1
from serialization_samples import CREATED, TIME, minimal_json

DOCUMENT: dict[str, Any] = json.loads(write_json(CREATED))
LOCKED = v1.AuthEvent(
    timestamp=TIME,
    login_failed=v1.LoginFailed(user_id="u", failed_at=TIME, reason=v1.LOGIN_FAILURE_REASON_RATE_LIMITED),
)
FAILED: dict[str, Any] = json.loads(write_json(LOCKED))


@cache
def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads(schema_text(name)))


def faults(document: dict[str, Any]) -> list[str]:
    """Where a message breaks its event's schema."""
    return [error.json_path for error in validator(document["eventType"]).iter_errors(document)]


@pytest.mark.parametrize("name", catalog.EVENT_TYPES)
def test_every_event_has_a_schema_that_is_one(name: str) -> None:
    schema = json.loads(schema_text(name))
    Draft202012Validator.check_schema(schema)
    assert schema_text(name) == json.dumps(schema, separators=(",", ":"))
    assert schema["title"] == name


@given(strategies.events(), st.booleans())
def test_every_valid_event_is_taken_in_both_forms(event: v1.AuthEvent, minimal: bool) -> None:
    assert faults(json.loads((minimal_json if minimal else write_json)(event))) == []


def test_every_simulated_message_is_taken() -> None:
    events = list(simulate(11, 3_000))
    assert {event_type_of(event).name for event in events} == set(catalog.EVENT_TYPES)
    assert {fault for event in events for fault in faults(json.loads(write_json(event)))} == set()


@pytest.mark.parametrize("document", [sample[0] for sample in SAMPLES])
def test_the_specifications_messages_are_taken(document: Any) -> None:
    assert faults(document) == []


def test_what_every_release_wrote_is_taken_and_so_are_the_boundaries_of_today() -> None:
    texts = [case.forms.json for release in releases() for case in release.cases()]
    assert texts
    texts += [write_json(case.event) for case in cases()]
    assert {fault for text in texts for fault in faults(json.loads(text))} == set()


def test_a_newer_event_is_taken() -> None:
    payload = {**FAILED["payload"], "reason": "LOGIN_FAILURE_REASON_OF_TOMORROW", "moonPhase": 3}
    assert faults({**FAILED, "payload": payload, "traceId": "t"}) == []
    assert faults({**FAILED, "payload": {**payload, "reason": 4711}}) == []


@pytest.mark.parametrize("version", [7, "7", (1 << 63) - 1, str((1 << 63) - 1)])
def test_a_version_is_a_number_or_digits_as_the_decoder_reads_it(version: Any) -> None:
    assert faults({**DOCUMENT, "version": version}) == []
    assert isinstance(read_json(json.dumps({**DOCUMENT, "version": version}).encode()), v1.AuthEvent)


@pytest.mark.parametrize("field", ["timestamp", "payload"])
def test_the_specifications_fields_are_missed(field: str) -> None:
    assert faults({name: value for name, value in DOCUMENT.items() if name != field}) == ["$"]


def test_an_event_of_another_type_is_refused() -> None:
    assert list(validator("UserCreated").iter_errors({**DOCUMENT, "eventType": "UserDeleted"}))
    nameless = {name: value for name, value in DOCUMENT.items() if name != "eventType"}
    assert list(validator("UserCreated").iter_errors(nameless))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("timestamp", 1_748_772_930),
        ("payload", []),
        ("eventId", "4711"),
        ("eventId", ""),
        ("source", "not a uri"),
        ("source", "/" * 2_049),
        ("version", -1),
        ("version", 1.5),
        ("version", "seven"),
        ("actor", "me"),
    ],
)
def test_a_wrong_envelope_is_refused_where_it_is_wrong(field: str, value: Any) -> None:
    assert set(faults({**DOCUMENT, field: value})) == {f"$.{field}"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("userId", 1),
        ("userId", ""),
        ("userId", "u" * 256),
        ("username", None),
        ("email", "no-at-sign"),
        ("createdAt", 5),
        ("method", True),
        ("method", 1.5),
    ],
)
def test_a_wrong_payload_is_refused_where_it_is_wrong(field: str, value: Any) -> None:
    payload = {**DOCUMENT["payload"], field: value}
    assert set(faults({**DOCUMENT, "payload": payload})) == {f"$.payload.{field}"}


@pytest.mark.parametrize(
    ("name", "payload", "path"),
    [
        ("LoginFailed", {"consecutiveFailures": -1}, "$.payload.consecutiveFailures"),
        ("LoginFailed", {"consecutiveFailures": 1 << 32}, "$.payload.consecutiveFailures"),
        ("LoginFailed", {"ipAddress": "localhost"}, "$.payload.ipAddress"),
        ("LoginFailed", {"attemptedIdentifierHash": "0xAF"}, "$.payload.attemptedIdentifierHash"),
        ("SuspiciousLogin", {"riskScore": 1.5}, "$.payload.riskScore"),
        ("SuspiciousLogin", {"riskScore": "NaN"}, "$.payload.riskScore"),
        ("SuspiciousLogin", {"signals": []}, "$.payload.signals"),
        ("BruteForceDetected", {"window": "5 minutes"}, "$.payload.window"),
        ("SessionRevoked", {"sessionIds": ["s"] * 101}, "$.payload.sessionIds"),
        ("SessionRevoked", {"sessionIds": [1]}, "$.payload.sessionIds[0]"),
    ],
)
def test_limits_and_forms_of_the_contract_are_kept(name: str, payload: dict[str, Any], path: str) -> None:
    document = {"eventType": name, "timestamp": TIME.ToJsonString(), "payload": payload}
    assert path in faults(document)


def test_a_missing_required_field_is_reported() -> None:
    payload = {name: value for name, value in DOCUMENT["payload"].items() if name != "userId"}
    assert faults({**DOCUMENT, "payload": payload}) == ["$.payload"]
    assert faults({**DOCUMENT, "actor": {"id": "u"}}) == ["$.actor"]


def test_personal_data_bears_its_class() -> None:
    payload = json.loads(schema_text("UserCreated"))["properties"]["payload"]["properties"]
    assert payload["email"]["x-personal-data"] == "contact"
    assert payload["userId"]["x-personal-data"] == "pseudonym"
    assert "x-personal-data" not in payload["createdAt"]


def test_known_names_of_an_enum_are_its_examples() -> None:
    payload = json.loads(schema_text("LoginFailed"))["properties"]["payload"]["properties"]
    assert payload["reason"]["examples"] == list(v1.LoginFailureReason.keys())
