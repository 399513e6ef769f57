"""What no honest producer sends: each gets a DecodeError, and none takes memory out of proportion."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest

from immersiverse.auth.events import AuthEventDeserializer, AuthEventSerializer, PinnedSchemas
from immersiverse.auth.events.errors import (
    DecodeError,
    MalformedFrame,
    MalformedPayload,
    UnknownFormat,
    UnknownSchemaId,
    WrongSchema,
)
from immersiverse.auth.events.serialization.json.codec import write_json
from serialization_samples import CREATED

SCHEMAS = PinnedSchemas(protobuf=1, avro=2)
PREFIX = bytes.fromhex("00 00000001 00")
FRAME = PREFIX + CREATED.SerializeToString()
JSON = write_json(CREATED)


def json_with(place: str, text: str) -> bytes:
    """The sample as JSON, with raw text for the value of a field of its payload or of its own."""
    document = json.loads(JSON)
    (document["payload"] if place in document["payload"] else document)[place] = "HERE"
    return json.dumps(document).replace('"HERE"', text).encode()


HOSTILE: list[tuple[str, bytes, type[DecodeError]]] = [
    ("empty value", b"", MalformedFrame),
    ("magic byte alone", FRAME[:1], MalformedFrame),
    ("truncated schema id", FRAME[:4], MalformedFrame),
    ("no message index", FRAME[:5], MalformedFrame),
    ("no payload", FRAME[:6], MalformedPayload),
    ("truncated payload", FRAME[:-1], MalformedPayload),
    ("over-long payload", FRAME + b"\xff", MalformedPayload),
    ("over-long index", FRAME[:5] + b"\x80" * 5 + b"\x00", MalformedFrame),
    ("index varint past its end", FRAME[:5] + b"\xff", MalformedFrame),
    ("a billion indexes", FRAME[:5] + b"\xfe\xff\xff\xff\x0f", MalformedFrame),
    ("wrong message index", FRAME[:5] + b"\x02\x02" + FRAME[6:], WrongSchema),
    ("wrong magic byte", b"\x01" + FRAME[1:], UnknownFormat),
    ("unknown schema id", b"\x00\xff\xff\xff\xff" + FRAME[5:], UnknownSchemaId),
    ("Protobuf under the id of Avro", b"\x00\x00\x00\x00\x02" + FRAME[5:], MalformedPayload),
    ("payload varint past its end", PREFIX + b"\x20" + b"\xff" * 11, MalformedPayload),
    ("payload of a length past its end", PREFIX + b"\x0a\xff\xff\xff\xff\x07", MalformedPayload),
    ("field number zero", PREFIX + b"\x00\x00", MalformedPayload),
    ("invalid wire type", PREFIX + b"\x0f", MalformedPayload),
    ("group without an end", PREFIX + b"\xc3\x3e" * 200, MalformedPayload),
    ("groups 10,000 deep", PREFIX + b"\xc3\x3e" * 10_000 + b"\xc4\x3e" * 10_000, MalformedPayload),
    ("invalid UTF-8 in Protobuf", FRAME.replace(b"u-42", b"\xff\xfe\xff\xfe"), MalformedPayload),
    ("surrogates in Protobuf", FRAME.replace(b"u-42", b"\xed\xa0\x80-"), MalformedPayload),
    ("invalid UTF-8 in JSON", JSON.replace(b"u-42", b"\xff\xfe\xff\xfe"), MalformedPayload),
    ("lone surrogate in JSON", JSON.replace(b"u-42", b"\\ud800"), MalformedPayload),
    ("JSON that stops", JSON[:-1], MalformedPayload),
    ("JSON and more", JSON + b"{}", MalformedPayload),
    ("JSON array", b"[" + JSON + b"]", UnknownFormat),
    ("JSON string", b'"' + JSON + b'"', UnknownFormat),
    ("empty JSON object", b"{}", MalformedPayload),
    ("NaN in JSON", json_with("version", "NaN"), MalformedPayload),
    ("infinity in JSON", json_with("version", "-Infinity"), MalformedPayload),
    ("number past a double's range", json_with("version", "1e400"), MalformedPayload),
    ("number past 64 bits", json_with("version", "18446744073709551616"), MalformedPayload),
    ("number of a million digits", json_with("version", "9" * 1_000_000), MalformedPayload),
    ("digits past what Python converts", json_with("version", f'"{"9" * 5_000}"'), MalformedPayload),
    ("number in a text field", json_with("userId", "42"), MalformedPayload),
    ("object in a text field", json_with("userId", '{"$ne": null}'), MalformedPayload),
    ("lists 10,000 deep", json_with("userId", "[" * 10_000 + "]" * 10_000), MalformedPayload),
    ("objects 10,000 deep", b'{"a":' * 10_000 + b"1" + b"}" * 10_000, MalformedPayload),
    ("no event type", json_with("eventType", "null"), MalformedPayload),
    ("no payload in JSON", json_with("payload", "null"), MalformedPayload),
    ("time past the calendar", json_with("createdAt", '"10000-01-01T00:00:00Z"'), MalformedPayload),
]


@pytest.mark.parametrize(
    ("value", "expected"), [case[1:] for case in HOSTILE], ids=[case[0] for case in HOSTILE]
)
def test_hostile_bytes_are_refused(value: bytes, expected: type[DecodeError]) -> None:
    read = AuthEventDeserializer(SCHEMAS)
    assert read(FRAME) == CREATED  # so that the way of known schemas refuses too
    with pytest.raises(expected):
        read(value)
    with pytest.raises(expected):
        read.deserialize(value, headers=[], key=b"k")


@pytest.mark.parametrize("end", range(len(FRAME)))
def test_a_frame_cut_anywhere_is_no_event_or_a_shorter_one(end: int) -> None:
    read = AuthEventDeserializer(SCHEMAS)
    try:
        event = read(FRAME[:end])
    except DecodeError:
        return
    assert event != CREATED


@pytest.mark.parametrize("format", ["avro", "json"])
def test_other_formats_cut_anywhere_are_no_event(format: Any) -> None:  # noqa: A002 - its name
    value = AuthEventSerializer(SCHEMAS, format=format)(CREATED)
    assert value is not None
    for end in range(len(value)):
        with pytest.raises(DecodeError):
            AuthEventDeserializer(SCHEMAS)(value[:end])


@pytest.mark.parametrize("value", [case[1] for case in HOSTILE], ids=[case[0] for case in HOSTILE])
def test_hostile_bytes_take_no_memory_out_of_proportion(value: bytes) -> None:
    read = AuthEventDeserializer(SCHEMAS)
    with pytest.raises(DecodeError):
        read(value)  # what is made once is made now
    tracemalloc.start()
    try:
        with pytest.raises(DecodeError):
            read(value)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 50_000 + 100 * len(value)


def test_a_json_bomb_of_empty_lists_costs_what_it_weighs() -> None:
    value = json_with("email", "[" + "[]," * 300_000 + "[]]")
    tracemalloc.start()
    try:
        with pytest.raises(MalformedPayload, match="a list"):
            AuthEventDeserializer(SCHEMAS)(value)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 50 * len(value)
