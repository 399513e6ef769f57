"""Read partitions without a group: up to where they end now, or on and on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from confluent_kafka import KafkaError, KafkaException, TopicPartition

from immersiverse.auth.events.errors import BrokerUnavailable
from immersiverse.auth.events.operations.outage import Outage
from immersiverse.auth.events.operations.partitions import Partition

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from confluent_kafka import Consumer, Message

    from immersiverse.auth.events.operations.cluster import Cluster
    from immersiverse.auth.events.operations.partitions import Extent

_BATCH = 500
_PATIENCE = 0.2  # seconds that a reader waits for a batch to fill
_SILENCE = 30.0  # seconds without a word after which the rest is not believed to come
# Troubles that pass by themselves, and that of a client which looks for its group's coordinator without need.
_HARMLESS = frozenset(
    {"_TRANSPORT", "_ALL_BROKERS_DOWN", "_RESOLVE", "_TIMED_OUT", "GROUP_AUTHORIZATION_FAILED"}
)


def read_to_end(cluster: Cluster, extents: Mapping[Partition, Extent]) -> Iterator[Message]:
    """Every message that partitions held at a moment, each partition's in order.

    Args:
        cluster: where.
        extents: from where to where, partition by partition.

    Raises:
        OperationRefused: if a partition must not be read.
        BrokerUnavailable: if nobody answers.
    """
    ends = {partition: extent.end for partition, extent in extents.items() if extent.first < extent.end}
    heard = time.monotonic()
    reader = _assigned(cluster, {partition: extents[partition].first for partition in ends})
    try:
        while ends:
            batch = reader.consume(_BATCH, _PATIENCE)
            if time.monotonic() - heard > _SILENCE:
                raise BrokerUnavailable(f"Kafka gives nothing of {min(ends)} any more")
            for message in batch:
                if message.error() is None:
                    heard = time.monotonic()
                yield from _until_end(cluster, message, ends)
    finally:
        reader.close()


def _until_end(cluster: Cluster, message: Message, ends: dict[Partition, int]) -> Iterator[Message]:
    """The message, if it lies before its partition's end; forgets partitions that are through."""
    partition = Partition(message.topic() or "", message.partition() or 0)
    if error := message.error():
        if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - librdkafka's name
            ends.pop(partition, None)
        elif error.name() not in _HARMLESS:
            raise cluster.failure("read", error)
    elif (end := ends.get(partition)) is not None:
        offset = message.offset() or 0
        if offset < end:
            yield message
        if offset >= end - 1:
            del ends[partition]


def read_on(
    cluster: Cluster, starts: Mapping[Partition, int], *, on_outage: Callable[[str], None]
) -> Iterator[Message | None]:
    """Every message from some offsets on, as they come; None when nothing came for a moment. It never ends.

    Args:
        cluster: where.
        starts: from where on, partition by partition.
        on_outage: is told when no broker can be reached any more, and when one can.

    Raises:
        OperationRefused: if a partition must not be read.
    """
    outage = Outage(on_outage)
    reader = _assigned(cluster, starts, outage.hear)
    try:
        while True:
            batch = reader.consume(_BATCH, _PATIENCE)
            if not batch:
                outage.look(reader)
                yield None
            yield from _readable(cluster, batch)
    finally:
        reader.close()


def _readable(cluster: Cluster, batch: Iterable[Message]) -> Iterator[Message]:
    for message in batch:
        error = message.error()
        if error is None:
            yield message
        elif error.code() != KafkaError._PARTITION_EOF and error.name() not in _HARMLESS:  # noqa: SLF001 - librdkafka's name
            raise cluster.failure("read", error)


def _assigned(
    cluster: Cluster, starts: Mapping[Partition, int], on_error: Callable[[KafkaError], None] | None = None
) -> Consumer:
    reader = cluster.reader(on_error=on_error)
    try:
        reader.assign([TopicPartition(p.topic, p.number, offset) for p, offset in starts.items()])
    except KafkaException as error:
        reader.close()
        raise cluster.failure("read", error.args[0]) from error
    return reader
