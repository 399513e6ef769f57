"""Event ids: unique, and sorted by when they were made."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

from immersiverse.auth.events.identifiers import EventIds, derived_event_id, new_event_id

MILLISECOND = 1_000_000


def milliseconds(event_id: str) -> int:
    return uuid.UUID(event_id).int >> 80


def test_an_id_is_a_uuid_of_version_7_in_its_canonical_text() -> None:
    made = new_event_id()
    read = uuid.UUID(made)
    assert (str(read), read.version, read.variant) == (made, 7, uuid.RFC_4122)


def test_an_id_begins_with_the_time() -> None:
    assert (
        milliseconds(EventIds(lambda: 1_748_772_930_123 * MILLISECOND + 999_999).next()) == 1_748_772_930_123
    )


def test_ids_increase_within_a_millisecond() -> None:
    ids = EventIds(lambda: MILLISECOND)
    made = [ids.next() for _ in range(10_000)]
    assert all(earlier < later for earlier, later in pairwise(made))
    assert {milliseconds(each) for each in made} == {1}


def test_ids_increase_while_the_clock_runs_back() -> None:
    clock = iter(range(1_000 * MILLISECOND, 0, -MILLISECOND))
    ids = EventIds(lambda: next(clock))
    made = [ids.next() for _ in range(1_000)]
    assert all(earlier < later for earlier, later in pairwise(made))


def test_ids_follow_the_clock_again_once_it_has_caught_up() -> None:
    clock = iter([5, 1, 5, 6])
    ids = EventIds(lambda: next(clock) * MILLISECOND)
    assert [milliseconds(ids.next()) for _ in range(4)] == [5, 5, 5, 6]


def test_ids_increase_when_a_millisecond_has_no_more_of_them() -> None:
    ids = EventIds(lambda: MILLISECOND)
    before = ids.next()
    ids._counter = (1 << 42) - 2  # four million million ids later
    made = [before, *(ids.next() for _ in range(3))]
    assert all(earlier < later for earlier, later in pairwise(made))
    assert [milliseconds(each) for each in made] == [1, 1, 2, 2]


def test_ids_from_many_threads_are_unique_and_increase_in_each() -> None:
    ids = EventIds()
    with ThreadPoolExecutor(8) as pool:
        by_thread = list(pool.map(lambda _: [ids.next() for _ in range(2_000)], range(8)))
    assert len({each for made in by_thread for each in made}) == 16_000
    assert all(earlier < later for made in by_thread for earlier, later in pairwise(made))


def test_two_sources_do_not_make_the_same_ids_in_the_same_millisecond() -> None:
    one, other = EventIds(lambda: MILLISECOND), EventIds(lambda: MILLISECOND)
    assert not {one.next() for _ in range(100)} & {other.next() for _ in range(100)}


def test_a_derived_id_is_a_uuid_of_version_8_that_never_changes() -> None:
    derived = derived_event_id(b"u-42", b"{}")
    read = uuid.UUID(derived)
    assert (str(read), read.version, read.variant) == (derived, 8, uuid.RFC_4122)
    assert derived == "766547a2-977b-8046-b901-fd6edf4ec728"


def test_a_derived_id_tells_where_the_key_ends() -> None:
    assert derived_event_id(b"ab", b"c") != derived_event_id(b"a", b"bc")
    assert derived_event_id(None, b"abc") == derived_event_id(b"", b"abc")
