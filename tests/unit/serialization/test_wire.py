"""How frames look and what is refused."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from immersiverse.auth.events.errors import MalformedFrame, RegistryRefused
from immersiverse.auth.events.serialization.wire import (
    FIRST_MESSAGE,
    SCHEMA_ID_END,
    frame_prefix,
    header_value,
    read_header,
    read_indexes,
    read_schema_id,
    write_indexes,
)

GUID = uuid.UUID("01234567-89ab-cdef-0123-456789abcdef")


def test_a_frame_begins_with_zero_the_id_and_a_zero_for_the_first_message() -> None:
    assert frame_prefix(0x0102_0304) == bytes.fromhex("00 01020304 00")


def test_a_format_without_indexes_has_none_in_its_frames() -> None:
    assert frame_prefix(7, None) == bytes.fromhex("00 00000007")


def test_other_indexes_are_zigzag_varints_after_their_count() -> None:
    assert write_indexes((1,)) == bytes.fromhex("02 02")
    assert write_indexes((2, 0, 64)) == bytes.fromhex("06 04 00 8001")


@given(st.integers(0, 0xFFFF_FFFF))
def test_any_id_of_32_bits_is_read_back(number: int) -> None:
    frame = frame_prefix(number)
    assert read_schema_id(frame) == number
    assert read_indexes(frame, SCHEMA_ID_END) == (FIRST_MESSAGE, len(frame))


@given(st.lists(st.integers(0, 0x7FFF_FFFF), min_size=1, max_size=8))
def test_any_indexes_are_read_back(indexes: list[int]) -> None:
    written = write_indexes(tuple(indexes))
    assert read_indexes(b"x" + written + b"y", 1) == (tuple(indexes), 1 + len(written))


def test_the_long_form_of_the_first_message_is_read_too() -> None:
    assert read_indexes(bytes.fromhex("02 00"), 0) == (FIRST_MESSAGE, 2)


@pytest.mark.parametrize("number", [-1, 1 << 32])
def test_an_id_of_more_than_32_bits_does_not_fit_into_a_frame(number: int) -> None:
    with pytest.raises(RegistryRefused, match="does not fit"):
        frame_prefix(number)


@pytest.mark.parametrize("frame", [b"", b"\x00", bytes(4), b"\x01\x00\x00\x00\x01", b"{    "])
def test_what_does_not_begin_like_a_frame_is_none(frame: bytes) -> None:
    with pytest.raises(MalformedFrame):
        read_schema_id(frame)


@pytest.mark.parametrize(
    ("indexes", "why"),
    [
        ("", "truncated"),
        ("02", "truncated"),
        ("80", "truncated"),
        ("ffffffffffff00", "over-long"),
        ("01", "negative"),
        ("0201", "negative"),
        ("8202", "nested so deep"),
        ("feffffff0f", "nested so deep"),
    ],
)
def test_indexes_that_no_file_has_are_refused(indexes: str, why: str) -> None:
    with pytest.raises(MalformedFrame, match=why):
        read_indexes(bytes.fromhex(indexes), 0)


def test_a_header_carries_one_the_guid_and_the_indexes() -> None:
    assert header_value(GUID) == b"\x01" + GUID.bytes + b"\x00"
    assert header_value(GUID, None) == b"\x01" + GUID.bytes
    assert read_header(header_value(GUID, (1, 2))) == (GUID, bytes.fromhex("04 02 04"))


@pytest.mark.parametrize(
    "value", [b"", b"\x01" + GUID.bytes[:15], b"\x00" + GUID.bytes, b"\x02" + GUID.bytes]
)
def test_a_header_that_holds_no_guid_is_refused(value: bytes) -> None:
    with pytest.raises(MalformedFrame, match="GUID"):
        read_header(value)
