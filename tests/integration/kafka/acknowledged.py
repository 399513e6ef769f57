"""Publishers that have just begun, and whether the log holds what was acknowledged to them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import cycle
from typing import Any, cast

from confluent_kafka import Consumer, ElectionType, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from immersiverse.auth.events import Publisher
from immersiverse.auth.events.kafka.record import Record
from integration.kafka.cluster import event
from integration.running import ToTopic, eventually
from stack.kafka import Broker, KafkaCluster

_PAUSE = (
    0.0005  # seconds between events: a publisher's life is as long as a leader takes to know its partition
)
_QUICK = {"reconnect.backoff.max.ms": 500, "log_level": 0}

Ids = set[str]


@dataclass(frozen=True)
class Life:
    """What one publisher was answered.

    Attributes:
        acknowledged: the ids of events whose delivery ended without an error.
        failed: the code of each other event's error, by its id.
    """

    acknowledged: Ids
    failed: dict[str, str]


def live(
    bootstrap: str, topic: str, *, events: int, born: Callable[[], Any] = lambda: None, **more: Any
) -> Life:
    """Publish from a new publisher, each event for another user, and close it.

    Args:
        bootstrap: the cluster.
        topic: where to.
        events: how many.
        born: is called when the publisher has its connections, before its first event.
        more: what else the publisher takes.
    """
    config = {"bootstrap.servers": bootstrap, "linger.ms": 1, **_QUICK}
    with Publisher(config, serializer=ToTopic(topic), **more) as publisher:
        born()
        deliveries = []
        for number in range(events):
            deliveries.append(publisher.send(event(f"user-{number}", number), on_done=lambda _: None))
            time.sleep(_PAUSE)
    return Life(
        {delivery.event.event_id for delivery in deliveries if delivery.done and delivery.error is None},
        {delivery.event.event_id: delivery.error.code for delivery in deliveries if delivery.error},
    )


def event_id(record: Record) -> bytes:
    """The id of a message's event."""
    return dict(record.headers() or ())["ce_id"] or b""


def in_log(bootstrap: str, topic: str, name: Callable[[Record], bytes] = event_id) -> Ids:
    """The names of all messages in a topic, read from the beginning to the end of every partition.

    Args:
        bootstrap: the cluster.
        topic: the topic.
        name: what a message is called.

    Raises:
        AssertionError: if the end is not reached within a minute.
    """
    config = {"bootstrap.servers": bootstrap, "group.id": "reader", "enable.partition.eof": True, **_QUICK}
    consumer = Consumer({**config, "auto.offset.reset": "error", "enable.auto.commit": False})
    left = set(consumer.list_topics(topic, timeout=30).topics[topic].partitions)
    consumer.assign([TopicPartition(topic, number, 0) for number in left])
    found, until = Ids(), time.monotonic() + 60
    while left:
        for message in consumer.consume(1000, 0.2):
            error = message.error()
            if error is None:
                found.add(name(cast("Record", message)).decode())
            elif error.code() == KafkaError._PARTITION_EOF:
                left.discard(message.partition() or 0)
        assert time.monotonic() < until, f"{topic}: the end of {left} was not reached"
    consumer.close()
    return found


def missing(bootstrap: str, topic: str, wanted: Ids, within: float) -> Ids:
    """What is in no partition of a topic, however often it is read.

    A leader that has just been elected shows less than it has, until its followers have asked it once: what
    is missing is looked up again before it counts as lost.

    Args:
        bootstrap: the cluster.
        topic: the topic.
        wanted: the ids of the events to look up.
        within: seconds for leaders to be back and show all that they have.
    """
    found, until = Ids(), time.monotonic() + within
    while not wanted <= found and time.monotonic() < until:
        with suppress(KafkaException, AssertionError):
            found |= in_log(bootstrap, topic)
    return wanted - found


@contextmanager
def leaders_leaving(cluster: KafkaCluster, topic: str, leave: Callable[[Broker], None]) -> Iterator[None]:
    """Let one broker after the other leave and come back, and its partitions with it, all the time.

    Each leaves when the one before is in sync again: else too few replicas are left to acknowledge anything.

    Args:
        cluster: the brokers.
        topic: whose replicas have to be in sync.
        leave: ends a broker, in its own way.
    """
    ended = threading.Event()
    raised: list[BaseException] = []

    def disturb() -> None:
        try:
            for broker in cycle(cluster.brokers):
                leave(broker)
                broker.server.start()
                cluster.wait_until_ready()
                _await_replicas(cluster, topic)
                _elect_preferred_leaders(cluster.bootstrap)
                if ended.is_set():
                    return
        except BaseException as error:  # noqa: BLE001 - raised below
            raised.append(error)

    thread = threading.Thread(target=disturb)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
    if raised:
        raise raised[0]


def _await_replicas(cluster: KafkaCluster, topic: str) -> None:
    """Wait until every replica of a topic is in sync."""
    admin = AdminClient({"bootstrap.servers": cluster.bootstrap, **_QUICK})

    def in_sync() -> bool:
        try:
            partitions = admin.list_topics(topic, timeout=5).topics[topic].partitions
        except KafkaException:
            return False
        return all(len(partition.isrs) == len(cluster.brokers) for partition in partitions.values())

    eventually(in_sync, within=120)


def _elect_preferred_leaders(bootstrap: str) -> None:
    """Move each partition to its first replica, which has come back: leaders change while all are alive."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "socket.timeout.ms": 5000, **_QUICK})

    def elected() -> bool:
        try:
            admin.elect_leaders(ElectionType.PREFERRED).result(timeout=15)
        except (KafkaException, TimeoutError):  # the broker that was asked is not quite there yet
            return False
        return True

    eventually(elected)
