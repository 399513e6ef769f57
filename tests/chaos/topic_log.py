"""What is in the topics, read beside all groups."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import cast

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from immersiverse.auth.events.kafka.record import Record

Partition = tuple[str, int]
Place = tuple[str, int, int]
"""Topic, partition, offset."""

_PATIENCE = 60.0  # seconds; brokers are away meanwhile


class TopicLog:
    """The messages of some topics, each by its place.

    Args:
        bootstrap: the cluster.
        partitions: how many partitions each topic has.
        name: what a message is called.

    Attributes:
        names: what has been read.
    """

    def __init__(self, bootstrap: str, partitions: dict[str, int], name: Callable[[Record], str]) -> None:
        self.names: dict[Place, str] = {}
        self._name = name
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "topic-log",
                "enable.auto.commit": False,
                "auto.offset.reset": "error",  # a log that shrinks is a find
                "reconnect.backoff.max.ms": 500,
                "log_level": 0,
            }
        )
        self._partitions = [(topic, number) for topic, count in partitions.items() for number in range(count)]
        self._next = dict.fromkeys(self._partitions, 0)
        self._consumer.assign([TopicPartition(topic, number, 0) for topic, number in self._partitions])

    def catch_up(self) -> dict[Partition, int]:
        """Read up to the present end of every partition, and say where that is.

        Raises:
            TimeoutError: if the brokers do not give it.
        """
        until = time.monotonic() + _PATIENCE
        ends = self._ends(until)
        while any(self._next[partition] < end for partition, end in ends.items()):
            self._take(self._consumer.consume(1000, 0.2))
            if time.monotonic() > until:
                raise TimeoutError(f"not read to the end: at {self._next} of {ends}")
        return ends

    def close(self) -> None:
        """Let go of the connections."""
        self._consumer.close()

    def _take(self, messages: Sequence[Message]) -> None:
        for message in messages:
            if message.error() is None:
                record = cast("Record", message)
                topic, partition, offset = record.topic(), record.partition(), record.offset()
                self.names[topic, partition, offset] = self._name(record)
                self._next[topic, partition] = offset + 1

    def _ends(self, until: float) -> dict[Partition, int]:
        return {partition: self._end(partition, until) for partition in self._partitions}

    def _end(self, partition: Partition, until: float) -> int:
        while True:
            try:
                end: int = self._consumer.get_watermark_offsets(TopicPartition(*partition), timeout=2)[1]
            except KafkaException as error:
                if time.monotonic() > until:
                    raise TimeoutError(f"no end of {partition}: {error}") from error
            else:
                return end


def event_name(record: Record) -> str:
    """An event's id, or a poison message's text."""
    name = _header(record, "ce_id") or record.value() or b""
    return name.decode()


def dead_letter_name(record: Record) -> str:
    """Whose dead letter it is, of which place, and what it holds."""
    group, topic, partition, offset = (
        _header(record, f"kafka_dlt-original-{what}")
        for what in ("consumer-group", "topic", "partition", "offset")
    )
    place = topic.decode(), int.from_bytes(partition, signed=True), int.from_bytes(offset, signed=True)
    return dead_letter_for(group.decode(), place, (record.value() or b"").decode())


def dead_letter_for(group: str, place: Place, text: str) -> str:
    """What the dead letter of a poison message is called."""
    return " ".join(map(str, (group, *place, text)))


def _header(record: Record, name: str) -> bytes:
    """The last header of a name, or nothing."""
    return dict(record.headers() or ()).get(name) or b""
