"""The simulated stream is repeatable, valid, in order and like a real one."""

from __future__ import annotations

import hashlib
import ipaddress
import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from immersiverse.auth.events import catalog
from immersiverse.auth.events.events import event_type_of, partition_key, payload_of
from immersiverse.auth.events.simulation import DEFAULT_START, simulate
from immersiverse.auth.events.validation import validate

DOCUMENTATION = [
    ipaddress.ip_network(network)
    for network in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
]


def digest(events):
    found = hashlib.sha256()
    for event in events:
        found.update(event.SerializeToString(deterministic=True))
    return found.hexdigest()


def test_another_seed_gives_another_stream():
    assert digest(simulate(1, 100)) != digest(simulate(2, 100))


def test_a_shorter_stream_is_the_beginning_of_a_longer_one(events):
    assert list(simulate(7, 50)) == events[:50]
    assert list(simulate(7, 0)) == []


@pytest.mark.parametrize("seed", range(10))
def test_a_failed_login_comes_at_once_and_every_type_of_event_early(seed):
    types = [event_type_of(event).name for event in simulate(seed, 400)]
    assert "LoginFailed" in types[:20]
    assert set(types) == set(catalog.EVENT_TYPES)


@pytest.mark.parametrize("seed", [0, 1, 2**63])
def test_every_event_satisfies_the_contract(seed):
    for event in simulate(seed, 3_000):
        validate(payload_of(event))
        validate(event)
        assert partition_key(event)


def test_times_and_ids_increase_strictly(events):
    for earlier, later in pairwise(events):
        assert earlier.timestamp.ToNanoseconds() < later.timestamp.ToNanoseconds()
        assert earlier.event_id < later.event_id


def test_ids_are_uuids_of_version_7_that_hold_the_time(events):
    for event in events[:500]:
        event_id = uuid.UUID(event.event_id)
        assert (event_id.version, event_id.variant) == (7, uuid.RFC_4122)
        assert event_id.int >> 80 == event.timestamp.ToMilliseconds()


def test_the_stream_begins_at_the_time_that_is_given():
    start = datetime(2031, 3, 5, 12, tzinfo=UTC)
    first = next(simulate(1, 1, start=start)).timestamp.ToDatetime(UTC)
    assert start < first < start + timedelta(hours=2)
    assert next(simulate(1, 1)).timestamp.ToDatetime(UTC) > DEFAULT_START


def test_events_about_no_known_user_are_unversioned(events):
    unknown = [event for event in events if not getattr(payload_of(event), "user_id", "")]
    assert unknown
    assert {event.version for event in unknown} == {0}


def test_nothing_in_it_belongs_to_a_real_person(events):
    addresses = {getattr(payload_of(event), "ip_address", "") for event in events} - {""}
    assert len(addresses) > 100
    for address in map(ipaddress.ip_address, addresses):
        assert any(address in network for network in DOCUMENTATION)
        assert str(address) in addresses  # written in the one form of RFC 5952
    emails = {getattr(payload_of(event), "email", "") for event in events} - {""}
    assert emails
    assert all(email.endswith("@example.com") for email in emails)


def test_most_logins_succeed_and_failures_have_many_reasons(events):
    reasons = Counter(event.login_failed.reason for event in events if event.HasField("login_failed"))
    succeeded = sum(event.HasField("login_succeeded") for event in events)
    assert 0.7 < succeeded / (succeeded + reasons.total()) < 0.97
    assert reasons.most_common(1)[0][0] == 1  # invalid credentials
    assert len(reasons) >= 8


def test_people_sleep():
    hours = Counter(
        (event.timestamp.seconds // 3_600 + 9) % 24
        for event in simulate(5, 20_000)
        if event.HasField("login_succeeded") and event.login_succeeded.ip_address.startswith("192.0.2.")
    )
    night, evening = sum(hours[hour] for hour in (2, 3, 4)), sum(hours[hour] for hour in (19, 20, 21))
    assert evening > 5 * night
