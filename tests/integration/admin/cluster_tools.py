"""What the tests of admin commands do to a real Kafka."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from confluent_kafka import Consumer, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from commands import Result
from unit.admin.samples import dead_letter_headers

Command = Callable[..., Result]


def publish(  # noqa: PLR0913 - what a message has
    bootstrap: str,
    topic: str,
    values: list[bytes],
    *,
    partition: int = -1,
    at: int = 0,
    key: bytes | None = None,
) -> None:
    """Put messages on a topic."""
    producer = Producer({"bootstrap.servers": bootstrap})
    for value in values:
        producer.produce(topic, value, key, partition, timestamp=at)
    assert producer.flush(20) == 0


def put_dead_letters(
    bootstrap: str, dead_letters: str, topic: str, users: list[str], **headers: bytes
) -> None:
    """Write dead letters of users, as a consumer of a topic would."""
    producer = Producer({"bootstrap.servers": bootstrap})
    for user in users:
        own = [("ce_id", b"1"), ("ce_id", b"2")]
        producer.produce(
            dead_letters, f"value of {user}", user, headers=[*own, *dead_letter_headers(topic, **headers)]
        )
    assert producer.flush(20) == 0


def read(bootstrap: str, topic: str, seconds: float = 2.0) -> list[Message]:
    """All messages of a topic of three partitions, until none has arrived for half a second."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "read", "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, number, 0) for number in range(3)])
    found: list[Message] = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for message in consumer.consume(500, 0.2):
            assert message.error() is None
            found.append(message)
            until = time.monotonic() + 0.5
    consumer.close()
    return found


@contextmanager
def member(bootstrap: str, group: str, topic: str, protocol: str = "classic") -> Iterator[Consumer]:
    """A member of a group, as long as this lasts; it has read and committed what was there."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": group,
            "group.protocol": protocol,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            # A topic just made may be unknown at the first look; the next would be five minutes later.
            "topic.metadata.refresh.interval.ms": 1_000,
        }
    )
    consumer.subscribe([topic])
    until = time.monotonic() + 60
    consumer.consume(500, 0.2)
    while not _has_read_all(consumer):
        assert time.monotonic() < until, "not all that is there arrives"
        consumer.consume(500, 0.2)
    consumer.commit(asynchronous=False)
    try:
        yield consumer
    finally:
        consumer.close()


def _has_read_all(consumer: Consumer) -> bool:
    """Whether it has partitions and has read what is in them."""
    partitions = consumer.position(consumer.assignment())
    ends = [consumer.get_watermark_offsets(partition, timeout=10)[1] for partition in partitions]
    return bool(ends) and all(
        partition.offset == end or not end for partition, end in zip(partitions, ends, strict=True)
    )


def made(bootstrap: str, topics: Iterable[str], partitions: int = 3) -> None:
    """Make those topics that are missing: other tests may have made some, and written to them."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    missing = set(topics) - set(admin.list_topics(timeout=10).topics)
    if missing:
        for future in admin.create_topics([NewTopic(name, partitions) for name in sorted(missing)]).values():
            future.result(timeout=30)
