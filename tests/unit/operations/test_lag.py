"""How far groups are behind."""

from __future__ import annotations

from immersiverse.auth.events.operations.groups import Group
from immersiverse.auth.events.operations.lag import lags, total
from immersiverse.auth.events.operations.partitions import Extent, Partition

ZERO, ONE, TWO = (Partition("auth.events.login", number) for number in range(3))
GROUP = Group("analytics", "stable", ("a at 127.0.0.1",), (ONE,))


def test_a_group_is_behind_by_what_it_has_not_read():
    (row,) = lags(Group("g", "empty", (), ()), {ZERO: 7}, {ZERO: Extent(0, 10)})
    assert (row.committed, row.end, row.behind) == (7, 10, 3)


def test_a_partition_that_is_assigned_and_not_committed_waits_as_a_whole():
    (row,) = lags(GROUP, {}, {ONE: Extent(4, 10)})
    assert (row.partition, row.committed, row.behind) == (ONE, None, 6)


def test_what_retention_took_is_no_lag():
    (row,) = lags(Group("g", "empty", (), ()), {ZERO: 1}, {ZERO: Extent(8, 10)})
    assert row.behind == 2


def test_a_topic_made_anew_is_no_negative_lag():
    (row,) = lags(Group("g", "empty", (), ()), {ZERO: 50}, {ZERO: Extent(0, 10)})
    assert row.behind == 0


def test_partitions_that_are_gone_or_not_asked_for_are_left_out():
    rows = lags(GROUP, {ZERO: 1, TWO: 1}, {TWO: Extent(0, 3), ONE: Extent(0, 1)})
    assert [row.partition for row in rows] == [ONE, TWO]
    assert total(rows) == 3
