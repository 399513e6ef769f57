"""Dead letters, drawn."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from immersiverse.auth.events.cli import letter_view, replay_view
from immersiverse.auth.events.operations.partitions import Partition
from immersiverse.auth.events.operations.replay import Move
from unit.operations.letters import letter

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
