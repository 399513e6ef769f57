"""auth-events demo."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time

import pytest
from rich.console import Console

from immersiverse.auth.events.cli.demo_drawing import drawing, goodbye, line
from immersiverse.auth.events.cli.demo_progress import Progress
from immersiverse.auth.events.simulation import Tally, simulate
from unit.cli.terminal import COMMAND, end, read_until, running


def drawn(progress, width=100):
    console = Console(file=io.StringIO(), width=width)
    console.print(drawing(progress, width))
    console.print(goodbye(progress))
    return console.file.getvalue()


@pytest.fixture(scope="module")
def halfway():
    progress = Progress(10_000)
    progress.take(simulate(1, 5_000), 1_000_000)
    return progress


def test_the_summary_counts_what_was_simulated(auth_events):
    result = auth_events("demo", "--events", "2000", "--seed", "3", "--json")
    expected = Tally()
    for event in simulate(3, 2_000):
        expected.count(event)
    summary = result.document
    assert result.code == 0
    assert summary["events"] == 2_000
    assert summary["outOfOrder"] == 0
    assert summary["byType"] == dict(expected.by_type)
    assert summary["failuresByReason"] == dict(expected.failures)
    assert summary["loginSuccessRate"] == round(expected.success_rate, 4)
    assert summary["eventsPerSecond"] > 0


def test_without_a_terminal_it_is_plain_text(auth_events):
    result = auth_events("demo", "--events", "500")
    assert result.code == 0
    assert "\x1b" not in result.out
    assert "500 of 500 events" in result.out
    assert "500 events of" in result.out
    assert "arrived in order" in result.out


def test_on_a_terminal_it_draws_in_place():
    leader, follower = os.openpty()
    process = subprocess.Popen(
        [*COMMAND, "demo", "--events", "3000"],
        stdout=follower,
        stderr=subprocess.PIPE,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "TERM": "xterm-256color",
            "COLUMNS": "100",
        },
    )
    os.close(follower)
    seen = b""
    with process:
        while True:
            try:
                seen += os.read(leader, 65_536)
            except OSError:  # the other end is closed
                break
        assert process.stderr.read() == b""
    os.close(leader)
    assert process.returncode == 0
    assert seen.count(b"auth.events.*") > 1  # drawn more than once
    assert b"\x1b[" in seen
    assert b"3,000" in seen


def test_an_interrupted_demonstration_ends_at_once_and_quietly():
    with running("demo", "--events", "10000000") as process:
        read_until(process, r"[1-9]\S* of 10,000,000 events")
        asked = time.monotonic()
        result = end(process, signal.SIGINT)
    assert time.monotonic() - asked < 10
    assert (result.code, result.err) == (130, "")


@pytest.mark.parametrize("width", [40, 60, 80, 100, 200])
def test_the_picture_fits_any_terminal(halfway, width):
    assert max(map(len, drawn(halfway, width).splitlines())) <= width


@pytest.mark.parametrize("width", [60, 80, 100])
def test_figures_are_whole_in_any_terminal(halfway, width):
    picture = drawn(halfway, width)
    for count in ("UserCreated", "LoginSucceeded", "LoginFailed"):
        assert f" {halfway.tally.by_type[count]:,} " in picture
    assert f"{halfway.tally.success_rate:.1%}" in picture


def test_it_leaves_room_on_a_common_terminal_for_what_is_said_around_it(halfway):
    assert len(drawn(halfway, 80).splitlines()) <= 21


@pytest.mark.parametrize("width", [60, 80, 100])
def test_what_a_terminal_echoes_when_interrupted_breaks_no_line_of_the_picture(halfway, width):
    console = Console(file=io.StringIO(), width=width)
    console.print(drawing(halfway, width))
    assert max(map(len, console.file.getvalue().splitlines())) + len("^C") <= width


def test_the_picture_says_what_happened(halfway):
    picture = drawn(halfway)
    for part in ("5,000 of 10,000 events", "success", "New users", "invalid credentials", "Attacks detected"):
        assert part in picture
    assert "5,000 of 10,000 events" in line(halfway)


def test_the_picture_of_nothing_is_drawn_too():
    assert "0 of 1 events" in drawn(Progress(1))


def test_events_out_of_order_are_said_to_be():
    event = next(simulate(1, 1))
    progress = Progress(2)
    progress.take([event], 200)
    assert "arrived in order" in drawn(progress)
    progress.take([event], 400)
    assert "1 of them out of order" in drawn(progress)
