"""What publishes is tested without Kafka: deliveries, errors and hooks are the real ones."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from immersiverse.auth.events import (
    AsyncPublisher,
    AuthEventSerializer,
    Delivery,
    LoginFailed,
    PinnedSchemas,
    Publisher,
    UndeliveredEvents,
    UserCreated,
)
from immersiverse.auth.events.errors import ConfigurationError, InvalidEvent, PublishError, PublisherUnusable
from immersiverse.auth.events.observability.hooks import Published
from immersiverse.auth.events.testing import AsyncPublisherTest, PublisherTest, sample_event, samples
from immersiverse.auth.events.v1.events_pb2 import AuthEvent

EVENT = sample_event(UserCreated)


def test_what_was_published_is_there_as_events_in_order() -> None:
    events = samples(50)
    with PublisherTest() as publisher:
        for event in events:
            publisher.send(event)
    assert publisher.published == events
    assert isinstance(publisher, Publisher)


def test_a_message_is_as_the_serializer_writes_it() -> None:
    with PublisherTest() as publisher:
        delivery = publisher.publish(EVENT)
    (message,) = publisher.messages
    assert (message.topic, message.key) == ("auth.events.user", EVENT.user_created.user_id.encode())
    assert dict(message.headers)["ce_id"] == EVENT.event_id.encode()
    assert (delivery.partition, delivery.offset, delivery.error) == (0, 0, None)


@pytest.mark.parametrize("name", ["json", "avro", "protobuf"])
def test_events_of_every_format_are_read_back(name: Any) -> None:
    serializer = AuthEventSerializer(PinnedSchemas(7, avro=8), format=name, single_topic=True)
    with PublisherTest(serializer=serializer) as publisher:
        publisher.publish(EVENT)
    assert publisher.published == [EVENT]
    assert publisher.messages[0].topic == "auth.events"


def test_a_failure_on_demand_is_raised_as_a_brokers_would_be_and_the_next_succeeds() -> None:
    with PublisherTest() as publisher:
        publisher.fail_next("MSG_TIMED_OUT")
        with pytest.raises(PublishError) as failed:
            publisher.publish(EVENT)
        publisher.publish(EVENT)
    assert (failed.value.code, failed.value.retryable) == ("_MSG_TIMED_OUT", True)
    assert publisher.published == [EVENT]


def test_a_failure_that_nothing_watches_is_raised_by_flush() -> None:
    with PublisherTest() as publisher:
        publisher.fail_next("TOPIC_AUTHORIZATION_FAILED", 2)
        for event in samples(3):
            publisher.send(event)
        with pytest.raises(UndeliveredEvents) as raised:
            publisher.flush()
    assert raised.value.failed_count == 2
    assert len(publisher.published) == 1


def test_callbacks_are_called() -> None:
    done: list[Delivery] = []
    with PublisherTest() as publisher:
        publisher.send(EVENT, on_done=done.append)
    assert [delivery.event for delivery in done] == [EVENT]


def test_hooks_are_called() -> None:
    details: list[Any] = []
    with PublisherTest(hooks=[details.append]) as publisher:
        publisher.publish(EVENT)
    assert [type(detail) for detail in details] == [Published]


def test_an_invalid_event_and_a_closed_publisher_refuse() -> None:
    publisher = PublisherTest()
    with pytest.raises(InvalidEvent):
        publisher.publish(AuthEvent())
    publisher.ready()
    publisher.close()
    with pytest.raises(PublisherUnusable):
        publisher.publish(EVENT)


def test_an_unknown_code_is_refused_with_the_one_that_was_meant() -> None:
    publisher = PublisherTest()
    with pytest.raises(ValueError, match="did you mean _MSG_TIMED_OUT"):
        publisher.fail_next("MSG_TIMEOUT")
    publisher.close()


def test_no_thread_is_left_behind() -> None:
    before = threading.active_count()
    with PublisherTest() as publisher:
        publisher.send(EVENT, on_done=lambda _: None)
    assert threading.active_count() == before


def test_many_threads_lose_nothing() -> None:
    events = samples(400, LoginFailed)
    with PublisherTest() as publisher:
        threads = [
            threading.Thread(target=lambda part: [publisher.publish(e) for e in part], args=(events[n::4],))
            for n in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert {event.event_id for event in publisher.published} == {event.event_id for event in events}


def test_the_same_in_asyncio() -> None:
    async def main() -> None:
        async with AsyncPublisherTest() as publisher:
            assert isinstance(publisher, AsyncPublisher)
            assert (await publisher.publish(EVENT)).offset == 0
            publisher.fail_next()
            with pytest.raises(PublishError):
                await publisher.publish(EVENT)
            assert publisher.published == [EVENT]

    asyncio.run(main())


def test_a_serializer_is_required_to_have_what_it_needs() -> None:
    with pytest.raises(ConfigurationError):
        PublisherTest(serializer=AuthEventSerializer())
