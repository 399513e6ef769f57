"""Bytes that no honest writer sends."""

from __future__ import annotations

import json
import time
import tracemalloc
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from immersiverse.auth.events.errors import MalformedPayload, WrongSchema
from immersiverse.auth.events.serialization.avro import encoder, reader, schema_text
from immersiverse.auth.events.serialization.schemas import WriterSchema
from immersiverse.auth.events.serialization.unknown import Decoded
from immersiverse.auth.events.v1 import events_pb2 as v1


def write_long(number: int) -> bytes:
    """An int or long: zigzag, seven bits a byte, the lowest first."""
    number = (number << 1 ^ number >> 63) & (1 << 64) - 1
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes((*out, number))


def write_text(value: str) -> bytes:
    return write_long(len(value.encode())) + value.encode()


TIME = Timestamp(seconds=1_748_772_930)
EVENT = v1.AuthEvent(
    event_id="01972b2c-9a3b-7c4d-8e5f-0123456789ab",
    timestamp=TIME,
    source="/services/auth",
    version=7,
    actor=v1.Actor(kind=v1.ACTOR_KIND_SYSTEM, id="rule"),
    suspicious_login=v1.SuspiciousLogin(
        user_id="u", detected_at=TIME, signals=[v1.SUSPICIOUS_SIGNAL_AUTOMATION] * 3, risk_score=0.5
    ),
)
VALID = encoder()(EVENT)
HEAD = write_text("id") + write_long(1) + write_text("/s") + write_long(1)  # the envelope up to its actor
PAYLOADS = next(each["type"] for each in json.loads(schema_text())["fields"] if each["name"] == "payload")
BRANCHES = [branch["name"] for branch in PAYLOADS]
NO_ACTOR = write_long(0)
CONNECTED = write_long(BRANCHES.index("PlatformConnected"))
HUGE = write_long(1 << 62)

decode = reader(None, 1)


def test_these_bytes_are_valid_before_anything_is_done_to_them() -> None:
    assert decode(VALID) == EVENT


@pytest.mark.parametrize("length", range(len(VALID)))
def test_a_truncated_event_is_malformed(length: int) -> None:
    with pytest.raises(MalformedPayload):
        decode(VALID[:length])


@pytest.mark.parametrize("more", [b"\x00", VALID])
def test_bytes_after_the_event_are_malformed(more: bytes) -> None:
    with pytest.raises(MalformedPayload, match=f"{len(more)} bytes follow the event"):
        decode(VALID + more)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(HEAD + NO_ACTOR + write_long(99), id="a payload branch beyond the union"),
        pytest.param(HEAD + write_long(2), id="a branch beyond null and actor"),
        pytest.param(HEAD + write_long(1) + write_long(5) + write_text("x"), id="a symbol beyond the enum"),
        pytest.param(write_long(-1) + VALID, id="a negative length"),
        pytest.param(HUGE + VALID, id="a length of exabytes"),
        pytest.param(write_long(2) + b"\xff\xfe" + VALID[37:], id="text that is not UTF-8"),
        pytest.param(b"\x80" * 10_000 + b"\x02" + VALID, id="a length of more than 64 bits"),
        pytest.param(b"\xff" * 1000, id="a number without an end"),
        pytest.param(b"", id="nothing"),
        pytest.param(
            HEAD + NO_ACTOR + CONNECTED + write_text("u") * 3 + write_long(1) + HUGE + write_text("x"),
            id="an array of more items than there are bytes",
        ),
        pytest.param(
            HEAD + NO_ACTOR + CONNECTED + write_text("u") * 3 + write_long(1) + write_long(-(1 << 62)) + HUGE,
            id="a sized block of more items than there are bytes",
        ),
    ],
)
def test_it_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedPayload):
        decode(data)


@pytest.mark.parametrize(
    "micros", [253_402_300_800_000_000, -62_135_596_800_000_001, (1 << 63) - 1, -(1 << 63)]
)
def test_a_time_outside_the_years_1_to_9999_is_malformed(micros: int) -> None:
    with pytest.raises(MalformedPayload, match="OverflowError"):
        decode(write_text("id") + write_long(micros) + VALID[45:])


def test_arrays_in_blocks_with_sizes_are_valid() -> None:
    scopes = (
        write_long(-2) + write_long(4) + write_text("a") + write_text("b") + write_long(1) + write_text("c")
    )
    found = decode(HEAD + NO_ACTOR + CONNECTED + write_text("u") * 3 + write_long(1) + scopes + write_long(0))
    assert isinstance(found, v1.AuthEvent)
    assert list(found.platform_connected.scopes) == ["a", "b", "c"]


def with_schema(extra: Any, data: bytes) -> Decoded:
    """What is read of a writer whose envelope begins with one more field."""
    schema = json.loads(schema_text())
    schema["fields"].insert(0, {"name": "extra", "type": extra})
    return reader(WriterSchema("AVRO", text=json.dumps(schema)), 1)(data + VALID)


@pytest.mark.parametrize(
    "items",
    [
        "null",
        {"type": "record", "name": "Empty", "fields": []},
        {"type": "fixed", "name": "Nothing", "size": 0},
        {"type": "record", "name": "Nulls", "fields": [{"name": "a", "type": "null"}]},
    ],
)
def test_an_array_of_items_without_bytes_cannot_be_endless(items: Any) -> None:
    with pytest.raises(WrongSchema, match="takes no bytes"):
        with_schema({"type": "array", "items": items}, HUGE)


FREE: dict[str, Any] = {
    "null": lambda _: "null",
    "fixed": lambda number: {"type": "fixed", "name": f"Fixed{number}", "size": 0},
    "record": lambda number: {"type": "record", "name": f"Empty{number}", "fields": []},
}


def costly(count: int, free: Any) -> dict[str, Any]:
    """A record of one byte, and so many values without any."""
    fields = [{"name": f"f{number}", "type": free(number)} for number in range(count)]
    boolean = {"name": "boolean", "type": "boolean"}
    return {"type": "record", "name": "Costly", "fields": [boolean, *fields]}


def inside(schema: dict[str, Any], levels: int) -> dict[str, Any]:
    """A record in records."""
    for level in range(levels):
        schema = {"type": "record", "name": f"Level{level}", "fields": [{"name": "f", "type": schema}]}
    return schema


@pytest.mark.parametrize("free", FREE.values(), ids=FREE)
def test_a_schema_that_lets_a_byte_stand_for_many_values_is_refused(free: Any) -> None:
    for schema in (costly(30, free), inside(costly(5, free), 10), ["null", costly(30, free)]):
        with pytest.raises(WrongSchema, match="takes no bytes"):
            with_schema({"type": "array", "items": schema}, write_long(0))


@pytest.mark.parametrize("free", FREE.values(), ids=FREE)
def test_a_union_may_hold_values_without_bytes_since_its_position_is_one(free: Any) -> None:
    assert with_schema({"type": "array", "items": [free(0), "string"]}, write_long(0)) == EVENT


def test_a_schema_with_many_values_and_their_bytes_is_read() -> None:
    fields = [{"name": f"f{number}", "type": "boolean"} for number in range(1_000)]
    assert with_schema({"type": "record", "name": "Wide", "fields": fields}, bytes(1_000)) == EVENT


def test_a_record_in_a_record_thousands_deep_does_not_overflow_the_stack() -> None:
    chain = {"type": "record", "name": "Chain", "fields": [{"name": "next", "type": ["null", "Chain"]}]}
    with pytest.raises(WrongSchema, match="Chain contains itself"):
        with_schema(chain, write_long(1) * 1_000_000)


def test_a_fixed_of_a_negative_size_is_refused() -> None:
    with pytest.raises(WrongSchema, match="takes no bytes"):
        with_schema({"type": "fixed", "name": "Negative", "size": -5}, b"")


def test_an_announced_length_allocates_nothing() -> None:
    hostile = HEAD + NO_ACTOR + CONNECTED + write_text("u") * 3 + write_long(1) + HUGE + HUGE
    tracemalloc.start()
    try:
        with pytest.raises(MalformedPayload):
            decode(hostile)
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


def test_what_is_read_takes_memory_in_proportion_to_its_size() -> None:
    event = v1.AuthEvent(timestamp=TIME, platform_connected=v1.PlatformConnected(connected_at=TIME))
    event.platform_connected.scopes.extend([""] * 100_000)
    data = encoder()(event)
    tracemalloc.start()
    try:
        assert decode(data) == event
        assert tracemalloc.get_traced_memory()[1] < 100 * len(data)
    finally:
        tracemalloc.stop()


def test_time_grows_with_size_and_not_with_its_square() -> None:
    event = v1.AuthEvent(
        timestamp=TIME,
        brute_force_detected=v1.BruteForceDetected(detected_at=TIME, window=Duration(seconds=1)),
    )
    blocks = (write_long(1) + write_text("")) * 200_000 + write_long(0)
    start = time.process_time()
    found = with_schema({"type": "array", "items": "string"}, blocks)
    assert found == EVENT
    assert decode(encoder()(event)) == event
    assert time.process_time() - start < 20
