"""The simulated stream is repeatable, valid and in order."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import uuid
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from immersiverse.auth.events import catalog
from immersiverse.auth.events.events import event_type_of, partition_key, payload_of
from immersiverse.auth.events.simulation import DEFAULT_START, simulate
from immersiverse.auth.events.validation import validate
from unit.simulation.lives import by_user


def digest(events):
    told = hashlib.sha256()
    for event in events:
        told.update(event.SerializeToString(deterministic=True))
    return told.hexdigest()


def test_the_same_seed_tells_the_same_events_in_another_process():
    program = (
        "import sys, hashlib; from immersiverse.auth.events.simulation import simulate\n"
        "told = hashlib.sha256()\n"
        "for event in simulate(3, 2000): told.update(event.SerializeToString(deterministic=True))\n"
        "print(told.hexdigest())"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            check=True,
            text=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert said == {digest(simulate(3, 2_000))}


def test_another_seed_tells_another_story():
    assert digest(simulate(1, 100)) != digest(simulate(2, 100))


def test_a_shorter_stream_is_the_beginning_of_a_longer_one(world):
    assert list(simulate(7, 50)) == world[:50]


def test_asking_for_no_events_gives_none():
    assert list(simulate(7, 0)) == []


@pytest.mark.parametrize("seed", [0, 1, 2**63])
def test_every_event_satisfies_the_contract(seed):
    for event in simulate(seed, 3_000):
        payload = payload_of(event)
        validate(payload)
        validate(event)
        assert partition_key(event)


@pytest.mark.parametrize("seed", range(6))
def test_every_type_of_event_occurs_within_the_first_few_thousand(seed):
    seen = {event_type_of(event).name for event in simulate(seed, 4_000)}
    assert seen == set(catalog.EVENT_TYPES)


def test_times_and_ids_increase_strictly(world):
    for earlier, later in pairwise(world):
        assert earlier.timestamp.ToNanoseconds() < later.timestamp.ToNanoseconds()
        assert earlier.event_id < later.event_id


def test_ids_are_uuids_of_version_7_that_hold_the_time(world):
    for event in world[:500]:
        event_id = uuid.UUID(event.event_id)
        assert (event_id.version, event_id.variant) == (7, uuid.RFC_4122)
        assert event_id.int >> 80 == event.timestamp.ToMilliseconds()


def test_the_world_begins_when_it_is_told_to():
    start = datetime(2031, 3, 5, 12, tzinfo=UTC)
    first = next(simulate(1, 1, start=start)).timestamp.ToDatetime(UTC)
    assert start < first < start + timedelta(hours=2)
    assert next(simulate(1, 1)).timestamp.ToDatetime(UTC) > DEFAULT_START


def test_versions_count_the_events_of_each_user(world):
    for events in by_user(world).values():
        assert [event.version for event in events] == list(range(1, len(events) + 1))


def test_events_about_nobody_are_unversioned(world):
    nobody = [event for event in world if not getattr(payload_of(event), "user_id", "")]
    assert nobody
    assert {event.version for event in nobody} == {0}
