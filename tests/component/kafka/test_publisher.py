"""What callbacks and failing clients do to a publisher; its brokers are librdkafka's own, in the process."""

from __future__ import annotations

import asyncio
import contextlib
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
    UndeliveredEvents,
    new_event,
)
from immersiverse.auth.events.kafka.producer.delivery import Delivery
from immersiverse.auth.events.observability.hooks import Detail, Statistics
from immersiverse.auth.events.serialization.serializer import SerializedEvent
from immersiverse.auth.events.testing.broker import PARTITIONS
from immersiverse.auth.events.v1.events_pb2 import AuthEvent
from serialization_samples import TIME

BROKERS = {"bootstrap.servers": "in-the-process:1", "test.mock.num.brokers": 1, "linger.ms": 0}
NO_BROKER = {"bootstrap.servers": "127.0.0.1:1"}


def event() -> AuthEvent:
    payload = LoggedOut(user_id="u-1", session_id="1", logged_out_at=TIME)
    return new_event(payload, source="/services/auth", version=1)


def publisher(config: dict[str, Any], **options: Any) -> Publisher:
    return Publisher(config, serializer=AuthEventSerializer(PinnedSchemas(1)), **options)


def test_a_callback_may_publish_wait_and_flush() -> None:
    offsets: list[int] = []
    with publisher(BROKERS) as to:

        def again(_: Delivery) -> None:
            deliveries = [to.send(event()) for _ in range(40)]
            offsets.extend(delivery.result(10).offset for delivery in deliveries)
            to.flush(10)

        for _ in range(3):
            to.send(event(), on_done=again)
    assert len(set(offsets)) == 120


@pytest.mark.parametrize(
    ("user", "murmur2"),  # as the tests of Kafka's Java client have it
    [
        ("21", -973_932_308),
        ("foobar", -790_332_482),
        ("a-little-bit-long-string", -985_981_536),
        ("a-little-bit-longer-string", -1_486_304_829),
        ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
        ("abc", 479_470_107),
    ],
)
def test_a_users_events_land_where_a_java_producer_puts_them(user: str, murmur2: int) -> None:
    payload = LoggedOut(user_id=user, session_id="1", logged_out_at=TIME)
    with publisher(BROKERS) as to:
        delivery = to.publish(new_event(payload, source="/services/auth"))
    assert delivery.partition == (murmur2 & 0x7FFFFFFF) % PARTITIONS


def test_a_full_queue_is_waited_for_and_drops_nothing() -> None:
    with publisher({**BROKERS, "queue.buffering.max.messages": 5}) as to:
        deliveries = [to.send(event()) for _ in range(100)]
    assert sorted(delivery.offset for delivery in deliveries) == list(range(100))


def test_in_an_event_loop_a_flush_waits_for_every_event() -> None:
    async def publish() -> list[Delivery]:
        async with AsyncPublisher(BROKERS, serializer=AuthEventSerializer(PinnedSchemas(1))) as to:
            deliveries = [await to.send(event()) for _ in range(100)]
            await to.flush(30)
            assert all(delivery.done for delivery in deliveries)
            return [await to.send(event()), *deliveries]

    assert all(delivery.offset >= 0 for delivery in asyncio.run(publish()))


def test_an_event_that_reaches_a_publisher_after_it_was_closed_is_settled() -> None:
    to = publisher(NO_BROKER)
    producer = to._core._producer

    class ClosedMeanwhile:
        """Another thread closes the publisher after it was asked, and before the event is queued."""

        def produce(self, *arguments: Any, **options: Any) -> None:
            with contextlib.suppress(UndeliveredEvents):
                to.close(0)
            producer.produce(*arguments, **options)

    to._core._producer = ClosedMeanwhile()  # type: ignore[assignment]  # all that is used of it
    with pytest.raises(PublishError, match="_PURGE_QUEUE"):
        to.send(event())


def test_after_a_fork_the_childs_copy_takes_no_events() -> None:
    with publisher(BROKERS) as to:
        core = to._core
        core.after_fork()  # what a child does; this process stays as it is
        with pytest.raises(PublisherUnusable, match="before a fork"):
            to.send(event())
        core._forked = core._refuses = False


def test_callbacks_that_publish_are_not_called_within_each_other() -> None:
    left, deepest, here = iter(range(2_000)), 0, threading.local()
    with publisher({**BROKERS, "queue.buffering.max.messages": 200}) as to:

        def again(_: Delivery) -> None:
            nonlocal deepest
            here.depth = getattr(here, "depth", 0) + 1
            deepest = max(deepest, here.depth)
            if next(left, None) is not None:
                to.send(event(), on_done=again)
            here.depth -= 1

        for _ in range(300):
            to.send(event(), on_done=again)
    assert next(left, None) is None
    assert deepest == 1


def test_a_callback_that_raises_keeps_its_delivery_from_no_other_waiter() -> None:
    def refuses(_: Delivery) -> None:
        raise OSError("the callback's own trouble")

    async def publish() -> int:
        async with AsyncPublisher(BROKERS, serializer=AuthEventSerializer(PinnedSchemas(1))) as to:
            delivery = await to.send(event(), on_done=refuses)
            return (await asyncio.wait_for(delivery, 10)).offset

    assert asyncio.run(publish()) == 0


@pytest.mark.parametrize(
    "error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit(), asyncio.CancelledError()]
)
def test_a_callback_that_raises_anything_in_the_publishers_thread_stops_neither_later_ones_nor_waiters(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    called, last = [], threading.Event()

    def raises(delivery: Delivery) -> None:
        called.append(delivery)
        raise error

    with publisher(BROKERS) as to:
        for _ in range(3):  # none of these waits or polls: the publisher's own thread makes the callbacks
            to.send(event(), on_done=raises)
        to.send(event(), on_done=lambda _: last.set())
        assert last.wait(30)
    assert len(called) == 3
    assert sum("a delivery callback raised" in record.getMessage() for record in caplog.records) == 3


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt])
def test_an_exit_in_a_late_callback_leaves_the_caller_when_all_callbacks_were_made(
    error: type[BaseException],
) -> None:
    delivery = Delivery(event(), "topic")
    heard: list[Delivery] = []

    def leaves(_: Delivery) -> None:
        delivery.add_done_callback(heard.append)
        raise error

    delivery.complete(0, 7, None)
    with pytest.raises(error):
        delivery.add_done_callback(leaves)
    assert heard == [delivery]


def published_until_closed(to: Publisher) -> list[Delivery]:
    """What four threads published while the publisher was closed."""
    deliveries: list[Delivery] = []
    started = threading.Barrier(5)

    def publish() -> None:
        started.wait(10)
        with contextlib.suppress(PublisherUnusable, PublishError):
            while True:
                deliveries.append(to.send(event()))

    threads = [threading.Thread(target=publish, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    started.wait(10)
    with contextlib.suppress(UndeliveredEvents):
        to.close(timeout=0.01)
    for thread in threads:
        thread.join(30)
    return deliveries


def test_an_event_published_while_the_publisher_is_closed_is_settled_or_refused() -> None:
    for _ in range(60):
        assert [
            delivery for delivery in published_until_closed(publisher(BROKERS)) if not delivery.done
        ] == []


class Slow(AuthEventSerializer):
    """A serializer that takes as long as a look-up in a registry may."""

    def __init__(self) -> None:
        super().__init__(PinnedSchemas(1))
        self.begun, self.may_end = threading.Event(), threading.Event()

    def serialize(self, event: AuthEvent, *, topic: str = "") -> SerializedEvent:
        """See `AuthEventSerializer.serialize`."""
        self.begun.set()
        self.may_end.wait(30)
        return super().serialize(event, topic=topic)


def test_an_event_that_is_being_serialized_when_the_publisher_is_closed_is_refused() -> None:
    slow, raised = Slow(), []
    to = Publisher(BROKERS, serializer=slow)

    def publish() -> None:
        try:
            to.send(event())
        except PublisherUnusable as error:
            raised.append(error)

    thread = threading.Thread(target=publish, daemon=True)
    thread.start()
    assert slow.begun.wait(30)
    to.close()
    slow.may_end.set()
    thread.join(30)
    assert "closed" in str(raised)


def test_a_hook_that_waits_within_librdkafkas_callback_is_refused_and_stops_nothing() -> None:
    refused: list[PublisherUnusable] = []
    heard = threading.Event()

    def hook(detail: Detail) -> None:
        if isinstance(detail, Statistics) and not refused:
            try:
                to.send(event()).result()
            except PublisherUnusable as error:
                refused.append(error)
            heard.set()

    with publisher({**BROKERS, "statistics.interval.ms": 10}, hooks=[hook]) as to:
        while not heard.wait(0.01):
            to.send(event()).result()
    assert len(refused) == 1


def dies(_: KafkaError) -> None:
    """How librdkafka's clients report a fatal error: as an exception of whatever polls them."""
    raise KafkaException(
        KafkaError(KafkaError.CLUSTER_AUTHORIZATION_FAILED, "not in this cluster", fatal=True)
    )


def test_a_fatal_error_is_why_events_fail_and_is_raised_nowhere_else() -> None:
    with publisher({**NO_BROKER, "error_cb": dies, "delivery.timeout.ms": 500}) as to:
        with pytest.raises(PublishError) as failure:
            to.send(event()).result()
        assert (failure.value.code, failure.value.retryable) == ("CLUSTER_AUTHORIZATION_FAILED", False)


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [entry.getMessage() for entry in caplog.records if entry.levelno == logging.ERROR]


def test_a_failure_that_nothing_watches_is_logged_and_raised_by_the_next_flush_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    config = {**NO_BROKER, "delivery.timeout.ms": 300, "linger.ms": 0}
    with publisher(config) as to:
        lost, watched = to.send(event()), to.send(event())
        with pytest.raises(PublishError, match="Connection refused"):
            watched.result(30)
        with pytest.raises(UndeliveredEvents) as undelivered:
            to.flush()
        to.flush()
    assert [failure.event for failure in undelivered.value.failed] == [lost.event]
    (line,) = [line for line in errors(caplog) if "did not reach" in line]
    for part in (
        "logged_out",
        lost.event.event_id,
        "auth.events.login",
        "_MSG_TIMED_OUT",
        "Connection refused",
    ):
        assert part in line


def test_an_outage_in_which_a_thousand_events_fail_is_a_few_lines_and_bounded_memory(
    caplog: pytest.LogCaptureFixture,
) -> None:
    to = publisher({**NO_BROKER, "delivery.timeout.ms": 300, "linger.ms": 0})
    for _ in range(1_000):
        to.send(event())
    with pytest.raises(UndeliveredEvents, match="1000 failed and 0 are unacknowledged") as undelivered:
        to.close()
    assert (undelivered.value.failed_count, len(undelivered.value.failed)) == (1_000, 100)
    assert any("more events failed at the same time" in line for line in errors(caplog))
    assert len(errors(caplog)) < 60


def test_publish_returns_when_a_broker_has_the_event_or_raises() -> None:
    with publisher(BROKERS) as to:
        assert [to.publish(event()).offset for _ in range(3)] == [0, 1, 2]
    to = publisher(NO_BROKER)
    with pytest.raises(TimeoutError):
        to.publish(event(), timeout=0.05)
    with pytest.raises(UndeliveredEvents):
        to.close(0)


def test_a_caller_who_awaits_an_event_gets_the_fatal_error() -> None:
    config = {**NO_BROKER, "error_cb": dies, "delivery.timeout.ms": 500}

    async def publish() -> None:
        async with AsyncPublisher(config, serializer=AuthEventSerializer(PinnedSchemas(1))) as to:
            delivery = await to.send(event())
            with pytest.raises(PublishError, match="not in this cluster"):
                await asyncio.wait_for(delivery, 10)

    asyncio.run(publish())


def test_an_error_callback_that_raises_is_logged_and_the_publisher_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def raises(_: KafkaError) -> None:
        raise OSError("the callback's own trouble")

    config = {**NO_BROKER, "error_cb": raises, "delivery.timeout.ms": 500}
    with publisher(config) as to, pytest.raises(PublishError, match="_MSG_TIMED_OUT"):
        to.send(event()).result()
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
            to.send(event())
        to.flush(5)
