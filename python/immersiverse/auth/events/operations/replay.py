"""Where a group would read on: the plan, before anything is changed. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from immersiverse.auth.events.operations.partitions import Extent, Partition


@dataclass(frozen=True, slots=True)
class ToBeginning:
    """Everything that the topic still holds."""


@dataclass(frozen=True, slots=True)
class ToEnd:
    """Only what comes from now on."""


@dataclass(frozen=True, slots=True)
class ToOffset:
    """The same offset in every partition.

    Attributes:
        offset: the next one to read.
    """

    offset: int


@dataclass(frozen=True, slots=True)
class ToTimestamp:
    """The first message at or after a moment.

    Attributes:
        milliseconds: the moment, since 1970 in UTC.
    """

    milliseconds: int


Target = ToBeginning | ToEnd | ToOffset | ToTimestamp
"""Where to read on."""


@dataclass(frozen=True, slots=True)
class State:
    """A partition before the replay.

    Attributes:
        partition: which.
        extent: which offsets it holds.
        committed: the next one that the group reads; None if it has committed none.
        found: the first offset at or after the target's moment; None if there is none, or no moment is asked.
    """

    partition: Partition
    extent: Extent
    committed: int | None
    found: int | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """What a replay does to one partition.

    Attributes:
        partition: which.
        current: the next offset that the group would read; None if it has committed none.
        target: the next one that it will read.
        again: how many offsets it will read again.
        skipped: how many offsets that it has not read yet it never will.
        note: why the target is not what was asked, if it is not; empty otherwise.
    """

    partition: Partition
    current: int | None
    target: int
    again: int
    skipped: int
    note: str = ""


def plan(states: Iterable[State], target: Target) -> tuple[Move, ...]:
    """What a replay would do, partition by partition.

    Offsets count all that was ever written, transactions' marks and compacted messages included, so the
    number of events is at most what the plan says.
    """
    return tuple(_move(state, target) for state in states)


def _move(state: State, target: Target) -> Move:
    offset, note = _aim(state, target)
    if state.committed is None:
        return Move(state.partition, None, offset, 0, 0, note)
    reads_at = state.extent.clamp(state.committed)
    again, skipped = max(0, reads_at - offset), max(0, offset - reads_at)
    return Move(state.partition, state.committed, offset, again, skipped, note)


def _aim(state: State, target: Target) -> tuple[int, str]:
    first, end = state.extent.first, state.extent.end
    match target:
        case ToBeginning():
            return first, ""
        case ToEnd():
            return end, ""
        case ToTimestamp():
            return (end, "everything is older") if state.found is None else (state.found, "")
        case ToOffset(offset):
            return state.extent.clamp(offset), _why_clamped(offset, first, end)


def _why_clamped(offset: int, first: int, end: int) -> str:
    if offset < first:
        return f"{offset} is gone: it begins at {first}"
    return f"{offset} is not written yet: it ends at {end}" if offset > end else ""
