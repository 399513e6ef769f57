"""auth-events simulate."""

from __future__ import annotations

from immersiverse.auth.events.serialization.json import read_json
from immersiverse.auth.events.simulation import simulate


def test_each_line_is_an_event_of_the_seeds_world(auth_events):
    result = auth_events("simulate", "--events", "50", "--seed", "9")
    assert [read_json(line.encode()) for line in result.out.splitlines()] == list(simulate(9, 50))


def test_the_world_can_begin_at_another_time(auth_events):
    result = auth_events("simulate", "--events", "1", "--start", "2030-01-02T00:00:00")
    assert result.lines[0]["timestamp"].startswith("2030-01-02T0")


def test_no_events_are_no_lines(auth_events):
    assert auth_events("simulate", "--events", "0").out == ""
