"""Look at a group before a replay, and carry the plan out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from immersiverse.auth.events.errors import OperationRefused
from immersiverse.auth.events.operations import groups
from immersiverse.auth.events.operations.committed import committed
from immersiverse.auth.events.operations.partitions import extents, offsets_at, partitions_of
from immersiverse.auth.events.operations.replay import State, ToTimestamp

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from immersiverse.auth.events.operations.cluster import Cluster
    from immersiverse.auth.events.operations.partitions import Partition
    from immersiverse.auth.events.operations.replay import Move, Target


def require_idle(cluster: Cluster, group: str, *, may_be_new: bool = False) -> None:
    """Refuse a group whose offsets must not be altered.

    Args:
        cluster: where.
        group: its name.
        may_be_new: whether Kafka need not know it yet.

    Raises:
        OperationRefused: if it has members, or does not exist and must.
        BrokerUnavailable: if nobody answers.
    """
    (found,) = groups.describe(cluster, (group,))
    if found.members:
        who = ", ".join(found.members[:3]) + (", ..." if found.members[3:] else "")
        raise OperationRefused(
            "NON_EMPTY_GROUP",
            f"the group {group!r} is live: {len(found.members)} members ({who}); stop them first",
        )
    if not found.exists and not may_be_new:
        raise groups.unknown(cluster, group)


def states(
    cluster: Cluster, group: str, topic: str, target: Target, numbers: Collection[int] = ()
) -> tuple[State, ...]:
    """A topic's partitions as a group sees them now.

    Args:
        cluster: where.
        group: the group's name.
        topic: the topic's name.
        target: where it is to read on.
        numbers: only these partitions; all unless given.

    Raises:
        OperationRefused: if the topic or a partition does not exist, or rights are missing.
        BrokerUnavailable: if nobody answers.
    """
    wanted = _chosen(partitions_of(cluster, (topic,)), numbers)
    extent, commits = extents(cluster, wanted), committed(cluster, (group,), wanted)[group]
    found = offsets_at(cluster, wanted, target.milliseconds) if isinstance(target, ToTimestamp) else {}
    return tuple(State(p, extent[p], commits.get(p), found.get(p)) for p in wanted)


def apply(cluster: Cluster, group: str, moves: Iterable[Move]) -> None:
    """Carry a plan out.

    Raises:
        OperationRefused: if the group became live meanwhile, or rights are missing.
        BrokerUnavailable: if nobody answers.
    """
    groups.commit(cluster, group, {move.partition: move.target for move in moves})


def _chosen(partitions: tuple[Partition, ...], numbers: Collection[int]) -> tuple[Partition, ...]:
    missing = sorted(set(numbers) - {partition.number for partition in partitions})
    if missing:
        raise OperationRefused(
            "UNKNOWN_TOPIC_OR_PART",
            f"{partitions[0].topic!r} has {len(partitions)} partitions, from 0: there is no {missing[0]}",
        )
    return tuple(p for p in partitions if not numbers or p.number in numbers)
