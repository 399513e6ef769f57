"""auth-events encode and decode."""

from __future__ import annotations

import base64
import json

import pytest

from immersiverse.auth.events.serialization.json.codec import write_json
from immersiverse.auth.events.simulation import simulate
from immersiverse.auth.events.v1.events_pb2 import AuthEvent

MINIMAL = (
    '{"eventType":"UserCreated","timestamp":"2025-07-01T09:00:00Z","payload":{"userId":"uuid-1234",'
    '"username":"alice","email":"alice@example.com","createdAt":"2025-07-01T09:00:00Z"}}'
)
NEWER = AuthEvent(event_id="01972f8b-dec2-7937-a5fc-a9c023669676", version=3)
NEWER.timestamp.FromJsonString("2025-07-01T09:00:00Z")
NEWER_FRAME = bytes(6) + NEWER.SerializeToString() + bytes((0xC2, 0x3E, 2, 0x0A, 0))  # field 1000, 2 bytes


@pytest.fixture(scope="module")
def stream():
    return "".join(f"{write_json(event).decode()}\n" for event in simulate(4, 200))


def test_the_specifications_minimal_message_is_taken(auth_events):
    result = auth_events("encode", "--schema-id", "7", stdin=MINIMAL)
    frame = base64.b64decode(result.out)
    assert frame[:6] == b"\0\0\0\0\7\0"
    assert AuthEvent.FromString(frame[6:]).user_created.username == "alice"


def test_json_shows_the_whole_message(auth_events):
    (message,) = auth_events("encode", "--schema-id", "7", "--json", stdin=MINIMAL).lines
    assert (message["topic"], message["key"]) == ("auth.events.user", "uuid-1234")
    assert ["ce_type", "immersiverse.auth.events.v1.UserCreated"] in message["headers"]
    assert base64.b64decode(message["value"])[:6] == b"\0\0\0\0\7\0"


def test_the_topic_can_be_another(auth_events):
    asked = ("--schema-id", "7", "--json", "--topic", "auth.events")
    (message,) = auth_events("encode", *asked, stdin=MINIMAL).lines
    assert message["topic"] == "auth.events"


def test_a_file_is_read_as_standard_input_is(auth_events, tmp_path):
    file = tmp_path / "events.jsonl"
    file.write_text(f"\n{MINIMAL}\n\n")
    result = auth_events("encode", file, "--format", "json")
    assert json.loads(base64.b64decode(result.out))["payload"]["username"] == "alice"


def test_bad_lines_are_named_and_the_others_go_on(auth_events):
    unknown = '{"eventType":"Nope","timestamp":"2025-07-01T09:00:00Z","payload":{}}'
    unnamed = MINIMAL.replace('"username":"alice",', "")
    lines = [MINIMAL, "rubbish", unknown, "", unnamed, "[" * 100_000, MINIMAL]
    result = auth_events("encode", "--schema-id", "7", stdin="\n".join(lines))
    assert result.code == 1
    assert len(result.out.splitlines()) == 2
    errors = result.err.splitlines()
    assert [error.partition(":")[0] for error in errors] == ["line 2", "line 3", "line 5", "line 6"]
    assert errors[1] == "line 3: Nope: is no event type of this contract"
    assert errors[2] == "line 5: UserCreated.username: is required"


@pytest.mark.parametrize("write", [lambda v: v.hex(), lambda v: f"0x{v.hex().upper()}", lambda v: v.hex(" ")])
def test_hexadecimal_is_distinguished_from_base64(auth_events, stream, write):
    first = stream.splitlines()[0]
    frame = base64.b64decode(auth_events("encode", "--schema-id", "1", stdin=first).out)
    for value in (frame, first.encode()):
        assert auth_events("decode", stdin=write(value)).out.strip() == first


def test_json_is_decoded_as_it_stands(auth_events, stream):
    assert auth_events("decode", stdin=stream).out == stream


def test_what_is_no_value_is_named(auth_events):
    result = auth_events("decode", stdin="AAAA\n!!\n7b7d\n5a5a\n")
    assert (result.code, result.out) == (1, "")
    assert [line.partition(":")[0] for line in result.err.splitlines()] == [f"line {n}" for n in (1, 2, 3, 4)]


def test_a_newer_event_is_shown_as_far_as_it_is_known(auth_events):
    result = auth_events("decode", stdin=NEWER_FRAME.hex())
    assert result.code == 0
    assert result.lines == [
        {
            "eventType": "#1000",
            "unknown": True,
            "timestamp": "2025-07-01T09:00:00Z",
            "eventId": "01972f8b-dec2-7937-a5fc-a9c023669676",
            "version": 3,
            "payloadBase64": "CgA=",
        }
    ]


def test_a_newer_event_in_json_is_shown_whole(auth_events):
    newer = '{"eventType":"Newer","timestamp":"2025-07-01T09:00:00Z","eventId":"x","payload":{"a":[1]},'
    (shown,) = auth_events("decode", stdin=f'{newer}"actor":{{"id":"admin-7"}}}}').lines
    assert (shown["eventType"], shown["unknown"], shown["payload"]) == ("Newer", True, {"a": [1]})
    assert shown["actor"]["id"] == "admin-7"


def test_unknown_names_are_refused_unless_they_may_be_left_out(auth_events):
    misspelt = MINIMAL.replace('"username"', '"usernme":"x","username"')
    refused = auth_events("encode", "--format", "json", stdin=f"{MINIMAL}\n{misspelt}")
    assert (refused.code, len(refused.out.splitlines())) == (1, 1)
    assert refused.err == (
        "line 2: UserCreated.payload.usernme: is no field of the contract; did you mean username?\n"
    )
    lenient = auth_events("encode", "--format", "json", "--lenient", stdin=misspelt)
    assert (lenient.code, lenient.err) == (0, "")


@pytest.mark.parametrize("name", ["UserDeleted", "SuspiciousLogin"])
def test_the_names_that_the_catalogue_shows_can_be_pasted(auth_events, name):
    document = auth_events("catalog", name, "--json").document
    shown = auth_events("catalog", name).out
    for field in document["fields"]:
        for value in (field["values"] or [])[1:]:
            assert value in shown
            pasted = [value] if field["type"].startswith("repeated") else value
            document["sample"]["payload"][field["jsonName"]] = pasted
            encoded = auth_events("encode", "--format", "json", stdin=json.dumps(document["sample"]))
            assert (encoded.code, encoded.err) == (0, "")
