"""auth-events simulate."""

from __future__ import annotations

import json

from immersiverse.auth.events.serialization.json.codec import read_json
from immersiverse.auth.events.simulation import simulate, simulate_labelled


def test_each_line_is_an_event_of_the_seeds_stream(auth_events):
    result = auth_events("simulate", "--events", "50", "--seed", "9")
    assert [read_json(line.encode()) for line in result.out.splitlines()] == list(simulate(9, 50))


def test_the_stream_can_begin_at_another_time(auth_events):
    result = auth_events("simulate", "--events", "1", "--start", "2030-01-02T00:00:00")
    assert result.lines[0]["timestamp"].startswith("2030-01-02T0")


def test_no_events_are_no_lines(auth_events):
    assert auth_events("simulate", "--events", "0").out == ""


def test_labels_name_the_events_of_attacks(auth_events, tmp_path):
    file = tmp_path / "labels.jsonl"
    auth_events("simulate", "--events", "500", "--labels", file)
    assert [json.loads(line) for line in file.read_text().splitlines()] == [
        {"eventId": event.event_id, "attack": attack.number, "kind": attack.kind}
        for event, attack in simulate_labelled(1, 500)
        if attack
    ]


def test_labels_that_cannot_be_written_are_wrong_use(auth_events, tmp_path):
    result = auth_events("simulate", "--labels", tmp_path / "no" / "folder")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("auth-events: cannot write ")
