"""CloudEvents as other producers write them: structured, binary, with data in base64; batches are refused."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from immersiverse.auth.events.errors import MalformedPayload, UnknownFormat
from immersiverse.auth.events.serialization.deserializer import AuthEventDeserializer
from immersiverse.auth.events.serialization.unknown import UnknownEvent
from immersiverse.auth.events.v1 import events_pb2 as v1
from serialization_samples import EVENT_ID, TIME

CLOUD = {
    "specversion": "1.0",
    "id": EVENT_ID,
    "source": "/idp",
    "type": "immersiverse.auth.events.v1.LoggedOut",
    "time": TIME.ToJsonString(),
    "datacontenttype": "application/json",
    "data": {"userId": "u-42"},
}
HEADERS = [(f"ce_{name}", str(value).encode()) for name, value in CLOUD.items() if "data" not in name]
EVENT = v1.AuthEvent(
    event_id=EVENT_ID, timestamp=TIME, source="/idp", logged_out=v1.LoggedOut(user_id="u-42")
)

read = AuthEventDeserializer().deserialize


def structured(**changes: Any) -> bytes:
    document = {**CLOUD, **changes}
    return json.dumps({name: value for name, value in document.items() if value is not None}).encode()


def test_a_structured_event_may_have_no_time() -> None:
    event = read(structured(time=None))
    assert isinstance(event, v1.AuthEvent)
    assert not event.HasField("timestamp")
    assert event.logged_out == EVENT.logged_out


@pytest.mark.parametrize("media_type", [None, "application/json", "text/json; charset=utf-8", "a/b+json"])
def test_data_may_be_json_in_base64(media_type: str | None) -> None:
    data = base64.b64encode(b'{"userId": "u-42"}').decode()
    assert read(structured(data=None, data_base64=data, datacontenttype=media_type)) == EVENT


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"data_base64": "e30="}, "data_base64"),
        ({"data": None, "data_base64": "!"}, "data_base64"),
        ({"data": None, "data_base64": 7}, "data_base64"),
        ({"data": None, "data_base64": "W10="}, "data_base64"),
        ({"data": None, "data_base64": "e30=", "datacontenttype": "application/protobuf"}, "datacontenttype"),
        ({"data": None}, "payload"),
        ({"specversion": "0.3"}, "specversion"),
    ],
)
def test_other_data_is_malformed_by_the_name_of_its_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(MalformedPayload) as refused:
        read(structured(**changes))
    assert refused.value.field == field


@pytest.mark.parametrize("value", [b"[]", b" [", json.dumps([CLOUD, CLOUD]).encode()])
def test_a_batch_is_refused_by_name(value: bytes) -> None:
    with pytest.raises(UnknownFormat, match="batches of CloudEvents"):
        read(value)


@pytest.mark.parametrize("as_dict", [False, True])
def test_in_binary_mode_the_value_is_the_payload(as_dict: bool) -> None:
    headers = [*HEADERS, ("content-type", b"application/json")]
    assert read(b'{"userId": "u-42"}', headers=dict(headers) if as_dict else headers) == EVENT


def test_in_binary_mode_there_may_be_no_time_and_extensions_are_the_envelopes_fields() -> None:
    headers = [(name, value) for name, value in HEADERS if name != "ce_time"]
    event = read(b'{"userId": "u-42"}', headers=[*headers, ("ce_version", b"7")])
    assert isinstance(event, v1.AuthEvent)
    assert (event.version, event.HasField("timestamp")) == (7, False)


def test_a_type_that_the_contract_does_not_know_is_unknown_in_binary_mode() -> None:
    headers = [*HEADERS, ("ce_type", b"com.example.Thing")]
    event = read(b'{"n": 123456789012345678901234567890}', headers=headers)
    assert isinstance(event, UnknownEvent)
    assert (event.event_type, event.read()) == (
        "com.example.Thing",
        {"n": 123_456_789_012_345_678_901_234_567_890},
    )


def test_headers_do_not_change_a_message_in_the_specifications_form() -> None:
    value = json.dumps(
        {"eventType": "LoggedOut", "timestamp": TIME.ToJsonString(), "eventId": EVENT_ID, "source": "/idp",
         "payload": {"userId": "u-42"}}
    ).encode()  # fmt: skip
    assert read(value, headers=[("ce_specversion", b"1.0"), ("ce_type", b"UserDeleted")]) == EVENT


@pytest.mark.parametrize(
    "headers", [[], [("ce_type", b"LoggedOut")], [("ce_specversion", b"1.0")], [("ce_specversion", None)]]
)
def test_a_payload_alone_is_none_without_the_attributes(headers: list[tuple[str, Any]]) -> None:
    with pytest.raises(MalformedPayload, match="eventType: is missing"):
        read(b'{"userId": "u-42"}', headers=headers)


def test_an_attribute_that_is_not_text_is_malformed() -> None:
    with pytest.raises(MalformedPayload, match="not UTF-8"):
        read(b"{}", headers=[*HEADERS, ("ce_subject", b"\xff")])
