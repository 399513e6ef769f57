"""What holds of every guard. A folder of tests gives the fixtures `guard` and `unlimited` and imports this.

The fixtures are plain guards (see guard_makers for async ones), the latter without a limit to jumps.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from immersiverse.auth.events import UserCreated, UserDeleted, new_event
from immersiverse.auth.events.guards import Admission, Forgotten, Guard, Verdict
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
    """The end of the same user."""
    payload = UserDeleted(user_id="user-1", erasure_required=erasure_required)
    payload.deleted_at.FromDatetime(datetime(2025, 6, 2, tzinfo=UTC))
    return new_event(payload, source="/services/auth", version=version)


def admission_of(guard: Guard, event: AuthEvent, topic: str = TOPIC) -> Admission:
    """The guard's answer on an event, which is then handled if it is fresh."""
    with guard.admit(event, topic, KEY) as admission:
        return admission


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


def test_the_largest_versions_are_told_apart(unlimited):
    verdicts = [verdict(unlimited, event(version)) for version in (LARGEST - 1, LARGEST, LARGEST - 1)]
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


@pytest.mark.parametrize("last", [0, 1])
def test_a_version_beyond_reason_is_handled_and_makes_no_later_event_stale(guard, last):
    verdict(guard, event(version=last))
    forged = event(version=LARGEST)
    answer = admission_of(guard, forged)
    assert (answer.verdict, answer.last, answer.jumped) == (FRESH, last, True)
    assert verdict(guard, forged) is DUPLICATE
    assert [verdict(guard, event(version)) for version in (last + 1, last + 2, last + 1)] == [
        FRESH, FRESH, STALE,
    ]  # fmt: skip


def test_a_version_counts_as_long_as_it_is_no_further_than_the_limit_beyond_the_last(guard):
    answers = [
        admission_of(guard, event(version)) for version in (1_000_000, 1_900_000, 2_900_001, 2_900_000)
    ]
    assert [(answer.verdict, answer.last, answer.jumped) for answer in answers] == [
        (FRESH, 0, False),
        (FRESH, 1_000_000, False),
        (FRESH, 1_900_000, True),
        (FRESH, 1_900_000, False),
    ]
    assert verdict(guard, event(version=2_899_999)) is STALE


def test_without_a_limit_every_version_counts(unlimited):
    assert not admission_of(unlimited, event(version=LARGEST)).jumped
    assert verdict(unlimited, event(version=1)) is STALE


def test_a_handler_that_fails_at_a_version_beyond_reason_gets_it_again(guard):
    forged = event(version=LARGEST)
    fail(guard, forged)
    assert admission_of(guard, forged).jumped
    assert verdict(guard, event(version=1)) is FRESH


def test_a_forgotten_users_next_event_is_fresh_on_every_topic_and_its_ids_stay_known(guard):
    first = event(version=5)
    verdict(guard, first)
    verdict(guard, event(version=7), "auth.events.login")
    verdict(guard, event(version=5), TOPIC, b"user-2")
    assert guard.forget(KEY) == Forgotten(versions=2)
    assert [verdict(guard, first), verdict(guard, event(version=1))] == [DUPLICATE, FRESH]
    assert verdict(guard, event(version=1), "auth.events.login") is FRESH
    assert verdict(guard, event(version=4), TOPIC, b"user-2") is STALE
    assert guard.forget(b"nobody") == Forgotten()


def test_a_forgotten_consumer_has_handled_nothing(guard):
    first = event(version=5)
    verdict(guard, first)
    verdict(guard, event(), TOPIC, b"user-2")
    assert guard.forget_all() == Forgotten(ids=2, versions=1)
    assert [verdict(guard, event(version=1)), verdict(guard, first)] == [FRESH, FRESH]


def test_a_user_who_is_erased_leaves_no_version_and_the_event_stays_known(guard):
    verdict(guard, event(version=5))
    verdict(guard, event(version=7), "auth.events.login")
    verdict(guard, event(version=5), TOPIC, b"user-2")
    end = deleted(version=6)
    assert [verdict(guard, end), verdict(guard, end)] == [FRESH, DUPLICATE]
    assert guard.forget(KEY) == Forgotten()
    assert verdict(guard, event(version=4), TOPIC, b"user-2") is STALE


def test_an_erased_user_is_forgotten_only_when_that_was_handled(guard):
    verdict(guard, event(version=5))
    fail(guard, deleted(version=6))
    assert verdict(guard, event(version=4)) is STALE


def test_a_user_whose_end_asks_for_no_erasure_is_not_forgotten(guard):
    verdict(guard, deleted(version=6, erasure_required=False))
    assert verdict(guard, event(version=5)) is STALE


def test_a_stale_end_of_a_user_forgets_nothing(guard):
    verdict(guard, event(version=7))
    assert verdict(guard, deleted(version=6)) is STALE
    assert verdict(guard, event(version=6)) is STALE
