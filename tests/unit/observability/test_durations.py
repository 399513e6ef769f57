"""A histogram of durations."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from immersiverse.auth.events.observability.hooks import BOUNDS, Durations

seconds = st.floats(0, 1000) | st.sampled_from(BOUNDS)


def durations(of):
    made = Durations()
    for each in of:
        made.add(each)
    return made


@given(st.lists(seconds))
def test_each_bound_counts_what_took_at_most_so_long(taken):
    made = durations(taken)
    assert made.cumulative == [*(sum(each <= bound for each in taken) for bound in BOUNDS), len(taken)]
    assert made.count == len(taken)


@given(st.lists(st.integers(0, 1000) | st.sampled_from(BOUNDS)), st.lists(st.integers(0, 1000)))
def test_adding_many_is_adding_each(some, others):
    at_once, one_by_one = durations(some), durations([*some, *others])
    at_once.extend(list(others))
    assert at_once.counts == one_by_one.counts
    assert at_once.seconds == pytest.approx(one_by_one.seconds)


@given(st.lists(st.integers(0, 1000)), st.lists(st.integers(0, 1000)))
def test_merging_is_counting_together(some, others):
    merged, together = durations(some), durations([*some, *others])
    merged.merge(durations(others))
    assert (merged.counts, merged.seconds) == (together.counts, together.seconds)


def test_many_of_one_duration_are_added_at_once():
    made = Durations()
    made.add(0.5, 4)
    assert (made.count, made.seconds, made.cumulative[-1]) == (4, 2.0, 4)
