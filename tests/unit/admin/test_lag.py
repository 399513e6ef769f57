"""Consumer lag."""

from __future__ import annotations

from immersiverse.auth.events.admin.groups import ConsumerGroup
from immersiverse.auth.events.admin.lag import lags
from immersiverse.auth.events.admin.topics import OffsetRange
from immersiverse.auth.events.partition import Partition

ZERO, ONE, TWO = (Partition("auth.events.login", number) for number in range(3))
GROUP = ConsumerGroup("analytics", "stable", ("a at 127.0.0.1",), (ONE,))


def test_the_lag_is_what_is_not_read_yet():
    (row,) = lags(ConsumerGroup("g", "empty", (), ()), {ZERO: 7}, {ZERO: OffsetRange(0, 10)})
    assert (row.committed, row.end, row.behind) == (7, 10, 3)


def test_an_assigned_partition_without_a_commit_counts_as_a_whole():
    (row,) = lags(GROUP, {}, {ONE: OffsetRange(4, 10)})
    assert (row.partition, row.committed, row.behind) == (ONE, None, 6)


def test_deleted_messages_do_not_count():
    (row,) = lags(ConsumerGroup("g", "empty", (), ()), {ZERO: 1}, {ZERO: OffsetRange(8, 10)})
    assert row.behind == 2


def test_a_recreated_topic_has_no_negative_lag():
    (row,) = lags(ConsumerGroup("g", "empty", (), ()), {ZERO: 50}, {ZERO: OffsetRange(0, 10)})
    assert row.behind == 0


def test_partitions_that_are_gone_or_not_asked_for_are_left_out():
    rows = lags(GROUP, {ZERO: 1, TWO: 1}, {TWO: OffsetRange(0, 3), ONE: OffsetRange(0, 1)})
    assert [row.partition for row in rows] == [ONE, TWO]
    assert [row.behind for row in rows] == [1, 2]
