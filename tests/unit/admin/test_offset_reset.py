"""Plans of offset resets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from immersiverse.auth.events.admin.offset_reset import (
    ToBeginning,
    ToEnd,
    ToOffset,
    ToTimestamp,
    change_of,
)
from immersiverse.auth.events.admin.topics import OffsetRange
from immersiverse.auth.events.partition import Partition

PARTITION = Partition("auth.events.login", 0)
HOLDS = OffsetRange(100, 200)


def move(target, committed=150, found=None):
    return change_of(PARTITION, HOLDS, committed, target, found)


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
def test_a_plan_says_where_a_group_continues_and_what_it_reads_again_or_skips(
    target, found, then, again, skipped
):
    planned = move(target, found=found)
    assert (planned.current, planned.target, planned.again, planned.skipped) == (150, then, again, skipped)
    assert planned.note == ""


@pytest.mark.parametrize(
    ("offset", "then", "note"),
    [
        (99, 100, "99 was deleted: the first offset is 100"),
        (201, 200, "201 is not written yet: the end is 200"),
    ],
)
def test_an_offset_out_of_range_becomes_the_nearest_with_a_note(offset, then, note):
    planned = move(ToOffset(offset))
    assert (planned.target, planned.note) == (then, note)


def test_a_time_after_all_messages_becomes_the_end_with_a_note():
    planned = move(ToTimestamp(1), found=None)
    assert (planned.target, planned.skipped, planned.note) == (200, 50, "all messages are older")


def test_a_group_that_has_committed_nothing_reads_nothing_again():
    planned = move(ToBeginning(), committed=None)
    assert (planned.current, planned.target, planned.again, planned.skipped) == (None, 100, 0, 0)


@pytest.mark.parametrize(("committed", "again"), [(20, 0), (999, 100)])
def test_what_retention_took_is_not_counted(committed, again):
    assert move(ToBeginning(), committed=committed).again == again


@given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 300), st.integers(0, 100))
def test_a_target_is_within_the_partition_and_the_counts_add_up(offset, committed, first, held):
    extent = OffsetRange(first, first + held)
    planned = change_of(PARTITION, extent, committed, ToOffset(offset))
    assert extent.first <= planned.target <= extent.end
    assert extent.clamp(committed) - planned.again + planned.skipped == planned.target
    assert not (planned.again and planned.skipped)
    assert bool(planned.note) == (planned.target != offset)
