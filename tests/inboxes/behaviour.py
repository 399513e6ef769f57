"""The behaviour of every inbox: tests for modules that import them and have the fixtures they use.

`inbox` is a plain inbox (see inboxes.makers for async ones), `unlimited` one without ``max_version_jump``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from immersiverse.auth.events import Admission, Forgotten, Inbox, UserCreated, UserDeleted, Verdict, new_event
from immersiverse.auth.events.v1.events_pb2 import AuthEvent

TOPIC, KEY = "auth.events.user", b"user-1"
FRESH, DUPLICATE, STALE = Verdict.FRESH, Verdict.DUPLICATE, Verdict.STALE
LARGEST = (1 << 63) - 1


class HandlerFailed(Exception):
    """What a handler of these tests raises."""


def event(version: int = 0, **envelope: Any) -> AuthEvent:
    """An event of one user, with an id of its own."""
    payload = UserCreated(user_id="user-1", username="one", email="one@example.com")
    payload.created_at.FromDatetime(datetime(2025, 6, 1, tzinfo=UTC))
    made = new_event(payload, source="/services/auth", version=max(version, 0))
    made.version = version
    for name, value in envelope.items():
        setattr(made, name, value)
    return made


def deleted(version: int = 0, *, erasure_required: bool = True) -> AuthEvent:
    """The deletion of the same user."""
    payload = UserDeleted(user_id="user-1", erasure_required=erasure_required)
    payload.deleted_at.FromDatetime(datetime(2025, 6, 2, tzinfo=UTC))
    return new_event(payload, source="/services/auth", version=version)


def admission_of(inbox: Inbox, event: AuthEvent, topic: str = TOPIC) -> Admission:
    """The inbox's answer on an event, which is then handled if it is fresh."""
    with inbox.admit(event, topic, KEY) as admission:
        return admission


def verdict(inbox: Inbox, event: AuthEvent, topic: str = TOPIC, key: bytes | None = KEY) -> Verdict:
    """The inbox's verdict on an event, which is then handled if it is fresh."""
    with inbox.admit(event, topic, key) as admission:
        return admission.verdict


def fail(inbox: Inbox, event: AuthEvent, after: Callable[[Any], None] = lambda _: None) -> None:
    """Let a handler do something with the transaction of a fresh event, and fail."""

    def handle() -> None:
        with inbox.admit(event, TOPIC, KEY) as admission:
            assert admission.verdict is FRESH
            after(admission.transaction)
            raise HandlerFailed

    with pytest.raises(HandlerFailed):
        handle()


def test_a_handled_event_is_a_duplicate(inbox):
    first = event()
    assert [verdict(inbox, first) for _ in range(3)] == [FRESH, DUPLICATE, DUPLICATE]


def test_events_with_different_ids_are_fresh(inbox):
    assert [verdict(inbox, event()) for _ in range(3)] == [FRESH] * 3


def test_the_same_id_of_another_source_is_another_event(inbox):
    first, other = event(event_id="1001", source="/idp/a"), event(event_id="1001", source="/idp/b")
    assert [verdict(inbox, each) for each in (first, other)] == [FRESH, FRESH]
    assert [verdict(inbox, each) for each in (first, other)] == [DUPLICATE, DUPLICATE]


def test_no_source_is_the_default_source(inbox):
    first = event(source="/services/auth")
    assert verdict(inbox, first) is FRESH
    first.source = ""
    assert verdict(inbox, first) is DUPLICATE


def test_an_event_whose_handler_failed_is_fresh_again(inbox):
    first = event(version=1)
    fail(inbox, first)
    fail(inbox, first)
    assert [verdict(inbox, first), verdict(inbox, first)] == [FRESH, DUPLICATE]


def test_a_failed_handler_does_not_change_the_last_version(inbox):
    verdict(inbox, event(version=1))
    fail(inbox, event(version=5))
    with inbox.admit(event(version=2), TOPIC, KEY) as admission:
        assert (admission.verdict, admission.last) == (FRESH, 1)


def test_a_version_at_or_below_the_last_is_stale(inbox):
    verdicts = [verdict(inbox, event(version)) for version in (3, 2, 3, 4, 1)]
    assert verdicts == [FRESH, STALE, STALE, FRESH, STALE]


def test_a_stale_event_does_not_become_a_duplicate(inbox):
    verdict(inbox, event(version=3))
    late = event(version=2)
    assert [verdict(inbox, late), verdict(inbox, late)] == [STALE, STALE]


def test_the_answer_has_the_last_version(inbox):
    seen = []
    for version in (1, 4, 2):
        with inbox.admit(event(version), TOPIC, KEY) as admission:
            seen.append((admission.verdict, admission.last))
    assert seen == [(FRESH, 0), (FRESH, 1), (STALE, 4)]


def test_unversioned_events_are_never_stale_and_do_not_change_the_last_version(inbox):
    verdicts = [verdict(inbox, event(version)) for version in (2, 0, 0, 3)]
    assert verdicts == [FRESH] * 4
    assert verdict(inbox, event(version=-7)) is FRESH


def test_versions_count_per_topic_and_key(inbox):
    assert verdict(inbox, event(version=5)) is FRESH
    assert verdict(inbox, event(version=1), "auth.events.login") is FRESH
    assert verdict(inbox, event(version=1), TOPIC, b"user-2") is FRESH
    assert verdict(inbox, event(version=1), TOPIC, b"") is FRESH
    assert verdict(inbox, event(version=4)) is STALE


def test_ids_count_across_topics_and_keys(inbox):
    first = event()
    assert verdict(inbox, first) is FRESH
    assert verdict(inbox, first, "auth.events.login", b"user-2") is DUPLICATE


def test_events_without_a_key_are_never_stale(inbox):
    first = event(version=9)
    assert verdict(inbox, first, key=None) is FRESH
    assert verdict(inbox, event(version=1), key=None) is FRESH
    assert verdict(inbox, first, key=None) is DUPLICATE


def test_events_without_an_id_are_never_duplicates(inbox):
    without_id = event(event_id="")
    assert [verdict(inbox, without_id), verdict(inbox, without_id)] == [FRESH, FRESH]


@pytest.mark.parametrize(
    "event_id", ["x" * 100_000, "a\x00b", "이벤트", "' OR 1=1 --", "{braces}", "a:b", " "]
)
def test_any_text_can_be_an_id(inbox, event_id):
    strange = event(event_id=event_id)
    assert [verdict(inbox, strange), verdict(inbox, strange)] == [FRESH, DUPLICATE]
    assert verdict(inbox, event(event_id=event_id + "x")) is FRESH


@pytest.mark.parametrize("key", [b"\x00\xff", b"k" * 100_000, b":", "사용자".encode()])
def test_any_bytes_can_be_a_key(inbox, key):
    assert [verdict(inbox, event(version), TOPIC, key) for version in (2, 1)] == [FRESH, STALE]
    assert verdict(inbox, event(version=1), TOPIC, key + b"x") is FRESH


def test_the_largest_versions_are_distinguished(unlimited):
    verdicts = [verdict(unlimited, event(version)) for version in (LARGEST - 1, LARGEST, LARGEST - 1)]
    assert verdicts == [FRESH, FRESH, STALE]


def test_versions_of_different_lengths_compare_as_numbers(inbox):
    assert [verdict(inbox, event(version)) for version in (9, 10, 9, 100, 20)] == [
        FRESH, FRESH, STALE, FRESH, STALE,
    ]  # fmt: skip


def test_an_event_is_recorded_as_it_came_when_its_handler_changes_it(inbox):
    first = event(version=3)
    original = AuthEvent.FromString(first.SerializeToString())
    with inbox.admit(first, TOPIC, KEY):
        first.event_id, first.version = "another", 9
    assert [verdict(inbox, original), verdict(inbox, event(version=4))] == [DUPLICATE, FRESH]


def test_an_event_that_a_failed_handler_changed_is_fresh_again(inbox):
    first = event(version=3)
    original = AuthEvent.FromString(first.SerializeToString())
    fail(inbox, first, lambda _: first.Clear())
    assert verdict(inbox, original) is FRESH


@pytest.mark.parametrize("last", [0, 1])
def test_a_version_jump_is_handled_and_makes_no_later_event_stale(inbox, last):
    verdict(inbox, event(version=last))
    jump = event(version=LARGEST)
    answer = admission_of(inbox, jump)
    assert (answer.verdict, answer.last, answer.jumped) == (FRESH, last, True)
    assert verdict(inbox, jump) is DUPLICATE
    assert [verdict(inbox, event(version)) for version in (last + 1, last + 2, last + 1)] == [
        FRESH, FRESH, STALE,
    ]  # fmt: skip


def test_a_version_counts_up_to_the_limit_beyond_the_last_one(inbox):
    answers = [
        admission_of(inbox, event(version)) for version in (1_000_000, 1_900_000, 2_900_001, 2_900_000)
    ]
    assert [(answer.verdict, answer.last, answer.jumped) for answer in answers] == [
        (FRESH, 0, False),
        (FRESH, 1_000_000, False),
        (FRESH, 1_900_000, True),
        (FRESH, 1_900_000, False),
    ]
    assert verdict(inbox, event(version=2_899_999)) is STALE


def test_without_a_limit_every_version_counts(unlimited):
    assert not admission_of(unlimited, event(version=LARGEST)).jumped
    assert verdict(unlimited, event(version=1)) is STALE


def test_a_version_jump_whose_handler_failed_is_handled_again(inbox):
    jump = event(version=LARGEST)
    fail(inbox, jump)
    assert admission_of(inbox, jump).jumped
    assert verdict(inbox, event(version=1)) is FRESH


def test_forgetting_a_user_deletes_its_versions_on_every_topic_and_no_ids(inbox):
    first = event(version=5)
    verdict(inbox, first)
    verdict(inbox, event(version=7), "auth.events.login")
    verdict(inbox, event(version=5), TOPIC, b"user-2")
    assert inbox.forget(KEY) == Forgotten(versions=2)
    assert [verdict(inbox, first), verdict(inbox, event(version=1))] == [DUPLICATE, FRESH]
    assert verdict(inbox, event(version=1), "auth.events.login") is FRESH
    assert verdict(inbox, event(version=4), TOPIC, b"user-2") is STALE
    assert inbox.forget(b"unknown") == Forgotten()


def test_forgetting_all_makes_every_event_fresh(inbox):
    first = event(version=5)
    verdict(inbox, first)
    verdict(inbox, event(), TOPIC, b"user-2")
    assert inbox.forget_all() == Forgotten(ids=2, versions=1)
    assert [verdict(inbox, event(version=1)), verdict(inbox, first)] == [FRESH, FRESH]


def test_erasure_deletes_the_users_versions_and_keeps_the_events_id(inbox):
    verdict(inbox, event(version=5))
    verdict(inbox, event(version=7), "auth.events.login")
    verdict(inbox, event(version=5), TOPIC, b"user-2")
    end = deleted(version=6)
    assert [verdict(inbox, end), verdict(inbox, end)] == [FRESH, DUPLICATE]
    assert inbox.forget(KEY) == Forgotten()
    assert verdict(inbox, event(version=4), TOPIC, b"user-2") is STALE


def test_erasure_deletes_nothing_when_the_handler_fails(inbox):
    verdict(inbox, event(version=5))
    fail(inbox, deleted(version=6))
    assert verdict(inbox, event(version=4)) is STALE


def test_a_deletion_without_erasure_keeps_the_versions(inbox):
    verdict(inbox, deleted(version=6, erasure_required=False))
    assert verdict(inbox, event(version=5)) is STALE


def test_a_stale_erasure_deletes_nothing(inbox):
    verdict(inbox, event(version=7))
    assert verdict(inbox, deleted(version=6)) is STALE
    assert verdict(inbox, event(version=6)) is STALE
