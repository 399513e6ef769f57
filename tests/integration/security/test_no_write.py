"""Who may write nowhere is refused as an idempotent producer: each failure is reported, and nothing hangs."""

from __future__ import annotations

import asyncio

import pytest

from immersiverse.auth.events import AsyncPublisher, PublishError, UndeliveredEvents
from integration.running import ToTopic, eventually, logged_out
from integration.security.guarded import User


def test_a_publisher_that_may_write_nowhere_reports_each_event_and_can_be_closed(
    user: User, topic: str
) -> None:
    user.may("DESCRIBE", topic)
    publisher = user.publisher(topic)
    looked_at, unseen = publisher.send(logged_out()), publisher.send(logged_out())
    with pytest.raises(PublishError) as refusal:
        looked_at.result(20)
    assert (refusal.value.code, refusal.value.retryable) == ("CLUSTER_AUTHORIZATION_FAILED", False)
    with pytest.raises(PublishError, match="CLUSTER_AUTHORIZATION_FAILED"):
        publisher.send(logged_out())
    with pytest.raises(UndeliveredEvents) as undelivered:
        publisher.close()
    assert [error.event for error in undelivered.value.failed] == [unseen.event]


def test_its_events_are_settled_though_the_caller_does_not_wait_for_them(user: User, topic: str) -> None:
    user.may("DESCRIBE", topic)
    publisher = user.publisher(topic)
    delivery = publisher.send(logged_out(), on_done=lambda _: None)
    eventually(lambda: delivery.done)
    assert delivery.error is not None
    publisher.close()


def test_an_async_publisher_that_may_write_nowhere_does_not_hang(user: User, topic: str) -> None:
    user.may("DESCRIBE", topic)

    async def publish() -> None:
        async with AsyncPublisher(user.config, serializer=ToTopic(topic)) as publisher:
            delivery = await publisher.send(logged_out())
            async with asyncio.timeout(20):
                with pytest.raises(PublishError, match="CLUSTER_AUTHORIZATION_FAILED"):
                    await delivery

    asyncio.run(publish())
