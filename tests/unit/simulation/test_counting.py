"""What is counted of a stream."""

from __future__ import annotations

import pytest

from immersiverse.auth.events.simulation import OrderWatch, Tally
from immersiverse.auth.events.v1 import events_pb2 as v1


def at(seconds, **payload):
    event = v1.AuthEvent(**payload)
    event.timestamp.seconds = seconds
    return event


def success(version=0, user="u-1"):
    return v1.AuthEvent(version=version, login_succeeded=v1.LoginSucceeded(user_id=user))


def failure(reason):
    return v1.AuthEvent(login_failed=v1.LoginFailed(reason=reason))


def test_the_success_rate_is_the_share_of_logins_that_succeeded():
    tally = Tally()
    assert tally.success_rate == 0
    for event in (success(), success(), success(), failure(v1.LOGIN_FAILURE_REASON_BLACKLISTED)):
        tally.count(event)
    assert tally.success_rate == pytest.approx(0.75)


def test_failures_are_counted_by_reason_in_words():
    tally = Tally()
    tally.count(failure(v1.LOGIN_FAILURE_REASON_INVALID_CREDENTIALS))
    tally.count(failure(v1.LOGIN_FAILURE_REASON_INVALID_CREDENTIALS))
    tally.count(failure(99))
    assert tally.failures == {"invalid credentials": 2, "reason 99": 1}


def test_users_who_left_are_not_counted_as_users():
    tally = Tally()
    for event in (
        v1.AuthEvent(user_created=v1.UserCreated(user_id="a")),
        v1.AuthEvent(user_created=v1.UserCreated(user_id="b")),
        v1.AuthEvent(user_deleted=v1.UserDeleted(user_id="a")),
    ):
        tally.count(event)
    assert (tally.users, tally.total) == (1, 3)


def test_the_time_between_events_is_told_in_days_whatever_their_order():
    tally = Tally()
    assert tally.days == 0
    for seconds in (200_000, 100_000, 186_400):
        tally.count(at(seconds, logged_out=v1.LoggedOut(user_id="u")))
    assert tally.days == pytest.approx(100_000 / 86_400)


def test_an_event_without_a_payload_counts_for_nothing():
    tally, order = Tally(), OrderWatch()
    tally.count(v1.AuthEvent(version=1))
    order.see(v1.AuthEvent(version=1))
    assert (tally.total, order.users) == (0, 0)


def test_an_event_that_comes_after_a_later_one_is_late():
    order = OrderWatch()
    for version in (1, 3, 2, 4):
        order.see(success(version))
    assert (order.late, order.users) == (1, 1)


def test_a_repeated_event_is_late_too():
    order = OrderWatch()
    order.see(success(1))
    order.see(success(1))
    assert order.late == 1


def test_users_and_topics_have_orders_of_their_own():
    order = OrderWatch()
    order.see(success(5, "a"))
    order.see(success(1, "b"))
    order.see(v1.AuthEvent(version=2, user_updated=v1.UserUpdated(user_id="a")))
    assert (order.late, order.users) == (0, 2)


def test_unversioned_events_have_no_order():
    order = OrderWatch()
    order.see(success(0))
    order.see(success(0))
    assert (order.late, order.users) == (0, 0)
