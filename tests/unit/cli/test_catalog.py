"""auth-events catalog."""

from __future__ import annotations

import json

import pytest

from immersiverse.auth.events import catalog
from immersiverse.auth.events.serialization.json.codec import read_json
from immersiverse.auth.events.serialization.json.schema import schema_text


def test_the_table_has_a_line_for_every_event(auth_events):
    lines = auth_events("catalog").out.splitlines()
    for event_type in catalog.EVENT_TYPES.values():
        (line,) = [line for line in lines if line.startswith(f"{event_type.name} ")]
        assert event_type.topic in line
        assert " else ".join(event_type.partition_key) in line


def test_json_says_all_that_the_contract_says(auth_events):
    document = auth_events("catalog", "--json").document
    assert [each["name"] for each in document] == list(catalog.EVENT_TYPES)
    failed = next(each for each in document if each["name"] == "LoginFailed")
    assert failed["topic"] == "auth.events.login"
    assert failed["partitionKey"] == ["user_id", "attempted_identifier_hash", "ip_address"]
    fields = {field["name"]: field for field in failed["fields"]}
    assert fields["failed_at"]["required"]
    assert not fields["user_id"]["required"]
    assert fields["ip_address"] == {
        "name": "ip_address",
        "jsonName": "ipAddress",
        "type": "string",
        "values": None,
        "required": False,
        "rules": ["ip address"],
        "personalData": "network",
    }
    assert "LOGIN_FAILURE_REASON_RATE_LIMITED" in fields["reason"]["values"]


@pytest.mark.parametrize("name", catalog.EVENT_TYPES)
def test_every_event_has_a_sample_that_is_such_an_event(auth_events, name):
    document = auth_events("catalog", name, "--json").document
    event = read_json(json.dumps(document["sample"]).encode())
    assert event.WhichOneof("payload") == catalog.EVENT_TYPES[name].payload_field


@pytest.mark.parametrize("name", ["LoginFailed", "loginfailed"])
def test_the_json_schema_of_an_event_is_printed_as_it_is(auth_events, name):
    assert auth_events("catalog", name, "--json-schema").document == json.loads(schema_text("LoginFailed"))


def test_the_json_schemas_of_all_events_are_printed_by_their_names(auth_events):
    document = auth_events("catalog", "--json-schema").document
    assert list(document) == list(catalog.EVENT_TYPES)
    assert document["UserDeleted"] == json.loads(schema_text("UserDeleted"))


def test_a_schema_of_no_event_is_refused_like_any_other_question(auth_events):
    assert "did you mean LoginFailed?" in auth_events("catalog", "LoginFaild", "--json-schema").err


@pytest.mark.parametrize("name", ["UserCreated", "usercreated", "immersiverse.auth.events.v1.UserCreated"])
def test_an_event_is_found_by_any_spelling_of_its_name(auth_events, name):
    shown = auth_events("catalog", name).out
    for part in (
        "auth.events.user",
        "created_at",
        "at most 320 characters",
        "required",
        "contact",
        "PASSKEY",
    ):
        assert part in shown
    assert '"eventType": "UserCreated"' in shown


def test_a_misspelt_event_is_answered_with_the_closest(auth_events):
    result = auth_events("catalog", "LoginSuceeded")
    assert result.err == "auth-events: there is no event 'LoginSuceeded'; did you mean LoginSucceeded?\n"
    assert "auth-events catalog lists all" in auth_events("catalog", "xyz").err
