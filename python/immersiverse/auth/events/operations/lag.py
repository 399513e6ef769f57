"""How far groups are behind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from immersiverse.auth.events.errors import OperationRefused
from immersiverse.auth.events.operations import groups
from immersiverse.auth.events.operations.partitions import existing_topics, extents

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
    seen = [_group(cluster, name, must_exist=name in names) for name in names or groups.group_names(cluster)]
    there = existing_topics(cluster)
    wanted = there if topics is None else there.keys() & set(topics)
    partitions = {p for group, commits in seen for p in (*group.assigned, *commits) if p.topic in wanted}
    extent = extents(cluster, partitions)
    return tuple(lag for group, commits in seen for lag in lags(group, commits, extent))


def _group(cluster: Cluster, name: str, *, must_exist: bool) -> tuple[Group, dict[Partition, int]]:
    found = groups.describe(cluster, name)
    if must_exist and not found.exists:
        raise OperationRefused("GROUP_ID_NOT_FOUND", f"there is no group {name!r}")
    return found, groups.committed(cluster, name)


def total(rows: Iterable[Lag]) -> int:
    """How many offsets are yet to be read in all."""
    return sum(row.behind for row in rows)
