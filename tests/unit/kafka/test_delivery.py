"""Who learns how a delivery ended, and what is kept of those that nothing watches."""

from __future__ import annotations

import asyncio
import threading

import pytest

from immersiverse.auth.events import AuthEvent, Delivery, PublishError
from immersiverse.auth.events.kafka.producer.delivery import UnobservedFailures


def failed() -> Delivery:
    delivery = Delivery(AuthEvent(event_id="1"), "topic")
    delivery.complete(-1, -1, PublishError(delivery.event, "topic", "CODE", "no", retryable=False))
    return delivery


def test_a_result_is_returned_when_the_delivery_is_completed_in_another_thread() -> None:
    delivery = Delivery(AuthEvent(), "topic")
    threading.Timer(0.05, delivery.complete, (1, 7, None)).start()
    assert delivery.result(10) is delivery
    assert (delivery.partition, delivery.offset) == (1, 7)


def test_failures_beyond_the_last_hundred_are_counted_and_not_kept() -> None:
    failures = UnobservedFailures()
    for _ in range(250):
        assert failed().add_to(failures)
    assert (failures.count, len(failures.last)) == (250, 100)


def test_a_failure_that_is_seen_later_counts_no_more_whether_kept_or_not() -> None:
    failures = UnobservedFailures()
    deliveries = [failed() for _ in range(150)]
    for delivery in deliveries:
        delivery.add_to(failures)
    for delivery in (deliveries[0], deliveries[-1]):
        for _ in range(2):  # seen again it is not counted again
            with pytest.raises(PublishError):
                delivery.result()
    assert (failures.count, len(failures.last)) == (148, 99)


def test_a_failure_after_its_waiters_gave_up_is_unobserved() -> None:
    delivery = Delivery(AuthEvent(event_id="1"), "topic")
    with pytest.raises(TimeoutError):
        delivery.result(0.01)

    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(_awaited(delivery), 0.01)

    asyncio.run(give_up())
    assert delivery.add_to(UnobservedFailures())


async def _awaited(delivery: Delivery) -> Delivery:
    return await delivery


def test_a_failure_with_a_callback_or_a_waiter_is_observed() -> None:
    with_callback = Delivery(AuthEvent(), "topic", lambda _: None)
    waited_for = Delivery(AuthEvent(), "topic")
    thread = threading.Thread(target=waited_for.result, daemon=True)
    thread.start()
    while not waited_for._watchers:
        thread.join(0.001)
    assert not with_callback.add_to(UnobservedFailures())
    assert not waited_for.add_to(UnobservedFailures())
    waited_for.complete(0, 0, None)
    thread.join(10)
