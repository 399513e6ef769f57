"""The figures of auth-events publish."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from immersiverse.auth.events.cli.commands import publish
from immersiverse.auth.events.cli.commands.publish import LineCounts

DELIVERED = SimpleNamespace(error=None, topic="auth.events.user")


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(publish, "_SILENCE", 0.0)


@pytest.mark.usefixtures("impatient")
def test_missing_acknowledgements_are_reported_once(capsys):
    counts = LineCounts(as_json=False)
    with counts.shown():
        counts.sent()
        counts.sent()
        counts.show()
        counts.show()
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("no acknowledgement from Kafka for 0 s; 1 events are in flight")


@pytest.mark.usefixtures("impatient")
def test_without_events_in_flight_nothing_is_reported(capsys):
    counts = LineCounts(as_json=False)
    with counts.shown():
        counts.sent()
        counts.delivered(1, DELIVERED)
        capsys.readouterr()
        counts.show()
    assert capsys.readouterr().err == ""


def test_an_interrupt_says_what_is_in_flight(capsys):
    counts = LineCounts(as_json=False)
    counts.interrupted()
    assert capsys.readouterr().err == ""
    with counts.shown():
        counts.sent()
    counts.interrupted()
    line = capsys.readouterr().err
    assert line == "interrupted: waiting for 1 events in flight; Ctrl-C again gives up on them\n"


def test_figures_in_json_come_alone(capfd):
    counts = LineCounts(as_json=True)
    with counts.shown():
        counts.sent()
        counts.delivered(1, DELIVERED)
        counts.show()
    counts.conclude()
    out, err = capfd.readouterr()
    assert json.loads(out)["topics"] == {"auth.events.user": 1}
    assert err == ""
