"""What callbacks and failing clients do to a publisher; its brokers are librdkafka's own, in the process."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from immersiverse.auth.events import (
    AsyncPublisher,
    AuthEventSerializer,
    LoggedOut,
    PinnedSchemas,
    Publisher,
    PublishError,
    PublisherUnusable,
    new_event,
)
from immersiverse.auth.events.kafka.delivery import Delivery
from immersiverse.auth.events.observability.hooks import Detail, Statistics
from immersiverse.auth.events.v1.events_pb2 import AuthEvent
from serialization_samples import TIME

BROKERS = {"bootstrap.servers": "in-the-process:1", "test.mock.num.brokers": 1, "linger.ms": 0}
NOBODY = {"bootstrap.servers": "127.0.0.1:1"}


def event() -> AuthEvent:
    payload = LoggedOut(user_id="u-1", session_id="1", logged_out_at=TIME)
    return new_event(payload, source="/services/auth", version=1)


def publisher(config: dict[str, Any], **options: Any) -> Publisher:
    return Publisher(config, serializer=AuthEventSerializer(PinnedSchemas(1)), **options)


def test_a_callback_may_publish_wait_and_flush() -> None:
    offsets: list[int] = []
    with publisher(BROKERS) as to:

        def again(_: Delivery) -> None:
            deliveries = [to.publish(event()) for _ in range(40)]
            offsets.extend(delivery.result(10).offset for delivery in deliveries)
            to.flush(10)

        for _ in range(3):
            to.publish(event(), on_done=again)
    assert len(set(offsets)) == 120


def test_callbacks_that_publish_are_not_called_within_each_other() -> None:
    left, deepest, here = iter(range(2_000)), 0, threading.local()
    with publisher({**BROKERS, "queue.buffering.max.messages": 200}) as to:

        def again(_: Delivery) -> None:
            nonlocal deepest
            here.depth = getattr(here, "depth", 0) + 1
            deepest = max(deepest, here.depth)
            if next(left, None) is not None:
                to.publish(event(), on_done=again)
            here.depth -= 1

        for _ in range(300):
            to.publish(event(), on_done=again)
    assert next(left, None) is None
    assert deepest == 1


def test_a_callback_that_raises_keeps_its_delivery_from_nobody_else() -> None:
    def refuses(_: Delivery) -> None:
        raise OSError("the callback's own trouble")

    async def publish() -> int:
        async with AsyncPublisher(BROKERS, serializer=AuthEventSerializer(PinnedSchemas(1))) as to:
            delivery = await to.publish(event(), on_done=refuses)
            return (await asyncio.wait_for(delivery, 10)).offset

    assert asyncio.run(publish()) == 0


def test_a_hook_that_waits_within_librdkafkas_callback_is_refused_and_stops_nothing() -> None:
    refused: list[PublisherUnusable] = []
    heard = threading.Event()

    def hook(detail: Detail) -> None:
        if isinstance(detail, Statistics) and not refused:
            try:
                to.publish(event()).result()
            except PublisherUnusable as error:
                refused.append(error)
            heard.set()

    with publisher({**BROKERS, "statistics.interval.ms": 10}, hooks=[hook]) as to:
        while not heard.wait(0.01):
            to.publish(event()).result()
    assert len(refused) == 1


def dies(_: KafkaError) -> None:
    """How librdkafka's clients tell of a fatal error: as an exception of whatever polls them."""
    raise KafkaException(
        KafkaError(KafkaError.CLUSTER_AUTHORIZATION_FAILED, "not in this cluster", fatal=True)
    )


def test_a_fatal_error_is_why_events_fail_and_is_raised_nowhere_else() -> None:
    with publisher({**NOBODY, "error_cb": dies, "delivery.timeout.ms": 500}) as to:
        with pytest.raises(PublishError) as failure:
            to.publish(event()).result()
        assert (failure.value.code, failure.value.retryable) == ("CLUSTER_AUTHORIZATION_FAILED", False)


def test_whoever_awaits_an_event_hears_of_a_fatal_error() -> None:
    config = {**NOBODY, "error_cb": dies, "delivery.timeout.ms": 500}

    async def publish() -> None:
        async with AsyncPublisher(config, serializer=AuthEventSerializer(PinnedSchemas(1))) as to:
            delivery = await to.publish(event())
            with pytest.raises(PublishError, match="not in this cluster"):
                await asyncio.wait_for(delivery, 10)

    asyncio.run(publish())


def test_an_error_callback_that_raises_is_logged_and_the_publisher_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def raises(_: KafkaError) -> None:
        raise OSError("the callback's own trouble")

    config = {**NOBODY, "error_cb": raises, "delivery.timeout.ms": 500}
    with publisher(config) as to, pytest.raises(PublishError, match="_MSG_TIMED_OUT"):
        to.publish(event()).result()
    assert "a callback of the producer raised" in [
        entry.message for entry in caplog.records if entry.levelno == logging.ERROR
    ]


def test_an_event_that_cannot_be_offered_is_not_waited_for() -> None:
    class Scribbles:
        headers = (("traceparent", 7),)

        def end(self, partition: int, offset: int, error: str) -> None:
            """Nothing to end."""

    class Tracer:
        def sending(self, _: Any) -> Scribbles:
            return Scribbles()

    with publisher(BROKERS, tracer=Tracer()) as to:
        with pytest.raises(TypeError):
            to.publish(event())
        to.flush(5)
