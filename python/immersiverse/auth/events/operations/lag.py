"""How far groups are behind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from immersiverse.auth.events.operations import groups
from immersiverse.auth.events.operations.committed import committed
from immersiverse.auth.events.operations.partitions import existing_topics, extents, partitions_in

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from immersiverse.auth.events.operations.cluster import Cluster
    from immersiverse.auth.events.operations.groups import Group
    from immersiverse.auth.events.operations.partitions import Extent, Partition


@dataclass(frozen=True, slots=True)
class Lag:
    """How far a group is behind in one partition.

    Attributes:
        group: the group's name.
        state: Kafka's word for it in lower case, such as ``stable`` or ``empty``.
        partition: which.
        committed: the next offset that it reads; None if it has committed none.
        end: the offset that the partition's next message will get.
        behind: how many offsets it has yet to read; all that the partition holds if it has committed none.
    """

    group: str
    state: str
    partition: Partition
    committed: int | None
    end: int
    behind: int


def lags(
    group: Group, commits: Mapping[Partition, int], extent: Mapping[Partition, Extent]
) -> tuple[Lag, ...]:
    """How far a group is behind in every partition that it has committed or is assigned. Pure."""
    wanted = sorted(partition for partition in {*commits, *group.assigned} if partition in extent)
    return tuple(_lag(group, partition, commits.get(partition), extent[partition]) for partition in wanted)


def _lag(group: Group, partition: Partition, committed: int | None, extent: Extent) -> Lag:
    reads_at = extent.first if committed is None else extent.clamp(committed)
    return Lag(group.name, group.state, partition, committed, extent.end, extent.end - reads_at)


def measure(
    cluster: Cluster, names: Collection[str] = (), topics: Collection[str] | None = None
) -> tuple[Lag, ...]:
    """How far groups are behind now.

    Args:
        cluster: where.
        names: which groups; all that read one of the topics unless given.
        topics: which topics; all unless given.

    Raises:
        OperationRefused: if a named group does not exist, or rights are missing.
        BrokerUnavailable: if nobody answers.
    """
    there = existing_topics(cluster)
    seen = _groups(cluster, names)
    read = partitions_in(there, _readable(there) if topics is None else there.keys() & set(topics))
    commits = committed(cluster, [group.name for group in seen], read)
    known = {p for group in seen for p in (*group.assigned, *commits[group.name])} & set(read)
    extent = extents(cluster, known)
    return tuple(lag for group in seen for lag in lags(group, commits[group.name], extent))


def _groups(cluster: Cluster, names: Collection[str]) -> tuple[Group, ...]:
    found = groups.describe(cluster, tuple(dict.fromkeys(names)) or groups.group_names(cluster))
    for group in found:
        if names and not group.exists:
            raise groups.unknown(cluster, group.name)
    return found


def _readable(topics: Iterable[str]) -> tuple[str, ...]:
    """Topics of which a group may want to read; Kafka's own are none."""
    return tuple(name for name in topics if not name.startswith("__"))


def total(rows: Iterable[Lag]) -> int:
    """How many offsets are yet to be read in all."""
    return sum(row.behind for row in rows)
