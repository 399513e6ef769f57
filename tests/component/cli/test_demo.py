"""auth-events demo."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

from component.cli.terminal import COMMAND, end, read_until, running


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
