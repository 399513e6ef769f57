"""Events on their way: published by one client, read by another, as two services would."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from immersiverse.auth.events import catalog
from immersiverse.auth.events.errors import AuthEventsError, BrokerUnavailable
from immersiverse.auth.events.kafka.config import producer_settings
from immersiverse.auth.events.registry import SchemaRegistry
from immersiverse.auth.events.serialization.deserializer import AuthEventDeserializer
from immersiverse.auth.events.serialization.received import headers_of
from immersiverse.auth.events.serialization.serializer import AuthEventSerializer

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from confluent_kafka import KafkaError, Message

    from immersiverse.auth.events.serialization.codec import Decoded
    from immersiverse.auth.events.v1.events_pb2 import AuthEvent

_QUIET = {"log_level": 2, "log.connection.close": False}
_CONSUMER = {
    "enable.auto.commit": False,
    **_QUIET,
}
_BATCH = 500
_PATIENCE = 0.2  # seconds that a reader waits for a batch to fill
_TIMEOUT = 5.0  # seconds for an answer of the cluster
_SILENCE = 30.0  # seconds without a message after which the rest is not believed to come


class Journey:
    """Sends a stream of events through Kafka and gives back what arrives.

    Args:
        bootstrap: the cluster.
        registry_url: the registry, where the contract is registered.
        events: what is published, in order, by a thread of its own.

    Attributes:
        published: how many events were handed to the producer so far.
        bytes: how many bytes their values had.
    """

    def __init__(self, bootstrap: str, registry_url: str, events: Iterable[AuthEvent]) -> None:
        self.published = 0
        self.bytes = 0
        self._bootstrap = bootstrap
        self._registry_url = registry_url
        self._events = events
        self._failure: Exception | None = None
        self._publisher = threading.Thread(target=self._publish, name="publisher", daemon=True)
        self._stopped = threading.Event()

    def arrivals(self) -> Generator[list[Decoded], None, None]:
        """What arrives, in batches as they come; an empty one when nothing came for a moment.

        It ends when everything that was published has arrived. Closed earlier, publishing ends too.

        Raises:
            BrokerUnavailable: if a message could not be delivered, or does not arrive.
            AuthEventsError: if an event cannot be written or read.
        """
        consumer = Consumer({"bootstrap.servers": self._bootstrap, "group.id": "journey", **_CONSUMER})
        try:
            consumer.assign(_ends(consumer))
        except KafkaException as error:
            raise BrokerUnavailable(f"Kafka cannot be read: {error}") from error
        self._publisher.start()
        try:
            with SchemaRegistry(self._registry_url) as registry:
                yield from self._read(consumer, AuthEventDeserializer(registry))
        finally:
            self._stopped.set()
            self._publisher.join()
            consumer.close()

    def _read(
        self, consumer: Any, deserializer: AuthEventDeserializer
    ) -> Generator[list[Decoded], None, None]:
        deserialize = deserializer.deserialize
        arrived, silent = 0, 0.0
        while self._publisher.is_alive() or arrived < self.published:
            batch = [_intact(message) for message in consumer.consume(_BATCH, _PATIENCE)]
            silent = 0.0 if batch else silent + _PATIENCE
            if self._failure or silent > _SILENCE:
                break
            arrived += len(batch)
            events = (deserialize(m.value(), headers=headers_of(m), key=m.key()) for m in batch)
            yield [event for event in events if event is not None]
        if self._failure:
            raise self._failure
        if arrived < self.published:
            raise BrokerUnavailable(f"{self.published - arrived} events were published and do not arrive")

    def _publish(self) -> None:
        producer = Producer(producer_settings({"bootstrap.servers": self._bootstrap, **_QUIET}))
        try:
            with SchemaRegistry(self._registry_url) as registry:
                self._publish_all(producer, AuthEventSerializer(registry))
        except AuthEventsError as error:
            self._failure = error
        except KafkaException as error:
            self._failure = BrokerUnavailable(f"Kafka refuses what is published: {error}")

    def _publish_all(self, producer: Any, serializer: AuthEventSerializer) -> None:
        for event in self._events:
            if self._stopped.is_set():
                break
            message = serializer.serialize(event)
            self._produce(producer, message.topic, message.value, message.key, list(message.headers))
        producer.flush()

    def _produce(
        self, producer: Any, topic: str, value: bytes, key: bytes, headers: list[tuple[str, bytes]]
    ) -> None:
        while True:
            try:
                producer.produce(topic, value, key, headers=headers, on_delivery=self._delivered)
            except BufferError:
                producer.poll(0.1)  # the queue is full: wait for deliveries
            else:
                break
        producer.poll(0)
        self.published += 1
        self.bytes += len(value)

    def _delivered(self, error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            self._failure = BrokerUnavailable(f"an event was not delivered: {error}")


def _ends(consumer: Any) -> list[TopicPartition]:
    """Where the contract's topics end now: what is published later comes after."""
    partitions = [
        TopicPartition(topic, partition)
        for topic in catalog.TOPICS
        for partition in consumer.list_topics(topic, _TIMEOUT).topics[topic].partitions
    ]
    for partition in partitions:
        _, partition.offset = consumer.get_watermark_offsets(partition, _TIMEOUT)
    return partitions


def _intact(message: Message) -> Message:
    """A message that is one, and not the broker's word about a failure."""
    if error := message.error():
        raise BrokerUnavailable(f"Kafka does not give what was published: {error}")
    return message
