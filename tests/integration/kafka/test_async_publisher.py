"""The publisher for event loops gives the same guarantees as the one for threads."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from immersiverse.auth.events import AsyncPublisher, PublishError, PublisherUnusable, UndeliveredEvents
from immersiverse.auth.events.kafka.producer.delivery import Delivery
from integration.kafka.cluster import Cluster, event
from integration.running import ToTopic

NOWHERE = {"bootstrap.servers": "127.0.0.1:1"}
IMPATIENT = {**NOWHERE, "delivery.timeout.ms": 1_000, "linger.ms": 0}


def run(work: Coroutine[Any, Any, None]) -> None:
    """In an event loop, but not forever."""
    asyncio.run(asyncio.wait_for(work, 60))


def test_a_delivery_is_awaited_and_says_where_the_event_is(cluster: Cluster) -> None:
    topic = cluster.create(partitions=1)

    async def work() -> None:
        async with AsyncPublisher(cluster.config, serializer=ToTopic(topic)) as publisher:
            deliveries = [await publisher.send(event("a", number)) for number in range(10)]
            assert [(await delivery).offset for delivery in deliveries] == list(range(10))

    run(work())


def test_tasks_publish_side_by_side_through_a_small_queue(cluster: Cluster) -> None:
    topic = cluster.create()

    async def work() -> None:
        settings = {**cluster.config, "queue.buffering.max.messages": 20}
        async with AsyncPublisher(settings, serializer=ToTopic(topic)) as publisher:

            async def user(name: str) -> None:
                for number in range(100):
                    await publisher.send(event(name, number))

            await asyncio.gather(*(user(f"u-{n}") for n in range(5)))

    run(work())
    numbers: dict[bytes | None, list[int]] = {}
    for message in cluster.read(topic, 500):
        numbers.setdefault(message.key(), []).append(message.offset() or 0)
    assert {len(found) for found in numbers.values()} == {100}


def test_other_tasks_get_their_turn_while_one_publishes_without_end(cluster: Cluster) -> None:
    topic = cluster.create()
    turns = 0

    async def work() -> None:
        async def other() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0)
                turns += 1

        task = asyncio.create_task(other())
        async with AsyncPublisher(cluster.config, serializer=ToTopic(topic)) as publisher:
            for number in range(2_000):
                await publisher.send(event("a", number))
            task.cancel()

    run(work())
    assert turns > 5


def test_callbacks_are_called_in_the_loop(cluster: Cluster) -> None:
    topic = cluster.create()
    loops: list[object] = []

    def heard(_: Delivery) -> None:
        loops.append(asyncio.get_running_loop())

    async def work() -> None:
        async with AsyncPublisher(cluster.config, serializer=ToTopic(topic)) as publisher:
            await publisher.send(event("a"), on_done=heard)
            await publisher.flush()
            assert loops == [asyncio.get_running_loop()]

    run(work())


def test_a_failure_is_raised_where_it_is_awaited() -> None:
    async def work() -> None:
        publisher = AsyncPublisher(IMPATIENT, serializer=ToTopic("x"))
        delivery = await publisher.send(event("a"))
        with pytest.raises(PublishError, match="_MSG_TIMED_OUT"):
            await delivery
        await publisher.close()

    run(work())


def test_leaving_the_block_reports_failures_that_the_caller_has_not_seen() -> None:
    async def work() -> None:
        with pytest.raises(UndeliveredEvents, match="1 failed"):
            async with AsyncPublisher(IMPATIENT, serializer=ToTopic("x")) as publisher:
                await publisher.send(event("a"))

    run(work())


def test_a_flush_that_times_out_says_which_events_are_pending() -> None:
    async def work() -> None:
        publisher = AsyncPublisher(NOWHERE, serializer=ToTopic("x"))
        sent = (await publisher.send(event("a"))).event
        with pytest.raises(UndeliveredEvents) as undelivered:
            await publisher.flush(0.05)
        assert undelivered.value.pending == (sent,)
        with pytest.raises(UndeliveredEvents):
            await publisher.close(0)

    run(work())


def test_publishing_that_waits_for_room_can_be_given_up() -> None:
    async def work() -> None:
        settings = {**NOWHERE, "queue.buffering.max.messages": 2}
        publisher = AsyncPublisher(settings, serializer=ToTopic("x"))
        for number in range(2):
            await publisher.send(event("a", number))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(publisher.send(event("a", 2)), 0.1)
        with pytest.raises(UndeliveredEvents) as undelivered:
            await publisher.close(0)
        assert len(undelivered.value.pending) == 2

    run(work())


def test_another_loop_is_refused(cluster: Cluster) -> None:
    publisher = AsyncPublisher(cluster.config, serializer=ToTopic(cluster.create()))

    async def once() -> None:
        await publisher.send(event("a"))
        await publisher.flush()

    run(once())
    with pytest.raises(PublisherUnusable, match="another event loop"):
        run(once())


def test_waiting_instead_of_awaiting_is_refused() -> None:
    async def work() -> None:
        publisher = AsyncPublisher(NOWHERE, serializer=ToTopic("x"))
        delivery = await publisher.send(event("a"))
        with pytest.raises(PublisherUnusable, match="await the delivery"):
            delivery.result()
        with pytest.raises(UndeliveredEvents):
            await publisher.close(0)

    run(work())


def test_a_closed_publisher_publishes_nothing(cluster: Cluster) -> None:
    async def work() -> None:
        publisher = AsyncPublisher(cluster.config, serializer=ToTopic("x"))
        await publisher.close()
        await publisher.close()
        with pytest.raises(PublisherUnusable, match="closed"):
            await publisher.send(event("a"))

    run(work())
