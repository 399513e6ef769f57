"""Read partitions without a consumer group: up to their current end, or without end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, cast

from confluent_kafka import KafkaError, KafkaException, TopicPartition

from immersiverse.auth.events.errors import BrokerUnavailable
from immersiverse.auth.events.partition import Partition

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from confluent_kafka import Consumer, Message

    from immersiverse.auth.events.admin.cluster import Cluster
    from immersiverse.auth.events.admin.topics import OffsetRange
    from immersiverse.auth.events.kafka.record import Record

_BATCH: Final = 500
_BATCH_SECONDS: Final = 0.2  # how long to wait for a batch to fill
_STALLED_SECONDS: Final = 30.0  # without a message for so long, reading up to the end is given up
_CHECK_SECONDS: Final = 1.0  # between checks whether brokers are back, and how long a check may take
_EOF: Final = "_PARTITION_EOF"
# Errors that pass by themselves, and one about the group id, which a reader does not use.
_HARMLESS: Final = frozenset(
    {"_TRANSPORT", "_ALL_BROKERS_DOWN", "_RESOLVE", "_TIMED_OUT", "GROUP_AUTHORIZATION_FAILED"}
)


def read_to_end(cluster: Cluster, ranges: Mapping[Partition, OffsetRange]) -> Iterator[Record]:
    """All messages in offset ranges; those of one partition in order.

    Args:
        cluster: the cluster.
        ranges: what to read of each partition.
    """
    ends = {partition: offsets.end for partition, offsets in ranges.items() if offsets.first < offsets.end}
    last_message = time.monotonic()
    reader = _assigned(cluster, {partition: ranges[partition].first for partition in ends})
    try:
        while ends:
            batch = reader.consume(_BATCH, _BATCH_SECONDS)
            if time.monotonic() - last_message > _STALLED_SECONDS:
                raise BrokerUnavailable(
                    f"cannot read {min(ends)}: Kafka sent no message for {_STALLED_SECONDS:.0f} s"
                )
            for message in batch:
                if message.error() is None:
                    last_message = time.monotonic()
                yield from _before_end(cluster, message, ends)
    finally:
        reader.close()


def _before_end(cluster: Cluster, message: Message, ends: dict[Partition, int]) -> Iterator[Record]:
    """The message if it is before its partition's end; removes partitions that are complete."""
    record = cast("Record", message)
    if error := message.error():
        if error.name() == _EOF:
            ends.pop(Partition(record.topic(), record.partition()), None)
        elif error.name() not in _HARMLESS:
            raise cluster.error_for("read", error)
        return
    partition = Partition(record.topic(), record.partition())
    if (end := ends.get(partition)) is not None:
        if record.offset() < end:
            yield record
        if record.offset() >= end - 1:
            del ends[partition]


def follow(
    cluster: Cluster, starts: Mapping[Partition, int], *, on_outage: Callable[[str], None]
) -> Iterator[Record | None]:
    """All messages from the given offsets on, as they arrive; None when none arrived for a while. Never ends.

    Args:
        cluster: the cluster.
        starts: the first offset of each partition.
        on_outage: called with a sentence when no broker can be reached, and when one can again.
    """
    outage = _Outage(on_outage)
    reader = _assigned(cluster, starts, outage.note)
    try:
        while True:
            batch = reader.consume(_BATCH, _BATCH_SECONDS)
            if not batch:
                outage.check(reader)
                yield None
            for message in batch:
                error = message.error()
                if error is None:
                    yield cast("Record", message)
                elif error.name() != _EOF and error.name() not in _HARMLESS:
                    raise cluster.error_for("read", error)
    finally:
        reader.close()


def _assigned(
    cluster: Cluster, starts: Mapping[Partition, int], on_error: Callable[[KafkaError], None] | None = None
) -> Consumer:
    reader = cluster.reader(on_error=on_error)
    try:
        reader.assign([TopicPartition(p.topic, p.number, offset) for p, offset in starts.items()])
    except KafkaException as error:
        reader.close()
        raise cluster.error_for("read", error.args[0]) from error
    return reader


class _Outage:
    """Reports when one consumer loses all brokers, and when it reaches one again."""

    def __init__(self, report: Callable[[str], None]) -> None:
        self._report = report
        self._is_down = False
        self._checked = 0.0

    def note(self, error: KafkaError) -> None:
        """Take a background error of librdkafka."""
        if error.name() == "_ALL_BROKERS_DOWN" and not self._is_down:
            self._is_down = True
            self._report("cannot reach any broker; waiting, and continuing at the same offset then")

    def check(self, consumer: Consumer) -> None:
        """During an outage, ask for metadata to see whether it is over. Blocks for a second at most."""
        if not self._is_down or time.monotonic() - self._checked < _CHECK_SECONDS:
            return
        try:
            consumer.list_topics(timeout=_CHECK_SECONDS)
        except KafkaException:
            self._checked = time.monotonic()
        else:
            self._is_down = False
            self._report("Kafka answers again")
