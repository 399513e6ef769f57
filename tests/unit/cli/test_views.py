"""Dead letters and plans, drawn."""

from __future__ import annotations

import base64
import io

import pytest
from rich.console import Console

from immersiverse.auth.events.admin.offset_reset import OffsetChange
from immersiverse.auth.events.cli.views import dead_letters as view
from immersiverse.auth.events.cli.views import groups as groups_view
from immersiverse.auth.events.partition import Partition
from immersiverse.auth.events.serialization.deserializer import AuthEventDeserializer
from immersiverse.auth.events.simulation import simulate
from unit.admin.samples import dead_letter, dead_letter_headers

USER = b"6fa9a274-45e8-4d8a-8c80-e3444a59d917"


def drawn(what, width):
    console = Console(file=io.StringIO(), width=width)
    console.print(what)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_a_list_can_be_read_at_any_width(width):
    text = drawn(view.drawn([dead_letter(key=USER), dead_letter(offset=13)], width), width)
    lines = text.splitlines()
    assert max(map(len, lines)) <= width
    assert len(lines) < 14
    together = "".join(text.split())
    for said in ("0-12", "0-13", "1970-01-01T00:00:01.000Z"):
        assert said in together
    assert "TimeoutError" in text


def test_a_narrow_screen_shows_everything_that_a_wide_one_does():
    text = drawn(view.drawn([dead_letter(key=USER)], 60), 60)
    for said in (
        USER.decode(),
        "auth.events.login-3-5000000000",
        "geo lookup took 5 s",
        "5 attempts",
        "analytics",
    ):
        assert said in text


def test_a_plan_keeps_its_numbers_whole_on_a_narrow_screen():
    change = OffsetChange(
        Partition("auth.events.platform", 11),
        1_234_567,
        234_567,
        1_000_000,
        0,
        "7 was deleted: the first offset is 9",
    )
    text = drawn(groups_view.reset_table([change]), 60)
    assert max(map(len, text.splitlines())) <= 60
    for number in ("1,234,567", "234,567", "1,000,000"):
        assert number in text


STUB = [*dead_letter_headers(), ("auth-events-stub", b"1048000"), ("auth-events-value-sha256", b"5e88")]


@pytest.mark.parametrize("width", [60, 200])
def test_a_list_marks_stubs(width):
    text = drawn(view.drawn([dead_letter(headers=STUB, value=b"")], width), width)
    assert "stub of 1,048,000 bytes; TimeoutError" in " ".join(text.split())
    assert "stub" not in drawn(view.drawn([dead_letter()], width), width)


def test_a_stub_shows_where_its_original_is_and_no_value():
    stub, deserializer = dead_letter(headers=STUB, value=b""), AuthEventDeserializer()
    text = "\n".join(view.lines(stub, deserializer))
    assert "value: left out, its 1,048,000 bytes were too large for the dead letter topic" in text
    assert "the original is auth.events.login-3-5000000000, until that topic's retention ends" in text
    whole = view.whole(stub, deserializer)
    assert (whole["stub"], whole["originalSize"], whole["originalSha256"]) == (True, 1_048_000, "5e88")
    assert (whole["valueBase64"], "unreadable" in whole, "event" in whole) == (None, False, False)


def test_a_dead_letter_that_json_cannot_say_shows_all_the_rest():
    event = next(simulate(1, 1))
    event.timestamp.seconds *= 1000
    value = bytes(6) + event.SerializeToString()
    broken, deserializer = dead_letter(value=value), AuthEventDeserializer()
    text = "\n".join(view.lines(broken, deserializer))
    for said in ("cannot be shown: ", "00000000  00 00 00 00", "Traceback ...", "user-1", "geo lookup"):
        assert said in text
    whole = view.whole(broken, deserializer)
    assert base64.b64decode(whole["valueBase64"]) == value
    assert "JSON cannot express this" in whole["unreadable"]
    assert "event" not in whole


@pytest.mark.parametrize("width", [60, 200])
def test_a_record_time_in_microseconds_is_shown_as_the_number(width):
    late = dead_letter(at=1_751_360_400_123_456)
    assert "1751360400123456" in drawn(view.drawn([late], width), width)
    assert view.facts(late)["deadAt"] == "1751360400123456"


def test_a_complete_dead_letter_is_not_marked_as_a_stub():
    whole = view.whole(dead_letter(), AuthEventDeserializer())
    assert (whole["stub"], whole["originalSize"], whole["originalSha256"]) == (False, None, None)
