"""Reset the offsets of a consumer group: the plan, and applying it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from immersiverse.auth.events.admin.groups import (
    committed_offsets,
    describe_groups,
    set_offsets,
    unknown_group,
)
from immersiverse.auth.events.admin.topics import offset_ranges, offsets_at, partitions_of
from immersiverse.auth.events.errors import OperationRefused

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from immersiverse.auth.events.admin.cluster import Cluster
    from immersiverse.auth.events.admin.topics import OffsetRange
    from immersiverse.auth.events.partition import Partition

_MEMBERS_NAMED = 3


@dataclass(frozen=True, slots=True)
class ToBeginning:
    """The oldest message that the topic still holds."""


@dataclass(frozen=True, slots=True)
class ToEnd:
    """Only messages that arrive from now on."""


@dataclass(frozen=True, slots=True)
class ToOffset:
    """The same next offset in every partition."""

    offset: int


@dataclass(frozen=True, slots=True)
class ToTimestamp:
    """The first message at or after a time, in milliseconds since 1970 in UTC."""

    milliseconds: int


ResetTarget = ToBeginning | ToEnd | ToOffset | ToTimestamp
"""Where a group continues."""


@dataclass(frozen=True, slots=True)
class OffsetChange:
    """What a reset does to one partition.

    Attributes:
        partition: the partition.
        current: the next offset that the group would read; None if it has committed none.
        target: the next one that it will read.
        again: how many offsets it will read again.
        skipped: how many unread offsets it will skip.
        note: why the target differs from what was asked; empty if it does not.
    """

    partition: Partition
    current: int | None
    target: int
    again: int
    skipped: int
    note: str = ""


def plan(
    cluster: Cluster, group: str, topic: str, target: ResetTarget, numbers: Collection[int] = ()
) -> tuple[OffsetChange, ...]:
    """What a reset would do to each partition of a topic, or to those with the given numbers.

    Offsets also count transaction markers and compacted messages, so the number of events is at most what the
    plan says.
    """
    wanted = _chosen(partitions_of(cluster, (topic,)), numbers)
    ranges, commits = offset_ranges(cluster, wanted), committed_offsets(cluster, (group,), wanted)[group]
    found = _offsets_found(cluster, wanted, target)
    return tuple(change_of(p, ranges[p], commits.get(p), target, found.get(p)) for p in wanted)


def change_of(
    partition: Partition,
    offsets: OffsetRange,
    committed: int | None,
    target: ResetTarget,
    found: int | None = None,
) -> OffsetChange:
    """What a reset does to one partition. Pure.

    Args:
        partition: the partition.
        offsets: the offsets that it holds.
        committed: the next one that the group reads; None if it has committed none.
        target: where the group is to continue.
        found: the first offset at or after the target's time; None if there is none.
    """
    offset, note = _target_offset(offsets, found, target)
    if committed is None:
        return OffsetChange(partition, None, offset, 0, 0, note)
    reads_at = offsets.clamp(committed)
    again, skipped = max(0, reads_at - offset), max(0, offset - reads_at)
    return OffsetChange(partition, committed, offset, again, skipped, note)


def _target_offset(offsets: OffsetRange, found: int | None, target: ResetTarget) -> tuple[int, str]:
    match target:
        case ToBeginning():
            return offsets.first, ""
        case ToEnd():
            return offsets.end, ""
        case ToTimestamp():
            return (offsets.end, "all messages are older") if found is None else (found, "")
        case ToOffset(offset) if offset < offsets.first:
            return offsets.first, f"{offset} was deleted: the first offset is {offsets.first}"
        case ToOffset(offset) if offset > offsets.end:
            return offsets.end, f"{offset} is not written yet: the end is {offsets.end}"
        case ToOffset(offset):
            return offset, ""


def start_offsets(
    cluster: Cluster, ranges: Mapping[Partition, OffsetRange], start: ResetTarget
) -> Mapping[Partition, int]:
    """The offset of a target in every partition, for readers without a group."""
    found = _offsets_found(cluster, ranges, start)
    return {p: _target_offset(offsets, found.get(p), start)[0] for p, offsets in ranges.items()}


def _offsets_found(
    cluster: Cluster, partitions: Iterable[Partition], target: ResetTarget
) -> Mapping[Partition, int | None]:
    return offsets_at(cluster, partitions, target.milliseconds) if isinstance(target, ToTimestamp) else {}


def _chosen(partitions: tuple[Partition, ...], numbers: Collection[int]) -> tuple[Partition, ...]:
    missing = sorted(set(numbers) - {partition.number for partition in partitions})
    if missing:
        raise OperationRefused(
            "UNKNOWN_TOPIC_OR_PART",
            f"topic {partitions[0].topic!r} has no partition {missing[0]}: its partitions are 0 to "
            f"{len(partitions) - 1}",
        )
    return tuple(p for p in partitions if not numbers or p.number in numbers)


def require_stopped(cluster: Cluster, group: str, *, may_be_new: bool = False) -> None:
    """Refuse a group that has members, or that does not exist unless it may be new."""
    (found,) = describe_groups(cluster, (group,))
    if found.members:
        more = ", ..." if len(found.members) > _MEMBERS_NAMED else ""
        who = ", ".join(found.members[:_MEMBERS_NAMED]) + more
        raise OperationRefused(
            "NON_EMPTY_GROUP",
            f"consumer group {group!r} is running: {len(found.members)} members ({who}); stop them first",
        )
    if not found.exists and not may_be_new:
        raise unknown_group(cluster, group)


def apply(cluster: Cluster, group: str, changes: Iterable[OffsetChange]) -> None:
    """Apply a plan."""
    set_offsets(cluster, group, {change.partition: change.target for change in changes})
