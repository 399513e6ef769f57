"""Records on their way to a handler, and the partitions that they come from.

`Assignment` and `InFlightRecord` belong to the event loop's thread; `split_batches` runs in the poller's.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from operator import length_hint
from typing import TYPE_CHECKING, Any, Final, Generic, NamedTuple

from immersiverse.auth.events.kafka.consumer.offsets import OffsetTracker
from immersiverse.auth.events.kafka.record import position_of
from immersiverse.auth.events.partition import Partition
from immersiverse.auth.events.serialization.headers import headers_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable, Sequence

    from typing_extensions import TypeVar  # type checkers bring it; Python itself has defaults from 3.13

    from immersiverse.auth.events.kafka.consumer.metrics import TopicStats
    from immersiverse.auth.events.kafka.record import Record
    from immersiverse.auth.events.serialization.unknown import Decoded

    T = TypeVar("T", default=Any)
    Call = Callable[[Any, str, Record, int], Awaitable[None] | None]
    Ready = tuple[Decoded | None, str, Record, int, Call]  # an attempt that is due: arguments, and the call

else:
    from typing import TypeVar

    T = TypeVar("T")

CATCH_UP: Final = 5.0
"""Seconds for events that wait behind a running one to be handled too when a partition is revoked.

Later events of other keys may have finished already. They would be redelivered with the first that has not.
"""


@dataclass(frozen=True, slots=True)
class Context(Generic[T]):
    """What a handler with a third parameter gets beside the event and its payload.

    A handler may say what its inbox's transaction is: ``context: Context[Connection]``.

    Attributes:
        topic: where the event came from.
        partition: its partition.
        offset: its offset.
        key: the message's key; None if it had none.
        headers: the message's headers, in order.
        attempt: which attempt this is, from 1.
        transaction: the inbox's transaction, so that a handler's effects and the memory of duplicates are
            committed or rolled back together; None if the inbox has none.
    """

    topic: str
    partition: int
    offset: int
    key: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    attempt: int
    transaction: T = None  # type: ignore[assignment]  # without an inbox


def context_of(record: Record, attempt: int, transaction: T) -> Context[T]:
    """The context of one attempt at a record."""
    return Context(
        topic=record.topic(),
        partition=record.partition(),
        offset=record.offset(),
        key=record.key(),
        headers=tuple(headers_of(record)),
        attempt=attempt,
        transaction=transaction,
    )


class Invocation(NamedTuple):
    """How the events of one type are handled.

    Attributes:
        call: is called with the event, the envelope's payload field (empty if there is none), the record and
            the attempt, from 1. What it returns must be awaited, unless it is None.
        waits: whether it returns something to await: the handler is async, or runs in a thread.
    """

    call: Call
    waits: bool


class DecodedRecord(NamedTuple):
    """An event, ready to be handled.

    Attributes:
        event: the event; None for a tombstone.
        field: the envelope's field that carries its payload; empty if there is none.
        invocation: how it is handled.
    """

    event: Decoded | None
    field: str
    invocation: Invocation


class RecordBatch:
    """Records of one partition that were fetched one after the other.

    Args:
        partition: topic and number.
        records: the records.

    Attributes:
        partition: topic and number.
        start: the offset of the first record.
        end: the offset after the last one.
        gaps: where offsets are missing between them: the first that is missing, the next that exists.
        left: the records from the first that has not been taken yet.
    """

    __slots__ = ("end", "gaps", "left", "partition", "start")

    def __init__(self, partition: Partition, records: Sequence[Record]) -> None:
        self.partition = partition
        self.start, self.end = records[0].offset(), records[-1].offset() + 1
        self.gaps = _gaps(records) if self.end - self.start > len(records) else ()
        self.left = iter(records)

    def __len__(self) -> int:
        """How many records have not been taken yet."""
        return length_hint(self.left)


def _gaps(records: Sequence[Record]) -> tuple[tuple[int, int], ...]:
    offsets = [record.offset() for record in records]
    return tuple((last + 1, offset) for last, offset in pairwise(offsets) if offset > last + 1)


def split_batches(records: Sequence[Record]) -> list[RecordBatch]:
    """Records as they were fetched, cut where the partition changes."""
    starts, topic, number = [], "", -1
    for index, record in enumerate(records):
        if record.partition() != number or record.topic() != topic:
            topic, number = record.topic(), record.partition()
            starts.append((index, Partition(topic, number)))
    ends = [index for index, _ in starts[1:]] + [len(records)]
    return [
        RecordBatch(partition, records[start:end])
        for (start, partition), end in zip(starts, ends, strict=True)
    ]


class Assignment:
    """One partition from its assignment to this member until it is revoked: what finished, and what runs.

    Args:
        stats: where its events are counted for hooks; None without hooks.

    Attributes:
        offsets: which of its events are finished.
        released: set when the partition is revoked or the subscriber stops.
        stats: see the argument.
    """

    __slots__ = ("_abandoned", "_end", "_idle", "_running", "offsets", "released", "stats")

    def __init__(self, stats: TopicStats | None = None) -> None:
        self.stats = stats
        self.offsets = OffsetTracker()
        self.released = asyncio.Event()
        self._running: set[int] = set()
        self._end = 0  # events before this offset may still begin after the release
        self._abandoned = False
        self._idle = asyncio.Event()

    def may_begin(self, offset: int, *, has_failed: bool) -> bool:
        """Whether an event may be handled.

        After the release only if it has not failed, and a later event of the partition finished or runs.
        """
        if not self.released.is_set():
            return True
        return not self._abandoned and not has_failed and offset < self._end

    def enter(self, offset: int) -> None:
        """An event is being handled or dead-lettered."""
        self._running.add(offset)

    def leave(self, offset: int) -> None:
        """It no longer is."""
        self._running.discard(offset)
        self._check_idle()

    def finish(self, offset: int) -> None:
        """An event has finished."""
        self.offsets.finish(offset)
        self._check_idle()

    def release(self) -> None:
        """Begin no more events than those that keep later, finished ones from being committed."""
        if not self.released.is_set():
            self._end = self.offsets.end_of_work(self._running)
            self.released.set()
            self._check_idle()

    def abandon(self, offset: int) -> None:
        """An event stays unfinished. Those after it will be redelivered, so none of them need begin."""
        if offset < self._end or not self.released.is_set():
            self._abandoned = True
            self._check_idle()

    async def back_off(self, seconds: float) -> None:
        """Wait before the next attempt, no longer than until the release."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.released.wait(), seconds)

    async def idle(self, seconds: float) -> None:
        """Wait until nothing runs after the release, at most this long."""
        until = time.monotonic() + seconds
        with suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), min(seconds, CATCH_UP))
        self.abandon(-1)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), until - time.monotonic())

    def _check_idle(self) -> None:
        is_complete = self._abandoned or self.offsets.committable >= self._end
        if self.released.is_set() and is_complete and not self._running:
            self._idle.set()


@dataclass(slots=True)
class InFlightRecord:
    """A record that takes more than one step: it waits in its key's queue, runs, or failed.

    Attributes:
        record: the record.
        assignment: the partition that it came from.
        decoded: what was decoded for the next attempt; not kept for a second one, since a handler may have
            changed the event.
        failures: how many attempts of its handler have failed.
        outages: how often it could not be handled because the registry or the inbox was unavailable.
        refusals: how often the registry refused its schema.
    """

    record: Record
    assignment: Assignment
    decoded: DecodedRecord | None = None
    failures: int = 0
    outages: int = 0
    refusals: int = 0

    @property
    def key(self) -> Hashable:
        """Events of one key are handled in order; a record without a key waits for no other."""
        key = self.record.key()
        return key if key is not None else position_of(self.record)

    @property
    def has_failed(self) -> bool:
        """Whether an attempt failed, for whatever reason."""
        return self.failures + self.outages + self.refusals > 0
