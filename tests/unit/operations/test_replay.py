"""Plans of replays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from immersiverse.auth.events.operations.partitions import Extent, Partition
from immersiverse.auth.events.operations.replay import (
    State,
    ToBeginning,
    ToEnd,
    ToOffset,
    ToTimestamp,
    plan,
)

PARTITION = Partition("auth.events.login", 0)
HOLDS = Extent(100, 200)


def move(target, committed=150, found=None):
    (only,) = plan([State(PARTITION, HOLDS, committed, found)], target)
    return only


@pytest.mark.parametrize(
    ("target", "found", "then", "again", "skipped"),
    [
        (ToBeginning(), None, 100, 50, 0),
        (ToEnd(), None, 200, 0, 50),
        (ToOffset(120), None, 120, 30, 0),
        (ToOffset(150), None, 150, 0, 0),
        (ToOffset(200), None, 200, 0, 50),
        (ToTimestamp(1), 110, 110, 40, 0),
    ],
)
def test_a_plan_says_where_a_group_reads_on_and_what_that_means(target, found, then, again, skipped):
    planned = move(target, found=found)
    assert (planned.current, planned.target, planned.again, planned.skipped) == (150, then, again, skipped)
    assert planned.note == ""


@pytest.mark.parametrize(
    ("offset", "then", "note"),
    [(99, 100, "99 is gone: it begins at 100"), (201, 200, "201 is not written yet: it ends at 200")],
)
def test_an_offset_out_of_range_becomes_the_nearest_and_that_is_said(offset, then, note):
    planned = move(ToOffset(offset))
    assert (planned.target, planned.note) == (then, note)


def test_a_moment_after_everything_is_the_end_and_that_is_said():
    planned = move(ToTimestamp(1), found=None)
    assert (planned.target, planned.skipped, planned.note) == (200, 50, "everything is older")


def test_a_group_that_has_committed_nothing_reads_nothing_again():
    planned = move(ToBeginning(), committed=None)
    assert (planned.current, planned.target, planned.again, planned.skipped) == (None, 100, 0, 0)


@pytest.mark.parametrize(("committed", "again"), [(20, 0), (999, 100)])
def test_what_retention_took_is_not_counted(committed, again):
    assert move(ToBeginning(), committed=committed).again == again


@given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 300), st.integers(0, 100))
def test_a_plan_never_leaves_the_partition_and_accounts_for_the_whole_way(offset, committed, first, held):
    extent = Extent(first, first + held)
    (planned,) = plan([State(PARTITION, extent, committed)], ToOffset(offset))
    assert extent.first <= planned.target <= extent.end
    assert extent.clamp(committed) - planned.again + planned.skipped == planned.target
    assert not (planned.again and planned.skipped)
    assert bool(planned.note) == (planned.target != offset)
