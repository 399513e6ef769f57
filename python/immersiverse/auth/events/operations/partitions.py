"""What partitions there are, and which offsets they hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from confluent_kafka import TopicPartition
from confluent_kafka.admin import OffsetSpec

from immersiverse.auth.events.errors import OperationRefused
from immersiverse.auth.events.operations.suggestions import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from confluent_kafka.admin import AdminClient

    from immersiverse.auth.events.operations.cluster import Cluster

_EARLIEST: OffsetSpec = OffsetSpec.earliest()  # type: ignore[no-untyped-call]  # Confluent has no type for it
_LATEST: OffsetSpec = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # Confluent has no type for it


@dataclass(frozen=True, slots=True, order=True)
class Partition:
    """A partition's name.

    Attributes:
        topic: its topic.
        number: its number within it, from 0.
    """

    topic: str
    number: int

    def __str__(self) -> str:
        return f"{self.topic}-{self.number}"


@dataclass(frozen=True, slots=True)
class Extent:
    """Which offsets a partition holds.

    Attributes:
        first: the offset of its oldest message; `end` if it is empty.
        end: the offset that its next message will get.
    """

    first: int
    end: int

    def clamp(self, offset: int) -> int:
        """The nearest offset from which the partition can be read."""
        return max(self.first, min(offset, self.end))


def existing_topics(cluster: Cluster) -> Mapping[str, int]:
    """How many partitions each topic has that these credentials may see.

    Raises:
        BrokerUnavailable: if nobody answers.
    """
    found = cluster.ask("list the topics", lambda admin: admin.list_topics(timeout=cluster.timeout)).topics
    return {name: len(topic.partitions) for name, topic in found.items() if topic.error is None}


def partitions_of(cluster: Cluster, topics: Iterable[str]) -> tuple[Partition, ...]:
    """Every partition of some topics, in their order.

    Raises:
        OperationRefused: if one of them does not exist, or must not be seen.
        BrokerUnavailable: if nobody answers.
    """
    wanted = tuple(topics)
    counts = existing_topics(cluster)
    for name in wanted:
        if name not in counts:
            reason = f"there is no topic {name!r}, or these credentials must not see it"
            raise OperationRefused("UNKNOWN_TOPIC_OR_PART", reason + did_you_mean(name, counts))
    return partitions_in(counts, wanted)


def partitions_in(counts: Mapping[str, int], topics: Iterable[str]) -> tuple[Partition, ...]:
    """Every partition of some topics, in their order, by how many each has. Pure."""
    return tuple(Partition(name, number) for name in topics for number in range(counts[name]))


def extents(cluster: Cluster, partitions: Iterable[Partition]) -> dict[Partition, Extent]:
    """Which offsets partitions hold now.

    Raises:
        OperationRefused: if a partition does not exist, or must not be read.
        BrokerUnavailable: if nobody answers.
    """
    wanted = tuple(partitions)
    first = _offsets(cluster, wanted, _EARLIEST)
    end = _offsets(cluster, wanted, _LATEST)
    return {partition: Extent(first[partition], end[partition]) for partition in wanted}


def offsets_at(
    cluster: Cluster, partitions: Iterable[Partition], milliseconds: int
) -> dict[Partition, int | None]:
    """The first offset with a timestamp at or after a moment; None where everything is older.

    Args:
        cluster: where.
        partitions: of which.
        milliseconds: the moment, since 1970 in UTC.

    Raises:
        OperationRefused: if a partition does not exist, or must not be read.
        BrokerUnavailable: if nobody answers.
    """
    found = _offsets(cluster, tuple(partitions), OffsetSpec.for_timestamp(milliseconds))
    return {partition: offset if offset >= 0 else None for partition, offset in found.items()}


def _offsets(cluster: Cluster, partitions: tuple[Partition, ...], which: OffsetSpec) -> dict[Partition, int]:
    def ask(admin: AdminClient) -> dict[Partition, int]:
        wanted = {TopicPartition(partition.topic, partition.number): which for partition in partitions}
        if not wanted:
            return {}
        futures = admin.list_offsets(wanted, request_timeout=cluster.timeout)
        return {Partition(tp.topic, tp.partition): future.result().offset for tp, future in futures.items()}

    return cluster.ask("look up offsets", ask)
