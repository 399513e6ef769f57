"""Dead letters, drawn."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from immersiverse.auth.events.cli import letter_view, replay_view
from immersiverse.auth.events.operations.partitions import Partition
from immersiverse.auth.events.operations.replay import Move
from immersiverse.auth.events.serialization.deserializer import AuthEventDeserializer
from unit.operations.letters import death, letter

USER = b"6fa9a274-45e8-4d8a-8c80-e3444a59d917"


def drawn(what, width):
    console = Console(file=io.StringIO(), width=width)
    console.print(what)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_a_list_can_be_read_at_any_width(width):
    text = drawn(letter_view.drawn([letter(key=USER), letter(offset=13)], width), width)
    lines = text.splitlines()
    assert max(map(len, lines)) <= width
    assert len(lines) < 14
    together = "".join(text.split())
    for said in ("0-12", "0-13", "1970-01-01T00:00:01.000Z"):
        assert said in together
    assert "TimeoutError" in text


def test_a_narrow_screen_still_says_everything_of_a_letter():
    text = drawn(letter_view.drawn([letter(key=USER)], 60), 60)
    for said in (USER.decode(), "auth.events.login-3-5000000000", "geo lookup took 5 s", "5 attempts"):
        assert said in text


def test_a_plan_keeps_its_numbers_whole_on_a_narrow_screen():
    move = Move(
        Partition("auth.events.platform", 11), 1_234_567, 234_567, 1_000_000, 0, "7 is gone: it begins at 9"
    )
    text = drawn(replay_view.table([move]), 60)
    assert max(map(len, text.splitlines())) <= 60
    for number in ("1,234,567", "234,567", "1,000,000"):
        assert number in text


STUB = [*death(), ("auth-events-stub", b"1048000"), ("auth-events-value-sha256", b"5e88")]


@pytest.mark.parametrize("width", [60, 200])
def test_a_list_tells_stubs_from_letters_that_can_be_sent_back(width):
    text = drawn(letter_view.drawn([letter(headers=STUB, value=b"")], width), width)
    assert "stub of 1,048,000 bytes; TimeoutError" in " ".join(text.split())
    assert "stub" not in drawn(letter_view.drawn([letter()], width), width)


def test_a_stub_shows_where_its_original_is_and_no_value():
    stub, deserializer = letter(headers=STUB, value=b""), AuthEventDeserializer()
    text = "\n".join(letter_view.lines(stub, deserializer))
    assert "value: not here, its 1,048,000 bytes were too large for the dead letter topic" in text
    assert "the original is auth.events.login-3-5000000000, until that topic's retention ends" in text
    whole = letter_view.whole(stub, deserializer)
    assert (whole["stub"], whole["originalSize"], whole["originalSha256"]) == (True, 1_048_000, "5e88")
    assert (whole["valueBase64"], "unreadable" in whole, "event" in whole) == (None, False, False)


def test_a_letter_that_is_whole_is_no_stub():
    whole = letter_view.whole(letter(), AuthEventDeserializer())
    assert (whole["stub"], whole["originalSize"], whole["originalSha256"]) == (False, None, None)
