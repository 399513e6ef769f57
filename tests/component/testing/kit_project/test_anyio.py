"""Tests in an event loop of anyio's."""

from __future__ import annotations

import asyncio

import pytest

from immersiverse.auth.events import (
    AsyncPublisher,
    AuthEvent,
    AuthEventDeserializer,
    AuthEventSerializer,
    PinnedSchemas,
    Subscriber,
    UserCreated,
)
from immersiverse.auth.events.testing import PublishedEvents, SubscriberTest, sample_event

pytestmark = pytest.mark.anyio
SERIALIZER = AuthEventSerializer(PinnedSchemas(1))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_an_async_publisher_reaches_the_sessions_broker(
    auth_events_kafka: str, published: PublishedEvents
) -> None:
    event = sample_event(UserCreated)
    async with AsyncPublisher({"bootstrap.servers": auth_events_kafka}, serializer=SERIALIZER) as publisher:
        await publisher.publish(event)
    assert await asyncio.to_thread(published.wait_for, 1) == [event]


async def test_a_subscriber_is_tested_in_an_event_loop() -> None:
    config = {"bootstrap.servers": "kafka:9092", "group.id": "tests"}
    subscriber = Subscriber(config, deserializer=AuthEventDeserializer())
    seen: list[str] = []

    @subscriber.on(UserCreated)
    async def handle(_event: AuthEvent, user: UserCreated) -> None:
        await asyncio.sleep(60)
        seen.append(user.username)

    async with SubscriberTest(subscriber) as test:
        assert (await test.feed_async(sample_event(UserCreated, username="alice"))).handled
    assert seen == ["alice"]
