"""A consumer's lag is told of the partitions that it has, and of no others."""

from __future__ import annotations

from immersiverse.auth.events.observability.hooks import Lag
from immersiverse.auth.events.observability.lag import LagReport, consumer_lags

UNKNOWN = -1001  # librdkafka's word for an offset that it does not know


def partition(number, *, desired=True, committed=UNKNOWN, lag=-1, retained=(UNKNOWN, UNKNOWN)):
    return {
        "partition": number,
        "desired": desired,
        "committed_offset": committed,
        "consumer_lag": lag,
        "lo_offset": retained[0],
        "ls_offset": retained[1],
    }


def statistics(*partitions, name="rdkafka#consumer-1"):
    topic = {"partitions": {str(each["partition"]): each for each in partitions}}
    return {"name": name, "topics": {"auth.events.user": topic}}


def lags(*partitions, from_beginning=True):
    found = consumer_lags(statistics(*partitions), from_beginning=from_beginning)
    return {number: lag for (_, number), lag in found.items()}


def test_what_is_not_committed_is_behind():
    assert lags(partition(0, committed=90, lag=10), partition(1, committed=5, lag=0)) == {0: 10, 1: 0}


def test_partitions_that_were_given_away_have_no_lag_here():
    assert lags(partition(0, committed=90, lag=10, desired=False)) == {}


def test_the_partition_that_only_librdkafka_knows_is_left_out():
    assert lags(partition(-1, committed=90, lag=10)) == {}


def test_a_group_that_has_committed_nothing_is_behind_by_all_that_is_retained():
    assert lags(partition(0, retained=(40, 100)), partition(1, retained=(0, 0))) == {0: 60, 1: 0}


def test_a_group_that_begins_at_the_end_has_no_known_lag_before_its_first_commit():
    assert lags(partition(0, retained=(40, 100)), from_beginning=False) == {}


def test_a_lag_that_is_not_known_yet_is_not_told():
    assert lags(partition(0), partition(1, committed=7)) == {}


def test_a_consumer_without_topics_has_no_lag():
    assert consumer_lags({"name": "rdkafka#consumer-1"}, from_beginning=True) == {}


def test_partitions_that_leave_are_forgotten_at_once_and_the_rest_is_told_again():
    told = []
    report = LagReport("analytics", told.append, from_beginning=True)
    report.heed(statistics(partition(0, committed=1, lag=3), partition(1, committed=1, lag=4)))
    report.withdraw([("auth.events.user", 0), ("auth.events.user", 7)])
    report.end()
    zero, one = ("auth.events.user", 0), ("auth.events.user", 1)
    expected = ({zero: 3, one: 4}, {one: 4}, {})
    assert told == [Lag("rdkafka#consumer-1", "analytics", partitions) for partitions in expected]


def test_a_consumer_that_never_told_anything_takes_nothing_back():
    told = []
    report = LagReport("analytics", told.append, from_beginning=True)
    report.withdraw([("auth.events.user", 0)])
    report.end()
    assert told == []
