"""The memory inbox, beyond the behaviour of every inbox."""

from __future__ import annotations

import threading

import pytest

from immersiverse.auth.events import InboxUnavailable, MemoryInbox
from inboxes.behaviour import DUPLICATE, FRESH, KEY, STALE, TOPIC, event, fail, verdict


def test_beyond_its_limit_it_forgets_the_oldest_ids():
    inbox = MemoryInbox(ids=2)
    first, second, third = event(), event(), event()
    for each in (first, second, third):
        verdict(inbox, each)
    assert [verdict(inbox, second), verdict(inbox, third), verdict(inbox, first)] == [
        DUPLICATE,
        DUPLICATE,
        FRESH,
    ]


def test_beyond_its_limit_it_forgets_the_user_whose_last_event_is_oldest():
    inbox = MemoryInbox(users=2)
    for key in (b"1", b"2", b"1", b"3"):
        verdict(inbox, event(version=5 if key == b"2" else len(inbox._ids) + 1), key=key)
    assert verdict(inbox, event(version=1), key=b"1") is STALE
    assert verdict(inbox, event(version=1), key=b"2") is FRESH


def test_an_event_that_is_being_handled_is_leased():
    inbox = MemoryInbox()
    first = event(version=1)
    with inbox.admit(first, TOPIC, KEY):
        with pytest.raises(InboxUnavailable, match=first.event_id):
            verdict(inbox, first)
        assert verdict(inbox, event(), key=b"user-2") is FRESH
    assert verdict(inbox, first) is DUPLICATE


def test_a_handler_that_fails_releases_its_event():
    inbox = MemoryInbox()
    first = event()
    fail(inbox, first)
    assert verdict(inbox, first) is FRESH


def test_a_version_never_goes_back_when_an_older_event_finishes_last():
    inbox = MemoryInbox()
    with inbox.admit(event(version=1), TOPIC, KEY):
        verdict(inbox, event(version=2))
    assert verdict(inbox, event(version=2)) is STALE


def test_only_one_of_many_threads_handles_an_event():
    inbox = MemoryInbox()
    first, fresh, start = event(), [], threading.Barrier(8)

    def consume():
        start.wait()
        for _ in range(200):
            try:
                fresh.extend([1] if verdict(inbox, first) is FRESH else [])
            except InboxUnavailable:
                continue

    threads = [threading.Thread(target=consume) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert fresh == [1]
