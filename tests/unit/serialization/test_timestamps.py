"""Times and durations as text, equal to what Protobuf's own classes say."""

from __future__ import annotations

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

import strategies
from immersiverse.auth.events.serialization.json.times import (
    format_duration,
    format_timestamp,
    parse_duration,
    parse_timestamp,
)

STEPS = st.sampled_from([1, 1_000, 1_000_000, 1_000_000_000])


@given(STEPS.flatmap(lambda step: strategies.timestamps(step=step)))
def test_any_time_is_written_as_protobuf_writes_it_and_read_back(time: Timestamp) -> None:
    text = format_timestamp(time)
    assert text == time.ToJsonString()
    assert parse_timestamp(text) == (time.seconds, time.nanos)


@given(strategies.timestamps(), st.integers(-1439, 1439))
def test_any_offset_from_utc_is_taken_off(time: Timestamp, minutes: int) -> None:
    hours, rest = divmod(abs(minutes), 60)
    sign = "-" if minutes < 0 else "+"
    text = f"{time.ToJsonString()[:-1]}{sign}{hours:02}:{rest:02}"
    moved = time.seconds - minutes * 60
    if -62_135_596_800 <= moved <= 253_402_300_799:
        assert parse_timestamp(text) == (moved, time.nanos)
    else:
        with pytest.raises(ValueError, match="years"):
            parse_timestamp(text)


@pytest.mark.parametrize("digits", range(1, 10))
def test_a_fraction_has_one_to_nine_digits(digits: int) -> None:
    fraction = "123456789"[:digits]
    assert parse_timestamp(f"1970-01-01T00:00:01.{fraction}Z") == (1, int(fraction.ljust(9, "0")))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Z",
        "2025-06-01",
        "2025-06-01T10:15Z",
        "2025-06-01T10:15:30",
        "2025-06-01 10:15:30Z",
        "2025-06-01T10:15:30z",
        "2025-06-01T10:15:30.Z",
        "2025-06-01T10:15:30,5Z",
        "2025-06-01T10:15:30.1234567890Z",
        "2025-06-01T10:15:30.12a456Z",
        "2025-06-01T10:15:30x123456Z",
        "2025-06-01T10:15:30.123456",
        "2025-06-01T10:15:60Z",
        "2025-06-01T10:60:00Z",
        "2025-06-01T24:00:00Z",
        "2025-13-01T00:00:00Z",
        "2025-02-29T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "10000-01-01T00:00:00Z",
        "-001-01-01T00:00:00Z",
        "2025-W22-7T10:15:30Z",
        "20250601T101530Z",
        "2025-06-01T10:15:30+9:00",
        "2025-06-01T10:15:30+0900",
        "2025-06-01T10:15:30+24:00",
        "2025-06-01T10:15:30+09:60",
        "2025-06-01T10:15:30 +09:00",
        " 2025-06-01T10:15:30Z",
        "2025-06-01T10:15:30Z\n",
        "٢٠٢٥-06-01T10:15:30Z",
        1_748_772_930,
        None,
        [],
    ],
)
def test_what_is_no_rfc_3339_time_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match=r"^(is|has) "):
        parse_timestamp(text)


@pytest.mark.parametrize(
    "time",
    [
        Timestamp(seconds=-62_135_596_801),
        Timestamp(seconds=253_402_300_800),
        Timestamp(nanos=-1),
        Timestamp(nanos=1_000_000_000),
        Timestamp(nanos=-1_000),
        Timestamp(nanos=2_000_000_000),
    ],
)
def test_a_time_that_text_cannot_say_is_refused(time: Timestamp) -> None:
    with pytest.raises(ValueError, match=r"^(is|has) "):
        format_timestamp(time)


@given(strategies.durations())
def test_any_duration_is_written_as_protobuf_writes_it_and_read_back(span: Duration) -> None:
    text = format_duration(span)
    assert text == span.ToJsonString()
    assert parse_duration(text) == (span.seconds, span.nanos)


@pytest.mark.parametrize(
    "text", ["", "1", "s", "1.s", ".5s", "+1s", "1e3s", "1.0000000001s", "315576000001s", 1, None]
)
def test_what_is_no_duration_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    "span", [Duration(seconds=1, nanos=-1), Duration(seconds=315_576_000_001), Duration(nanos=1_000_000_000)]
)
def test_a_duration_that_text_cannot_say_is_refused(span: Duration) -> None:
    with pytest.raises(ValueError, match="duration"):
        format_duration(span)
