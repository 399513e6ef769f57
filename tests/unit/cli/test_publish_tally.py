"""The figures of auth-events publish."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from immersiverse.auth.events.cli import publish_tally
from immersiverse.auth.events.cli.publish_tally import PublishTally

DELIVERED = SimpleNamespace(error=None, topic="auth.events.user")


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(publish_tally, "_SILENCE", 0.0)


@pytest.mark.usefixtures("impatient")
def test_a_silent_kafka_is_told_once_with_what_waits(capsys):
    tally = PublishTally(as_json=False)
    with tally.shown():
        tally.sent(1)
        tally.sent(2)
        tally.show()
        tally.show()
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("Kafka has acknowledged nothing for 0 s; 1 events wait")


@pytest.mark.usefixtures("impatient")
def test_where_nothing_waits_silence_is_no_news(capsys):
    tally = PublishTally(as_json=False)
    with tally.shown():
        tally.sent(1)
        tally.settle(1, DELIVERED)
        capsys.readouterr()
        tally.show()
    assert capsys.readouterr().err == ""


def test_who_interrupts_is_told_what_is_still_waited_for(capsys):
    tally = PublishTally(as_json=False)
    tally.interrupted()
    assert capsys.readouterr().err == ""
    with tally.shown():
        tally.sent(1)
    tally.interrupted()
    assert capsys.readouterr().err == "interrupted: 1 events are on their way; Ctrl-C again gives them up\n"


def test_for_a_program_the_figures_are_json_and_nothing_else(capfd):
    tally = PublishTally(as_json=True)
    with tally.shown():
        tally.sent(1)
        tally.settle(1, DELIVERED)
        tally.show()
    tally.conclude()
    out, err = capfd.readouterr()
    assert json.loads(out)["topics"] == {"auth.events.user": 1}
    assert err == ""
