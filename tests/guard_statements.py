"""What holds of every guard. A folder of tests gives the fixture `guard` and imports all of this.

The fixture is a plain guard: see guard_makers for async ones.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from immersiverse.auth.events import UserCreated, new_event
from immersiverse.auth.events.guards import Guard, Verdict
from immersiverse.auth.events.v1.events_pb2 import AuthEvent

TOPIC, KEY = "auth.events.user", b"user-1"
FRESH, DUPLICATE, STALE = Verdict.FRESH, Verdict.DUPLICATE, Verdict.STALE


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


def verdict(guard: Guard, event: AuthEvent, topic: str = TOPIC, key: bytes | None = KEY) -> Verdict:
    """The guard's word on an event, which is then handled if it is fresh."""
    with guard.admit(event, topic, key) as admission:
        return admission.verdict


def fail(guard: Guard, event: AuthEvent, after: Callable[[Any], None] = lambda _: None) -> None:
    """Have a handler do something with the transaction of a fresh event, and fail."""

    def handle() -> None:
        with guard.admit(event, TOPIC, KEY) as admission:
            assert admission.verdict is FRESH
            after(admission.transaction)
            raise HandlerFailed

    with pytest.raises(HandlerFailed):
        handle()


def test_an_event_that_was_handled_is_a_duplicate_from_then_on(guard):
    first = event()
    assert [verdict(guard, first) for _ in range(3)] == [FRESH, DUPLICATE, DUPLICATE]


def test_events_of_different_ids_are_all_fresh(guard):
    assert [verdict(guard, event()) for _ in range(3)] == [FRESH] * 3


def test_an_event_whose_handler_failed_is_fresh_again(guard):
    first = event(version=1)
    fail(guard, first)
    fail(guard, first)
    assert [verdict(guard, first), verdict(guard, first)] == [FRESH, DUPLICATE]


def test_a_failure_leaves_the_last_version_where_it_was(guard):
    verdict(guard, event(version=1))
    fail(guard, event(version=5))
    with guard.admit(event(version=2), TOPIC, KEY) as admission:
        assert (admission.verdict, admission.last) == (FRESH, 1)


def test_a_version_at_or_below_the_last_is_stale(guard):
    verdicts = [verdict(guard, event(version)) for version in (3, 2, 3, 4, 1)]
    assert verdicts == [FRESH, STALE, STALE, FRESH, STALE]


def test_a_stale_event_stays_stale_and_is_never_a_duplicate(guard):
    verdict(guard, event(version=3))
    late = event(version=2)
    assert [verdict(guard, late), verdict(guard, late)] == [STALE, STALE]


def test_the_last_version_comes_with_the_verdict_so_that_gaps_show(guard):
    seen = []
    for version in (1, 4, 2):
        with guard.admit(event(version), TOPIC, KEY) as admission:
            seen.append((admission.verdict, admission.last))
    assert seen == [(FRESH, 0), (FRESH, 1), (STALE, 4)]


def test_unversioned_events_are_never_stale_and_move_nothing(guard):
    verdicts = [verdict(guard, event(version)) for version in (2, 0, 0, 3)]
    assert verdicts == [FRESH] * 4
    assert verdict(guard, event(version=-7)) is FRESH


def test_versions_count_for_each_topic_and_key_by_itself(guard):
    assert verdict(guard, event(version=5)) is FRESH
    assert verdict(guard, event(version=1), "auth.events.login") is FRESH
    assert verdict(guard, event(version=1), TOPIC, b"user-2") is FRESH
    assert verdict(guard, event(version=1), TOPIC, b"") is FRESH
    assert verdict(guard, event(version=4)) is STALE


def test_an_id_counts_on_every_topic_and_key(guard):
    first = event()
    assert verdict(guard, first) is FRESH
    assert verdict(guard, first, "auth.events.login", b"user-2") is DUPLICATE


def test_events_without_a_key_belong_to_no_user_so_none_is_stale(guard):
    first = event(version=9)
    assert verdict(guard, first, key=None) is FRESH
    assert verdict(guard, event(version=1), key=None) is FRESH
    assert verdict(guard, first, key=None) is DUPLICATE


def test_events_without_an_id_are_never_duplicates(guard):
    nameless = event(event_id="")
    assert [verdict(guard, nameless), verdict(guard, nameless)] == [FRESH, FRESH]


@pytest.mark.parametrize(
    "event_id", ["x" * 100_000, "a\x00b", "이벤트", "' OR 1=1 --", "{braces}", "a:b", " "]
)
def test_any_text_is_an_id(guard, event_id):
    strange = event(event_id=event_id)
    assert [verdict(guard, strange), verdict(guard, strange)] == [FRESH, DUPLICATE]
    assert verdict(guard, event(event_id=event_id + "x")) is FRESH


@pytest.mark.parametrize("key", [b"\x00\xff", b"k" * 100_000, b":", "사용자".encode()])
def test_any_bytes_are_a_key(guard, key):
    assert [verdict(guard, event(version), TOPIC, key) for version in (2, 1)] == [FRESH, STALE]
    assert verdict(guard, event(version=1), TOPIC, key + b"x") is FRESH


def test_the_largest_versions_are_told_apart(guard):
    largest = (1 << 63) - 1
    verdicts = [verdict(guard, event(version)) for version in (largest - 1, largest, largest - 1)]
    assert verdicts == [FRESH, FRESH, STALE]


def test_versions_of_different_lengths_compare_as_numbers(guard):
    assert [verdict(guard, event(version)) for version in (9, 10, 9, 100, 20)] == [
        FRESH, FRESH, STALE, FRESH, STALE,
    ]  # fmt: skip


def test_an_event_is_remembered_as_it_came_whatever_its_handler_makes_of_it(guard):
    first = event(version=3)
    original = AuthEvent.FromString(first.SerializeToString())
    with guard.admit(first, TOPIC, KEY):
        first.event_id, first.version = "another", 9
    assert [verdict(guard, original), verdict(guard, event(version=4))] == [DUPLICATE, FRESH]


def test_an_event_that_its_handler_changed_before_it_failed_is_fresh_again(guard):
    first = event(version=3)
    original = AuthEvent.FromString(first.SerializeToString())
    fail(guard, first, lambda _: first.Clear())
    assert verdict(guard, original) is FRESH
