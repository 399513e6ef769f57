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

from immersiverse.auth.events.cli.demo import goodbye, line, picture
from immersiverse.auth.events.observability.hooks import DeadLettered, Dropped, Durations, Published, Retried
from immersiverse.auth.events.simulation import simulate
from immersiverse.auth.events.testing.demo import Figures
from unit.cli.terminal import COMMAND, end, read_until, running


def drawn(figures, width=100):
    screen = Console(file=io.StringIO(), width=width)
    screen.print(picture(figures, width))
    screen.print(goodbye(figures))
    return screen.file.getvalue()


@pytest.fixture(scope="module")
def halfway():
    figures = Figures(10_000, seconds=2.0)
    for event in simulate(1, 5_000):
        figures.handle(event)
    for detail in (
        Retried("auth.events.user", 1, 0.2, TimeoutError()),
        Dropped("auth.events.user", "UserCreated", "duplicate"),
        DeadLettered("auth.events.user", "ValueError", 3),
    ):
        figures.watch(detail)
    return figures


def test_the_summary_says_what_happened_to_every_event(auth_events):
    result = auth_events("demo", "--events", "2000", "--seed", "3", "--json")
    summary = result.document
    assert (result.code, result.err) == (0, "")
    assert summary["events"] == 2_000
    assert summary["published"] == 2_002
    assert summary["handled"] + summary["deadLettered"] == 2_000
    assert summary["duplicatesDropped"] == 2
    assert (summary["lag"], summary["outOfOrder"]) == (0, 0)
    assert sum(summary["byType"].values()) == summary["handled"]
    assert sum(summary["failuresByReason"].values()) == summary["byType"]["LoginFailed"]
    assert summary["eventsPerSecond"] > 0


def test_without_a_terminal_it_is_plain_text(auth_events):
    result = auth_events("demo", "--events", "500")
    assert (result.code, result.err) == (0, "")
    assert "\x1b" not in result.out
    assert "500 of 500 events" in result.out
    assert "each user's in order; lag 0" in result.out


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


def test_an_interrupted_demonstration_ends_soon_and_quietly():
    with running("demo", "--events", "10000000") as process:
        read_until(process, r"[1-9]\S* of 10,000,000 events")
        asked = time.monotonic()
        result = end(process, signal.SIGINT)
    assert time.monotonic() - asked < 10
    assert (result.code, result.err) == (130, "")


@pytest.mark.parametrize("width", [40, 60, 80, 100, 200])
def test_the_picture_fits_any_terminal(halfway, width):
    screen = Console(file=io.StringIO(), width=width)
    screen.print(picture(halfway, width))
    lines = screen.file.getvalue().splitlines()
    assert max(map(len, lines)) + len("^C") <= width  # which a terminal echoes beside it
    assert len(lines) <= 16


@pytest.mark.parametrize("width", [60, 80, 100])
def test_figures_are_whole_in_any_terminal(halfway, width):
    shown = drawn(halfway, width)
    for count in ("UserCreated", "LoginSucceeded", "LoginFailed"):
        assert f" {halfway.by_type[count]:,} " in shown


def test_the_picture_says_what_happened(halfway):
    shown = drawn(halfway)
    for part in (
        "5,002 of 10,000 events",
        "2,501 a second",
        "after TimeoutError",
        "UserCreated",
        "ValueError, 3 tries",
        f"{halfway.login_success_rate:.1%} succeed",
        "invalid credentials",
        "Attacks detected",
    ):
        assert part in shown
    assert "5,002 of 10,000 events" in line(halfway)
    assert "1 retried, 1 duplicates dropped, 1 dead letters" in line(halfway)


def test_the_picture_of_nothing_is_drawn_too():
    assert "0 of 1 events" in drawn(Figures(1))


def test_what_is_not_committed_and_what_is_out_of_order_is_said():
    figures = Figures(2)
    durations = Durations()
    durations.add(0.1, times=2)
    figures.watch(Published("auth.events.user", "UserCreated", "", durations))
    event = next(simulate(1, 1))
    figures.handle(event)
    assert "each user's in order; lag 2" in drawn(figures)
    figures.handle(event)
    assert "1 of them out of order" in drawn(figures)
