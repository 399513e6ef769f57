"""The figures of auth-events publish."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from immersiverse.auth.events.cli.commands import publish
from immersiverse.auth.events.cli.commands.publish import LineCounts
from immersiverse.auth.events.errors import PublishError
from immersiverse.auth.events.v1.events_pb2 import AuthEvent

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


def failed(code, topic="auth.events.user", *, retryable=False):
    error = PublishError(AuthEvent(event_id="x"), topic, code, "no", retryable=retryable)
    return SimpleNamespace(error=error, topic=topic)


def test_one_reason_of_a_topic_is_one_line_and_a_count(capsys):
    counts = LineCounts(as_json=False)
    with counts.shown():
        for number in range(1, 301):
            counts.sent()
            counts.delivered(number, failed("TOPIC_AUTHORIZATION_FAILED"))
        counts.refused(301, "auth.events.login", "topic auth.events.login does not exist")
        counts.refused(302, "auth.events.login", "topic auth.events.login does not exist")
    counts.conclude()
    first, second, summary = capsys.readouterr().err.splitlines()
    assert first.startswith("line 1: ")
    assert second == "line 301: topic auth.events.login does not exist"
    assert summary.endswith(
        "302 lines were not published, of them 2 to auth.events.login, 300 to auth.events.user"
    )


def test_each_message_that_is_too_large_is_named(capsys):
    counts = LineCounts(as_json=False)
    with counts.shown():
        for number in (1, 2):
            counts.sent()
            counts.delivered(number, failed("MSG_SIZE_TOO_LARGE"))
    assert [line[:8] for line in capsys.readouterr().err.splitlines()] == ["line 1: ", "line 2: "]
    assert not counts.outage


def test_an_outage_is_one(capsys):
    counts = LineCounts(as_json=False)
    with counts.shown():
        counts.sent()
        counts.delivered(1, failed("_MSG_TIMED_OUT", retryable=True))
    assert counts.outage
    assert capsys.readouterr().err.startswith("line 1: ")


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
