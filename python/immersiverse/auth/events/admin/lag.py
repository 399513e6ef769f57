"""Consumer lag: how many offsets groups have yet to read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from immersiverse.auth.events import catalog
from immersiverse.auth.events.admin.groups import (
    committed_offsets,
    describe_groups,
    group_names,
    unknown_group,
)
from immersiverse.auth.events.admin.topics import (
    existing_topics,
    offset_ranges,
    partitions_in,
    partitions_of,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from immersiverse.auth.events.admin.cluster import Cluster
    from immersiverse.auth.events.admin.groups import ConsumerGroup
    from immersiverse.auth.events.admin.topics import OffsetRange
    from immersiverse.auth.events.partition import Partition


@dataclass(frozen=True, slots=True)
class PartitionLag:
    """The lag of a group in one partition.

    Attributes:
        group: the group.
        state: its state, in lower case, such as ``stable`` or ``empty``.
        partition: the partition.
        committed: the next offset that the group reads; None if it has committed none.
        end: the offset that the partition's next message will get.
        behind: how many offsets it has yet to read; the whole partition if it has committed none.
    """

    group: str
    state: str
    partition: Partition
    committed: int | None
    end: int
    behind: int


def lags(
    group: ConsumerGroup, commits: Mapping[Partition, int], ranges: Mapping[Partition, OffsetRange]
) -> tuple[PartitionLag, ...]:
    """The lag of a group in every partition that it has committed or is assigned. Pure."""
    wanted = sorted(partition for partition in {*commits, *group.assigned} if partition in ranges)
    return tuple(_lag(group, partition, commits.get(partition), ranges[partition]) for partition in wanted)


def _lag(
    group: ConsumerGroup, partition: Partition, committed: int | None, offsets: OffsetRange
) -> PartitionLag:
    reads_at = offsets.first if committed is None else offsets.clamp(committed)
    behind = offsets.end - reads_at
    return PartitionLag(group.name, group.state, partition, committed, offsets.end, behind)


def watched_topics(
    cluster: Cluster, topics: Collection[str], groups: Collection[str]
) -> Collection[str] | None:
    """The topics to measure: those given, else all that the given groups read (None), else the contract's."""
    if topics:
        return {partition.topic for partition in partitions_of(cluster, topics)}
    return None if groups else (*catalog.TOPICS, catalog.SINGLE_TOPIC, catalog.DEAD_LETTER_TOPIC)


def measure(
    cluster: Cluster, names: Collection[str] = (), topics: Collection[str] | None = None
) -> tuple[PartitionLag, ...]:
    """The lag of groups now.

    Without names all groups that read one of the topics; without topics all but Kafka's internal ones.
    """
    counts = existing_topics(cluster)
    groups = _groups(cluster, names)
    wanted = [name for name in counts if (name in topics if topics is not None else name[:2] != "__")]
    partitions = partitions_in(counts, wanted)
    commits = committed_offsets(cluster, [group.name for group in groups], partitions)
    read = {p for group in groups for p in (*group.assigned, *commits[group.name])} & set(partitions)
    ranges = offset_ranges(cluster, read)
    return tuple(lag for group in groups for lag in lags(group, commits[group.name], ranges))


def _groups(cluster: Cluster, names: Collection[str]) -> tuple[ConsumerGroup, ...]:
    found = describe_groups(cluster, tuple(dict.fromkeys(names)) or group_names(cluster))
    for group in found:
        if names and not group.exists:
            raise unknown_group(cluster, group.name)
    return found
