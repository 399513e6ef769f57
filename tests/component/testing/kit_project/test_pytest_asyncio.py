"""Tests in an event loop of pytest-asyncio's."""

from __future__ import annotations

import asyncio

import pytest

from immersiverse.auth.events import AsyncPublisher, AuthEventSerializer, PinnedSchemas, UserCreated
from immersiverse.auth.events.testing import AsyncPublisherTest, PublishedEvents, sample_event

pytest.importorskip("pytest_asyncio")
SERIALIZER = AuthEventSerializer(PinnedSchemas(1))


@pytest.mark.asyncio
async def test_an_async_publisher_reaches_the_sessions_broker(
    auth_events_kafka: str, published: PublishedEvents
) -> None:
    event = sample_event(UserCreated)
    async with AsyncPublisher({"bootstrap.servers": auth_events_kafka}, serializer=SERIALIZER) as publisher:
        await publisher.publish(event)
    assert await asyncio.to_thread(published.wait_for, 1) == [event]


@pytest.mark.asyncio
async def test_an_async_publisher_is_tested_without_a_broker() -> None:
    event = sample_event(UserCreated)
    async with AsyncPublisherTest() as publisher:
        await publisher.publish(event)
    assert publisher.published == [event]
