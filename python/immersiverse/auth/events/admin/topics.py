"""Topics and their partitions: which exist, and which offsets they hold."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from confluent_kafka import TopicPartition
from confluent_kafka.admin import OffsetSpec

from immersiverse.auth.events import catalog
from immersiverse.auth.events.errors import OperationRefused
from immersiverse.auth.events.partition import Partition
from immersiverse.auth.events.suggestions import closest_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from confluent_kafka.admin import AdminClient

    from immersiverse.auth.events.admin.cluster import Cluster

_EARLIEST: OffsetSpec = OffsetSpec.earliest()  # type: ignore[no-untyped-call]  # untyped in confluent-kafka
_LATEST: OffsetSpec = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # untyped in confluent-kafka

_CREATION_SECONDS = 1.0  # for brokers that create topics when a producer asks for them
_UNKNOWN = frozenset({"UNKNOWN_TOPIC_OR_PART", "LEADER_NOT_AVAILABLE"})  # also while it is created


@dataclass(frozen=True, slots=True)
class OffsetRange:
    """The offsets that a partition holds: of its oldest message, and the one that the next message gets."""

    first: int
    end: int

    def clamp(self, offset: int) -> int:
        """The nearest offset that a consumer can start from."""
        return max(self.first, min(offset, self.end))


def existing_topics(cluster: Cluster) -> Mapping[str, int]:
    """The number of partitions of each topic that these credentials may see."""
    found = cluster.ask("list the topics", lambda admin: admin.list_topics(timeout=cluster.timeout)).topics
    return {name: len(topic.partitions) for name, topic in found.items() if topic.error is None}


def partitions_of(cluster: Cluster, topics: Iterable[str]) -> tuple[Partition, ...]:
    """All partitions of the given topics, in their order."""
    wanted, counts = tuple(topics), existing_topics(cluster)
    for name in wanted:
        if name not in counts:
            reason = f"topic {name!r} does not exist, or these credentials may not see it"
            raise OperationRefused("UNKNOWN_TOPIC_OR_PART", reason + did_you_mean(name, counts))
    return partitions_in(counts, wanted)


def partitions_in(counts: Mapping[str, int], topics: Iterable[str]) -> tuple[Partition, ...]:
    """All partitions of the given topics, by the number that each has. Pure."""
    return tuple(Partition(name, number) for name in topics for number in range(counts[name]))


def missing_topic(cluster: Cluster, name: str) -> str:
    """Why nothing can be published to a topic; empty if it exists, or if the brokers create it when asked.

    Raises:
        BrokerUnavailable: if no broker responds.
    """
    until = time.monotonic() + _CREATION_SECONDS
    while True:
        found = cluster.ask("look up a topic", lambda admin: admin.list_topics(name, timeout=cluster.timeout))
        error = found.topics[name].error
        if error is None or error.name() not in _UNKNOWN:
            return ""
        if time.monotonic() > until:
            mode = " --single-topic" if name == catalog.SINGLE_TOPIC else ""
            command = f"auth-events topics apply -b {cluster.settings['bootstrap.servers']}{mode}"
            return f"topic {name} does not exist; create the contract's topics with {command}"
        time.sleep(_CREATION_SECONDS / 10)


def offset_ranges(cluster: Cluster, partitions: Iterable[Partition]) -> dict[Partition, OffsetRange]:
    """The offsets that partitions hold now."""
    wanted = tuple(partitions)
    first = _offsets(cluster, wanted, _EARLIEST)
    end = _offsets(cluster, wanted, _LATEST)
    return {partition: OffsetRange(first[partition], end[partition]) for partition in wanted}


def offsets_at(
    cluster: Cluster, partitions: Iterable[Partition], milliseconds: int
) -> dict[Partition, int | None]:
    """The first offset at or after a time, in milliseconds since 1970 in UTC; None where all are older."""
    found = _offsets(cluster, tuple(partitions), OffsetSpec.for_timestamp(milliseconds))
    return {partition: offset if offset >= 0 else None for partition, offset in found.items()}


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of an error about an unknown name: the most similar known name, or nothing."""
    closest = closest_name(name, known)
    return f"; did you mean {closest!r}?" if closest else ""


def _offsets(cluster: Cluster, partitions: tuple[Partition, ...], which: OffsetSpec) -> dict[Partition, int]:
    def request(admin: AdminClient) -> dict[Partition, int]:
        wanted = {TopicPartition(*partition): which for partition in partitions}
        if not wanted:
            return {}
        futures = admin.list_offsets(wanted, request_timeout=cluster.timeout)
        return {Partition(tp.topic, tp.partition): future.result().offset for tp, future in futures.items()}

    return cluster.ask("look up offsets", request)
