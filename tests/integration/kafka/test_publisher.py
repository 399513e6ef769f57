"""A publisher loses nothing silently: every event is acknowledged, or its failure is reported."""

from __future__ import annotations

import multiprocessing
import secrets
import threading
import time
from typing import Any

import pytest

from immersiverse.auth.events import (
    AuthEventDeserializer,
    AuthEventSerializer,
    InvalidEvent,
    PinnedSchemas,
    Publisher,
    PublishError,
    PublisherUnusable,
    UndeliveredEvents,
    catalog,
)
from immersiverse.auth.events.kafka.producer.delivery import Delivery
from immersiverse.auth.events.v1.events_pb2 import AuthEvent
from integration.kafka.cluster import Cluster, event
from integration.running import ToTopic, eventually

NOWHERE = {"bootstrap.servers": "127.0.0.1:1"}
IMPATIENT = {**NOWHERE, "delivery.timeout.ms": 1_000, "linger.ms": 0}


def decoded(messages: list[Any]) -> list[Any]:
    read = AuthEventDeserializer(PinnedSchemas(1, avro=2))
    return [read(message.value()) for message in messages]


def test_a_result_says_where_the_event_is(cluster: Cluster) -> None:
    topic = cluster.create(partitions=1)
    with cluster.publisher(topic) as publisher:
        first, second = publisher.send(event("a", 0)), publisher.send(event("a", 1))
        assert (second.result(30).offset, first.done, first.offset) == (1, True, 0)


def test_each_users_events_arrive_in_their_order_in_one_partition(cluster: Cluster) -> None:
    topic = cluster.create(partitions=4)
    cluster.publish(topic, *(event(f"u-{number % 7}", number) for number in range(700)))
    numbers: dict[str, list[int]] = {}
    places: dict[str, set[int]] = {}
    for message in cluster.read(topic, 700):
        user = (message.key() or b"").decode()
        numbers.setdefault(user, []).append(int(decoded([message])[0].logged_out.session_id))
        places.setdefault(user, set()).add(message.partition() or 0)
    assert all(found == sorted(found) and len(found) == 100 for found in numbers.values())
    assert {len(found) for found in places.values()} == {1}


def test_headers_key_and_value_are_the_serializers(cluster: Cluster) -> None:
    topic = cluster.create(partitions=1)
    sent = event("a")
    cluster.publish(topic, sent)
    (message,) = cluster.read(topic, 1)
    expected = ToTopic(topic).serialize(sent)
    assert (message.key(), message.value()) == (expected.key, expected.value)
    assert message.headers() == list(expected.headers)


@pytest.mark.parametrize("form", ["protobuf", "json", "avro"])
def test_every_format_arrives_in_the_single_topic(cluster: Cluster, form: Any) -> None:
    serializer = AuthEventSerializer(PinnedSchemas(1, avro=2), format=form, single_topic=True)
    sent = event("a")
    topic = cluster.create(partitions=1)

    class Elsewhere(ToTopic):
        def serialize(self, event: AuthEvent, *, topic: str = topic) -> Any:
            routed = serializer.serialize(event)
            assert routed.topic == catalog.SINGLE_TOPIC
            return serializer.serialize(event, topic=topic)

    with Publisher(cluster.config, serializer=Elsewhere(topic)) as publisher:
        publisher.send(sent)
    assert decoded(cluster.read(topic, 1)) == [sent]


def test_callbacks_hear_of_every_event_once_also_while_the_caller_publishes_nothing(cluster: Cluster) -> None:
    heard: list[Delivery] = []
    topic = cluster.create()
    with cluster.publisher(topic) as publisher:
        deliveries = [publisher.send(event("a", n), on_done=heard.append) for n in range(50)]
        eventually(lambda: len(heard) == 50)
        deliveries[0].add_done_callback(heard.append)
    assert sorted(map(id, heard)) == sorted(map(id, [*deliveries, deliveries[0]]))
    assert all(delivery.error is None and delivery.offset >= 0 for delivery in heard)


def test_a_callback_that_raises_stops_nothing(cluster: Cluster) -> None:
    def callback(_: Delivery) -> None:
        raise OSError("the callback's own trouble")

    topic = cluster.create(partitions=1)
    with cluster.publisher(topic) as publisher:
        publisher.send(event("a", 0), on_done=callback)
        assert publisher.send(event("a", 1)).result(30).offset == 1


def test_any_number_of_threads_may_publish(cluster: Cluster) -> None:
    topic = cluster.create()
    with cluster.publisher(topic, queue_buffering_max_messages=100) as publisher:

        def work(user: str) -> None:
            for number in range(300):
                publisher.send(event(user, number))

        threads = [threading.Thread(target=work, args=(f"u-{n}",)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    found = decoded(cluster.read(topic, 1200))
    for user in (f"u-{n}" for n in range(4)):
        numbers = [int(e.logged_out.session_id) for e in found if e.logged_out.user_id == user]
        assert numbers == list(range(300))


def test_a_full_queue_makes_publishing_wait_and_loses_nothing(cluster: Cluster) -> None:
    topic = cluster.create(partitions=1)
    with cluster.publisher(topic, queue_buffering_max_messages=10, linger_ms=20) as publisher:
        for number in range(200):
            publisher.send(event("a", number))
            assert len(publisher._core._pending) <= 10
    numbers = [int(e.logged_out.session_id) for e in decoded(cluster.read(topic, 200))]
    assert numbers == list(range(200))


def test_a_broker_that_is_away_is_waited_for_as_long_as_the_delivery_timeout() -> None:
    publisher = Publisher(IMPATIENT, serializer=ToTopic("x"))
    begun = time.monotonic()
    with pytest.raises(PublishError) as failure:
        publisher.send(event("a")).result(30)
    assert 0.5 < time.monotonic() - begun < 10
    assert (failure.value.code, failure.value.retryable, failure.value.topic) == ("_MSG_TIMED_OUT", True, "x")
    publisher.close()  # the caller has seen the failure: there is nothing left to report


def test_a_result_that_is_not_there_in_time_is_a_timeout() -> None:
    publisher = Publisher(NOWHERE, serializer=ToTopic("x"))
    delivery = publisher.send(event("a"))
    with pytest.raises(TimeoutError):
        delivery.result(0.05)
    with pytest.raises(UndeliveredEvents):
        publisher.close(0)


def test_a_flush_says_which_events_are_unacknowledged_and_leaves_them_pending() -> None:
    publisher = Publisher(NOWHERE, serializer=ToTopic("x"))
    sent = [event("a", number) for number in range(3)]
    for each in sent:
        publisher.send(each)
    with pytest.raises(UndeliveredEvents) as undelivered:
        publisher.flush(0.1)
    assert {e.event_id for e in undelivered.value.pending} == {e.event_id for e in sent}
    assert "3 are unacknowledged" in str(undelivered.value)
    with pytest.raises(UndeliveredEvents) as undelivered:
        publisher.close(0.1)
    assert len(undelivered.value.pending) == 3


def test_closing_reports_unseen_failures_together_with_what_is_given_up() -> None:
    publisher = Publisher(IMPATIENT, serializer=ToTopic("x"))
    failed, seen = publisher.send(event("a", 0)), publisher.send(event("a", 1))
    with pytest.raises(PublishError):
        seen.result(30)
    eventually(lambda: failed.done)
    pending = publisher.send(event("a", 2))
    with pytest.raises(UndeliveredEvents) as undelivered:
        publisher.close(0)
    assert [error.event.event_id for error in undelivered.value.failed] == [failed.event.event_id]
    assert [e.event_id for e in undelivered.value.pending] == [pending.event.event_id]
    assert pending.error is not None
    assert pending.error.code == "_PURGE_QUEUE"


def test_leaving_the_block_reports_them_too() -> None:
    with (
        pytest.raises(UndeliveredEvents, match="1 failed"),
        Publisher(IMPATIENT, serializer=ToTopic("x")) as publisher,
    ):
        publisher.send(event("a"))


def test_an_unknown_topic_is_a_failed_delivery(cluster: Cluster) -> None:
    publisher = cluster.publisher(cluster.name(), topic_metadata_propagation_max_ms=100)
    with pytest.raises(PublishError) as failure:
        publisher.send(event("a")).result(30)
    assert failure.value.code in {"_UNKNOWN_TOPIC", "UNKNOWN_TOPIC_OR_PART"}
    publisher.close()


def test_an_event_that_the_producer_refuses_at_once_is_an_error_of_publish(cluster: Cluster) -> None:
    with cluster.publisher(cluster.create(), message_max_bytes=1_000) as publisher:
        large = event("a")
        large.logged_out.session_id = "x" * 2_000
        with pytest.raises(PublishError) as failure:
            publisher.send(large)
        assert (failure.value.code, failure.value.event) == ("MSG_SIZE_TOO_LARGE", large)


def test_an_event_that_the_broker_refuses_is_a_failed_delivery_and_others_arrive(cluster: Cluster) -> None:
    topic = cluster.create(partitions=1, max_message_bytes="1000")
    with cluster.publisher(topic, compression_type="none", linger_ms=0) as publisher:
        large = event("a")
        large.logged_out.session_id = "x" * 2_000
        with pytest.raises(PublishError) as failure:
            publisher.send(large).result(30)
        assert failure.value.code == "MSG_SIZE_TOO_LARGE"
        assert not failure.value.retryable
        assert publisher.send(event("a", 1)).result(30).offset == 0


def test_batches_fit_a_topic_of_small_messages(cluster: Cluster) -> None:
    topic = cluster.create(partitions=1, max_message_bytes="32768")
    events = [event("a", number) for number in range(3_000)]
    for each in events:
        each.logged_out.session_id = secrets.token_hex(100)
    with cluster.publisher(topic, compression_type="none") as publisher:
        publisher.ready(topic)
        deliveries = [publisher.send(each) for each in events]
        publisher.flush()
        assert [delivery.offset for delivery in deliveries] == list(range(3_000))


def test_the_refusal_of_a_batch_names_the_remedy(cluster: Cluster) -> None:
    topic = cluster.create(partitions=1, max_message_bytes="1000")
    with cluster.publisher(topic, compression_type="none", linger_ms=200) as publisher:
        first, *others = [publisher.send(event("a", number)) for number in range(9)]
        for delivery in (first, *others):
            with pytest.raises(PublishError, match=r"set batch\.size"):
                delivery.result(30)


def test_what_breaks_the_contract_is_never_sent(cluster: Cluster) -> None:
    with cluster.publisher(cluster.name()) as publisher, pytest.raises(InvalidEvent):
        publisher.send(AuthEvent())


def test_a_closed_publisher_publishes_nothing_and_may_be_closed_again(cluster: Cluster) -> None:
    publisher = cluster.publisher(cluster.create())
    publisher.close()
    publisher.close()
    with pytest.raises(PublisherUnusable, match="closed"):
        publisher.send(event("a"))


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")  # its very point
def test_after_a_fork_the_child_gets_an_error_and_the_parent_goes_on(cluster: Cluster) -> None:
    topic = cluster.create(partitions=1)
    with cluster.publisher(topic) as publisher:
        pending = publisher.send(event("a", 0))
        fork = multiprocessing.get_context("fork")
        answers = fork.SimpleQueue()

        def child() -> None:
            for use in (lambda: publisher.send(event("a")), publisher.flush):
                try:
                    use()
                except PublisherUnusable as error:
                    answers.put(str(error))
            publisher.close()
            answers.put("closed")

        process = fork.Process(target=child)
        process.start()
        process.join(20)
        assert process.exitcode == 0
        assert [answers.get() for _ in range(3)][2] == "closed"
        assert pending.result(30).offset == 0
        assert publisher.send(event("a", 1)).result(30).offset == 1
