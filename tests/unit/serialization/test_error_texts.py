"""What an error says of an event: where it is broken, never what stands there, and not without end."""

from __future__ import annotations

import json
import traceback
from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.field_mask_pb2 import FieldMask

from immersiverse.auth.events import catalog, new_event
from immersiverse.auth.events.errors import (
    AuthEventsError,
    DecodeError,
    InvalidEvent,
    MalformedPayload,
    WrongSchema,
)
from immersiverse.auth.events.kafka.dead_letters import MAX_TEXT, dead_letter_headers
from immersiverse.auth.events.printable import MAX_ERROR_TEXT, error_text
from immersiverse.auth.events.serialization.avro import encoder, reader
from immersiverse.auth.events.serialization.deserializer import AuthEventDeserializer
from immersiverse.auth.events.serialization.json.codec import write_json
from immersiverse.auth.events.serialization.unknown import UnknownEvent
from immersiverse.auth.events.v1.events_pb2 import AuthEvent, UserUpdated
from scheduling import record
from serialization_samples import TIME

TEXT, NUMBER = "Canary", 31415926535897932384626  # a number that is no field's
NOW = "2025-06-01T10:15:30Z"
BROKEN = [
    TEXT, f"{TEXT}_x", f"{TEXT}.\x1b", f"{TEXT}s", f"{TEXT}@", f"-{NUMBER}", str(NUMBER),
    f"2025-06-01T10:15:{TEXT}", f"2025-06-01T10:15:30.{TEXT}Z", f"2025-06-01T10:15:30{TEXT}",
    f"{TEXT}01T10:15:30Z", "2025-31-41T10:15:30Z", "2025-06-01T31:41:59Z",
    NUMBER, -NUMBER, float(NUMBER), 3.14159265, True, [TEXT], [[TEXT]], [{TEXT: TEXT}],
    {TEXT: TEXT}, {TEXT: [NUMBER]}, {"seconds": TEXT}, {"paths": [TEXT]},
]  # fmt: skip
SECRETS = (TEXT.lower(), "_c_anary", str(NUMBER), "3.14159265", "3.1415926535897932e+22", "31:41", "31-41")


def texts(error: BaseException) -> Iterator[str]:
    """All that a log or a dead letter may show of an error."""
    yield from (str(error), repr(error), error_text(error))
    yield "".join(line for line in traceback.format_exception(error) if not line.startswith("  File"))
    yield from (str(value) for _, value in dead_letter_headers(record(0), error, 1, "group"))
    if isinstance(error, MalformedPayload):
        yield from (error.reason, error.field)


def assert_tells_nothing(error: BaseException) -> None:
    for text in texts(error):
        assert not [secret for secret in SECRETS if secret in text.lower()], text
        assert len(text) <= MAX_TEXT + 10
    assert len(str(error)) <= MAX_ERROR_TEXT + 50


def fields(descriptor: Descriptor, depth: int = 0) -> Iterator[tuple[str, ...]]:
    """The JSON paths of all fields of a message type."""
    for field in descriptor.fields:
        yield (field.json_name,)
        if field.message_type and depth < 2:
            yield from ((field.json_name, *rest) for rest in fields(field.message_type, depth + 1))


def nested(path: tuple[str, ...], value: Any) -> Any:
    return value if not path else {path[0]: nested(path[1:], value)}


def read(value: bytes) -> bool:
    """Whether a value is an event; an error that it raises must not say what stands in it."""
    try:
        event = AuthEventDeserializer().deserialize(value)
        if isinstance(event, UnknownEvent):
            event.read()
    except AuthEventsError as error:
        assert_tells_nothing(error)
        return False
    return True


@pytest.mark.parametrize("event_type", catalog.EVENT_TYPES.values(), ids=lambda event_type: event_type.name)
def test_no_field_of_a_broken_json_payload_is_quoted(event_type: catalog.EventType) -> None:
    unread = 0
    for path in fields(event_type.message.DESCRIPTOR):
        for broken in BROKEN:
            document = {"eventType": event_type.name, "timestamp": NOW, "payload": nested(path, broken)}
            unread += not read(json.dumps(document).encode())
    assert unread > len(BROKEN)


def test_no_field_of_a_broken_json_envelope_is_quoted() -> None:
    names = [path for path in fields(AuthEvent.DESCRIPTOR) if path[0] not in catalog.BY_PAYLOAD_FIELD]
    for path in [*names, ("eventType",), ("payload",), ("specversion",), ("type",), ("data",)]:
        for broken in BROKEN:
            whole = {"eventType": "LoggedOut", "timestamp": NOW, "payload": {}, **nested(path, broken)}
            cloud = {
                "specversion": "1.0",
                "type": "LoggedOut",
                "time": NOW,
                "data": {},
                **nested(path, broken),
            }
            if path != ("eventType",):  # it is what an unknown event is called
                read(json.dumps(whole).encode())
            read(json.dumps(cloud).encode())


@pytest.mark.parametrize(
    "form", ['{"a": "Canary', "{Canary}", '{"Canary": 31415926535897932384626', '{"a": \\Canary}']
)
def test_json_that_is_none_is_not_quoted(form: str) -> None:
    assert not read(form.encode())


@pytest.mark.parametrize("event_type", catalog.EVENT_TYPES.values(), ids=lambda event_type: event_type.name)
def test_no_field_of_a_broken_protobuf_payload_is_quoted(event_type: catalog.EventType) -> None:
    unread = 0
    for field in event_type.message.DESCRIPTOR.fields:
        for broken in broken_fields(field):
            for payload in (broken, broken[:-1]):
                event = delimited(event_type.number, payload)
                for value in (
                    event,
                    event[:-1],
                    delimited(event_type.number, payload + b"\x0f" + TEXT.encode()),
                ):
                    unread += not read(b"\x00\x00\x00\x00\x01\x00" + value)
    assert unread


def broken_fields(field: FieldDescriptor) -> Iterator[bytes]:
    """A field with bytes that are no text, of another wire type, and longer than they are."""
    content = b"\xff" + TEXT.encode()
    yield delimited(field.number, content)
    yield varint(field.number << 3 | 7) + content
    yield varint(field.number << 3 | 1) + TEXT.encode()
    yield varint(field.number << 3 | 2) + varint(1 << 20) + content


def delimited(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def varint(number: int) -> bytes:
    out = b""
    while number > 127:
        out += bytes((number & 127 | 128,))
        number >>= 7
    return out + bytes((number,))


@pytest.mark.parametrize(
    "value", [b"Canary", b"\x00Can", b"\x00\x00\x00\x00\x01Canary", b"31415926535897932384626"]
)
def test_a_value_of_no_format_is_not_quoted(value: bytes) -> None:
    with pytest.raises(DecodeError) as refused:
        AuthEventDeserializer().deserialize(value)
    assert value[-3:].hex() not in str(refused.value)
    assert_tells_nothing(refused.value)


def fill(message: Any) -> None:
    """Set every field that stands alone."""
    for field in message.DESCRIPTOR.fields:
        if field.is_repeated or (field.containing_oneof and not field.has_presence):
            continue
        if field.message_type is None:
            setattr(message, field.name, TEXT if field.type == FieldDescriptor.TYPE_STRING else 1)
        elif field.message_type.full_name == "google.protobuf.FieldMask":
            getattr(message, field.name).paths.append(TEXT)
        elif field.message_type.name in {"Timestamp", "Duration"}:
            getattr(message, field.name).seconds = 1


@pytest.mark.parametrize("event_type", catalog.EVENT_TYPES.values(), ids=lambda event_type: event_type.name)
def test_no_field_of_a_broken_avro_event_is_quoted(event_type: catalog.EventType) -> None:
    event = AuthEvent(event_id=TEXT, timestamp=TIME, source=TEXT)
    fill(getattr(event, event_type.payload_field))
    valid = encoder()(event)
    assert TEXT.encode() in valid
    decode, unread = reader(None, 1), 0
    for at in range(0, len(valid), 4):  # each costs three stack traces
        for broken in (valid[:at], valid[:at] + b"\xff" + valid[at + 1 :], valid[:at] + valid[at + 1 :]):
            try:
                decode(broken)
            except DecodeError as error:
                unread += 1
                assert_tells_nothing(error)
    assert unread


@pytest.mark.parametrize("value", [b"Canary", b"\x00Canary", b"\x01Canary", b"\x02" + b"Canary" * 100])
def test_a_header_that_names_no_schema_is_not_quoted(value: bytes) -> None:
    with pytest.raises(DecodeError) as refused:
        AuthEventDeserializer().deserialize(b"x", headers=[("__value_schema_id", value)])
    assert value[1:4].hex() not in str(refused.value)
    assert_tells_nothing(refused.value)


def test_a_mask_that_json_cannot_say_is_not_quoted() -> None:
    payload = UserUpdated(user_id="u", changed_fields=FieldMask(paths=["Canary_X"]), updated_at=TIME)
    with pytest.raises(InvalidEvent, match=r"path 1 is not a field of UserUpdated") as refused:
        write_json(new_event(payload, source="/services/auth"))
    assert_tells_nothing(refused.value)


@pytest.mark.parametrize(
    "given", [{"version": TEXT}, {"event_id": [TEXT]}, {"actor": TEXT}, {"version": NUMBER}]
)
def test_what_an_envelope_cannot_hold_is_named_and_not_quoted(given: dict[str, Any]) -> None:
    payload = UserUpdated(user_id="u", changed_fields=FieldMask(paths=["email"]), updated_at=TIME)
    with pytest.raises(InvalidEvent) as refused:
        new_event(payload, source="/services/auth", **given)
    assert refused.value.field in given
    assert_tells_nothing(refused.value)


@pytest.mark.parametrize(
    "error",
    [
        MalformedPayload("x" * 1_000_000, "y" * 1_000_000),
        WrongSchema(1, "x" * 1_000_000),
        DecodeError("x" * 1_000_000),
        InvalidEvent("x" * 1_000_000, "y", "z"),
        ValueError("x" * 1_000_000),
    ],
)
def test_no_error_is_shown_without_end(error: Exception) -> None:
    assert len(error_text(error)) < MAX_ERROR_TEXT + 50
    if isinstance(error, AuthEventsError):
        assert len(str(error)) < MAX_ERROR_TEXT + 50
    assert sum(len(value or b"") for _, value in dead_letter_headers(record(0), error, 1, "g")) < 3 * MAX_TEXT
