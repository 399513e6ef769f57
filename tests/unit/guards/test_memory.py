"""What a memory guard does beside what every guard does."""

from __future__ import annotations

import threading

import pytest

from guard_statements import DUPLICATE, FRESH, KEY, STALE, TOPIC, event, fail, verdict
from immersiverse.auth.events import GuardUnavailable
from immersiverse.auth.events.guards import MemoryGuard


def test_the_oldest_ids_are_forgotten_when_there_are_too_many():
    guard = MemoryGuard(ids=2)
    first, second, third = event(), event(), event()
    for each in (first, second, third):
        verdict(guard, each)
    assert [verdict(guard, second), verdict(guard, third), verdict(guard, first)] == [
        DUPLICATE,
        DUPLICATE,
        FRESH,
    ]


def test_the_user_who_was_quiet_longest_is_forgotten_when_there_are_too_many():
    guard = MemoryGuard(users=2)
    for key in (b"1", b"2", b"1", b"3"):
        verdict(guard, event(version=5 if key == b"2" else len(guard._ids) + 1), key=key)
    assert verdict(guard, event(version=1), key=b"1") is STALE
    assert verdict(guard, event(version=1), key=b"2") is FRESH


def test_an_event_in_hand_cannot_be_had_a_second_time_until_its_fate_is_known():
    guard = MemoryGuard()
    first = event(version=1)
    with guard.admit(first, TOPIC, KEY):
        with pytest.raises(GuardUnavailable, match=first.event_id):
            verdict(guard, first)
        assert verdict(guard, event(), key=b"user-2") is FRESH
    assert verdict(guard, first) is DUPLICATE


def test_an_event_whose_handler_failed_is_in_hand_no_more():
    guard = MemoryGuard()
    first = event()
    fail(guard, first)
    assert verdict(guard, first) is FRESH


def test_a_version_never_goes_back_though_an_earlier_event_ends_last():
    guard = MemoryGuard()
    with guard.admit(event(version=1), TOPIC, KEY):
        verdict(guard, event(version=2))
    assert verdict(guard, event(version=2)) is STALE


def test_of_many_threads_with_one_event_one_handles_it():
    guard = MemoryGuard()
    first, fresh, start = event(), [], threading.Barrier(8)

    def consume():
        start.wait()
        for _ in range(200):
            try:
                fresh.extend([1] if verdict(guard, first) is FRESH else [])
            except GuardUnavailable:
                continue

    threads = [threading.Thread(target=consume) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert fresh == [1]
