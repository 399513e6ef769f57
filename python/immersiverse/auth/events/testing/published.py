"""What reaches Kafka after a point in time: how the tests of one session keep out of each other's way.

All of them share the contract's topics. A test's group and reader begin where the topics ended before it.
"""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Final, Self

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from immersiverse.auth.events import catalog
from immersiverse.auth.events.errors import BrokerUnavailable
from immersiverse.auth.events.serialization.deserializer import AuthEventDeserializer
from immersiverse.auth.events.serialization.headers import headers_of
from immersiverse.auth.events.testing.broker import CONTRACT_TOPICS, PARTITIONS
from immersiverse.auth.events.v1.events_pb2 import AuthEvent

if TYPE_CHECKING:
    from collections.abc import Sequence

_TOPICS: Final = (*catalog.TOPICS, catalog.SINGLE_TOPIC)
_WAIT: Final = 10.0  # seconds for a broker
_POLL: Final = 0.05  # seconds
_WITHOUT_LEADER: Final = (
    KafkaError.LEADER_NOT_AVAILABLE, KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.UNKNOWN_TOPIC_OR_PART,
)  # fmt: skip


def create_topics(bootstrap: str) -> None:
    """Create the contract's topics where they are missing, as the embedded broker has them.

    Raises:
        BrokerUnavailable: if the brokers do not answer, or refuse.
    """
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 2})
    try:
        known = admin.list_topics(timeout=_WAIT).topics
        missing = [topic for topic in CONTRACT_TOPICS if topic not in known]
        for topic in missing:
            _create(admin, topic)
    except (KafkaException, TimeoutError) as error:
        raise BrokerUnavailable(f"cannot create the contract's topics at {bootstrap}: {error}") from error


def _create(admin: AdminClient, topic: str) -> None:
    try:
        admin.create_topics([NewTopic(topic, num_partitions=PARTITIONS)])[topic].result(_WAIT)
    except KafkaException as error:
        if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:  # by another worker of pytest-xdist
            raise


class TopicEnds:
    """Where the topics of events ended when this was made.

    Args:
        bootstrap: the brokers.
    """

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        consumer = self._consumer(_new_name())
        try:
            known = consumer.list_topics(timeout=_WAIT).topics
            self._ends = [
                _end(consumer, topic, number)
                for topic in _TOPICS
                if topic in known
                for number in known[topic].partitions
            ]
        finally:
            consumer.close()

    def new_group(self) -> str:
        """A consumer group that has committed these ends, so that it reads what comes after them."""
        name = _new_name()
        consumer = self._consumer(name)
        try:
            consumer.commit(offsets=self._ends, asynchronous=False)
        finally:
            consumer.close()
        return name

    def reader(self) -> PublishedEvents:
        """Reads the events after these ends."""
        return PublishedEvents(self._consumer(_new_name()), self._consumer(_new_name()), self._ends)

    def _consumer(self, group: str) -> Consumer:
        return Consumer({
            "bootstrap.servers": self._bootstrap,
            "group.id": group,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 10,
        })  # fmt: skip


class PublishedEvents:
    """The events that reached Kafka since a test began; a context manager.

    It blocks: in an async test, call it by ``asyncio.to_thread``.

    Args:
        consumer: reads.
        asking: asks where topics end; the connection of one that reads is busy waiting for messages.
        ends: where it begins.
    """

    def __init__(self, consumer: Consumer, asking: Consumer, ends: Sequence[TopicPartition]) -> None:
        self._consumer = consumer
        self._asking = asking
        self._places = [(each.topic, each.partition) for each in ends]
        self._next = {(each.topic, each.partition): each.offset for each in ends}
        self._read = AuthEventDeserializer().deserialize
        self._events: list[AuthEvent] = []
        consumer.assign([*ends])

    def wait_for(self, count: int, timeout: float = 10.0) -> list[AuthEvent]:
        """The events, once there are so many: each user's in order.

        Args:
            count: how many at least.
            timeout: how long to wait, in seconds.

        Raises:
            TimeoutError: if there are fewer; it names what there is.
        """
        until = time.monotonic() + timeout
        while len(self._events) < count:
            if time.monotonic() > until:
                types = [event.WhichOneof("payload") for event in self._events]
                raise TimeoutError(f"{len(types)} of {count} events were published in {timeout} s: {types}")
            self._poll()
        return list(self._events)

    def all(self) -> list[AuthEvent]:
        """The events that brokers have acknowledged until now."""
        ends = {place: _end(self._asking, *place).offset for place in self._places}
        while any(self._next[place] < end for place, end in ends.items()):
            self._poll()
        return list(self._events)

    def _poll(self) -> None:
        message = self._consumer.poll(_POLL)
        if message is None or message.error() is not None:
            return
        topic, partition, offset = message.topic(), message.partition(), message.offset()
        assert topic is not None and partition is not None and offset is not None  # noqa: S101, PT018 - no error
        self._next[topic, partition] = offset + 1
        event = self._read(message.value(), headers=headers_of(message), key=message.key())
        if isinstance(event, AuthEvent):
            self._events.append(event)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()
        self._asking.close()


def _end(consumer: Consumer, topic: str, number: int) -> TopicPartition:
    """Where a partition ends; one that was created just now has no leader yet."""
    until = time.monotonic() + _WAIT
    while True:
        try:
            _, end = consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=_WAIT)
            return TopicPartition(topic, number, end)
        except KafkaException as error:
            if error.args[0].code() not in _WITHOUT_LEADER or time.monotonic() > until:
                raise BrokerUnavailable(f"cannot read where {topic}[{number}] ends: {error}") from error
            time.sleep(_POLL)


def _new_name() -> str:
    return f"test-{uuid.uuid4().hex[:12]}"
