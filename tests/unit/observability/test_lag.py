"""A consumer reports the lag of the partitions assigned to it, and of no others."""

from __future__ import annotations

from immersiverse.auth.events.observability.hooks import Lag
from immersiverse.auth.events.observability.lag import LagReport, consumer_lags

UNKNOWN = -1001  # librdkafka's value of an unknown offset


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


def test_revoked_partitions_have_no_lag():
    assert lags(partition(0, committed=90, lag=10, desired=False)) == {}


def test_librdkafkas_internal_partition_is_omitted():
    assert lags(partition(-1, committed=90, lag=10)) == {}


def test_a_group_that_has_committed_nothing_is_behind_by_all_that_is_retained():
    assert lags(partition(0, retained=(40, 100)), partition(1, retained=(0, 0))) == {0: 60, 1: 0}


def test_a_group_that_begins_at_the_end_has_no_known_lag_before_its_first_commit():
    assert lags(partition(0, retained=(40, 100)), from_beginning=False) == {}


def test_an_unknown_lag_is_not_reported():
    assert lags(partition(0), partition(1, committed=7)) == {}


def test_a_consumer_without_topics_has_no_lag():
    assert consumer_lags({"name": "rdkafka#consumer-1"}, from_beginning=True) == {}


def test_revoked_partitions_are_dropped_at_once_and_the_others_reported_again():
    reported = []
    report = LagReport("analytics", reported.append, from_beginning=True)
    report.update(statistics(partition(0, committed=1, lag=3), partition(1, committed=1, lag=4)))
    report.withdraw([("auth.events.user", 0), ("auth.events.user", 7)])
    report.end()
    zero, one = ("auth.events.user", 0), ("auth.events.user", 1)
    expected = ({zero: 3, one: 4}, {one: 4}, {})
    assert reported == [Lag("rdkafka#consumer-1", "analytics", partitions) for partitions in expected]


def test_a_consumer_that_reported_no_lag_withdraws_none():
    reported = []
    report = LagReport("analytics", reported.append, from_beginning=True)
    report.withdraw([("auth.events.user", 0)])
    report.end()
    assert reported == []
