"""What a publisher, a subscriber and an outbox's relay report to hooks while they work.

A hook is any callable that takes one of the details below; it selects by type. Hooks run in the thread that
does the work, so they must be quick and must not raise. Without hooks no detail is ever made.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from immersiverse.auth.events.partition import Partition

BOUNDS: Final = (
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0,
)  # fmt: skip
"""Of `Durations`, in seconds: from a handler that only counts to a publisher that waits for a broker."""


class Durations:
    """A histogram that is cheap to fill. Not thread-safe.

    Attributes:
        counts: how many took at most each of the `BOUNDS` and more than the one before; last, more than all.
        seconds: the sum of all of them.
    """

    __slots__ = ("counts", "seconds")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        self.seconds = 0.0

    def add(self, seconds: float, times: int = 1) -> None:
        """Add a duration, so many times."""
        self.counts[bisect_left(BOUNDS, seconds)] += times
        self.seconds += seconds * times

    def extend(self, seconds: list[float]) -> None:
        """Add each of these durations, which are sorted in place: cheaper than one by one."""
        seconds.sort()
        below = 0
        for place, bound in enumerate(BOUNDS):
            at_most = bisect_right(seconds, bound)
            self.counts[place] += at_most - below
            below = at_most
        self.counts[-1] += len(seconds) - below
        self.seconds += sum(seconds)

    def merge(self, other: Durations) -> None:
        """Add all durations of another histogram."""
        self.counts = [mine + theirs for mine, theirs in zip(self.counts, other.counts, strict=True)]
        self.seconds += other.seconds

    @property
    def count(self) -> int:
        """How many there are."""
        return sum(self.counts)

    @property
    def cumulative(self) -> list[int]:
        """How many took at most each of the `BOUNDS`; last, all of them."""
        return list(accumulate(self.counts))


@dataclass(frozen=True, slots=True)
class Published:
    """Delivery reports of events arrived: one summary for all of a topic, type and outcome.

    Attributes:
        topic: where they were published.
        event_type: their short name.
        error: librdkafka's name of the reason if they failed; empty if they were acknowledged.
        durations: from ``publish`` to the delivery report.
    """

    topic: str
    event_type: str
    error: str
    durations: Durations

    @property
    def count(self) -> int:
        """How many."""
        return self.durations.count


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """librdkafka reported a message as delivered, without proof that a broker stored it: it counts as failed.

    Attributes:
        topic: where it was sent.
        producer: what sent it: ``publisher``, ``dead-letters`` or ``outbox-relay``.
    """

    topic: str
    producer: str


@dataclass(frozen=True, slots=True)
class Consumed:
    """Events were handled, or skipped because they have no handler: one summary for each type in a batch.

    Attributes:
        topic: where they came from.
        event_type: their short name; ``unknown`` for all that the contract does not know, ``tombstone`` for
            messages without a value.
        durations: the time of each in its handler; events that take less than a millisecond share the time
            of all of them.
        age: seconds from when the last of them happened until it was handled.
    """

    topic: str
    event_type: str
    durations: Durations
    age: float

    @property
    def count(self) -> int:
        """How many."""
        return self.durations.count


@dataclass(frozen=True, slots=True)
class DecodeFailed:
    """A value could not be decoded.

    Attributes:
        topic: where it came from.
        error: the error's name in the tree, such as ``MalformedFrame``.
    """

    topic: str
    error: str


@dataclass(frozen=True, slots=True)
class Retried:
    """An attempt failed and will be retried: its handler raised, or the registry or inbox is unavailable.

    Attributes:
        topic: where the event came from.
        attempt: how many attempts have failed like this, from 1.
        delay: seconds until the next one.
        error: what was raised.
    """

    topic: str
    attempt: int
    delay: float
    error: BaseException


@dataclass(frozen=True, slots=True)
class DeadLettered:
    """A message was written to the dead letter topic and acknowledged there.

    Attributes:
        topic: where it came from.
        error: the name of the error that it failed with.
        attempts: how often its handler was called; 0 if it could not be decoded.
    """

    topic: str
    error: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Stubbed:
    """A message was too large for the dead letter topic, which has a stub of it; after its `DeadLettered`.

    The message itself is in its own topic only, until that topic's retention ends.

    Attributes:
        topic: where it came from.
        error: the name of the error that it failed with.
        size: bytes of its value.
    """

    topic: str
    error: str
    size: int


@dataclass(frozen=True, slots=True)
class Dropped:
    """An event was not handed to its handler.

    Attributes:
        topic: where it came from.
        event_type: its short name.
        reason: ``duplicate`` for an event that the inbox knows, ``stale`` for a version at or below the last
            one that it knows, ``other-group`` for an event that was redriven to another consumer group alone.
    """

    topic: str
    event_type: str
    reason: str


@dataclass(frozen=True, slots=True)
class Gap:
    """Versions of a user are missing between two events of a topic; they may live on other topics.

    Attributes:
        topic: where the later one came from.
        last: the version before the gap.
        version: the version after it.
    """

    topic: str
    last: int
    version: int


@dataclass(frozen=True, slots=True)
class VersionJump:
    """A version is too far beyond the last one of its user (``max_version_jump``), so it is not recorded.

    Attributes:
        topic: where the event came from. It is handled all the same.
        last: the last version that was handled; 0 for none.
        version: its version.
    """

    topic: str
    last: int
    version: int


@dataclass(frozen=True, slots=True)
class Committed:
    """Offsets were committed.

    Attributes:
        offsets: the next offset to read, by topic and partition.
        error: librdkafka's name of the reason if it failed; empty if not.
    """

    offsets: Mapping[Partition, int]
    error: str


@dataclass(frozen=True, slots=True)
class RetentionLoss:
    """Retention removed events that the consumer group had not handled: they are lost to it.

    Attributes:
        topic: where they were.
        partition: its partition.
        start: the first offset that was not handled.
        end: the offset with which the consumer goes on; with ``auto.offset.reset=latest`` that is not the
            oldest one that is left.
    """

    topic: str
    partition: int
    start: int
    end: int

    @property
    def count(self) -> int:
        """How many offsets are missing; events are as many, or fewer where offsets hold none."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Lag:
    """How far a consumer is behind, in all partitions assigned to it: it replaces what it reported before.

    Attributes:
        consumer: librdkafka's name of the consumer, its own in this process.
        group: its consumer group.
        partitions: how many events are not committed yet, by topic and partition.
    """

    consumer: str
    group: str
    partitions: Mapping[Partition, int]


@dataclass(frozen=True, slots=True)
class Relayed:
    """Events of an outbox were acknowledged: one summary for each topic in a batch.

    Attributes:
        topic: where they were published.
        durations: from when their transaction began, by the database's clock, to the acknowledgement.
    """

    topic: str
    durations: Durations

    @property
    def count(self) -> int:
        """How many."""
        return self.durations.count


@dataclass(frozen=True, slots=True)
class OutboxBacklog:
    """What an outbox holds that is not published yet, of all shards: it replaces what was reported before.

    Attributes:
        outbox: the outbox's table.
        rows: how many events, those set aside not counted.
        oldest_seconds: since the transaction of the oldest one began; 0 if there is none.
        set_aside: how many events are set aside: refused by Kafka, or waiting behind one of their user.
    """

    outbox: str
    rows: int
    oldest_seconds: float
    set_aside: int


@dataclass(frozen=True, slots=True)
class RowSetAside:
    """Kafka refused an event of an outbox for good, so that it was set aside.

    Attributes:
        topic: where it should go.
        error: librdkafka's name of the reason, such as ``MSG_SIZE_TOO_LARGE``.
    """

    topic: str
    error: str


@dataclass(frozen=True, slots=True)
class ShardsHeld:
    """A relay has taken shards of its outbox, or released or lost some.

    Attributes:
        relay: its name.
        outbox: the outbox's table.
        shards: the shards that it holds now.
        taken: how many it did not hold before.
        released: how many it gave up for another relay, or since it stops.
        lost: how many another relay has taken since this one was silent for too long.
    """

    relay: str
    outbox: str
    shards: frozenset[int]
    taken: int
    released: int
    lost: int


@dataclass(frozen=True, slots=True)
class Statistics:
    """librdkafka's own statistics, as it emits them.

    Attributes:
        role: ``producer`` or ``consumer``.
        values: the parsed document (librdkafka's STATISTICS.md).
    """

    role: str
    values: dict[str, Any]


Detail = (
    Published
    | Unconfirmed
    | Consumed
    | Dropped
    | Gap
    | VersionJump
    | DecodeFailed
    | Retried
    | DeadLettered
    | Stubbed
    | Committed
    | RetentionLoss
    | Lag
    | Relayed
    | OutboxBacklog
    | RowSetAside
    | ShardsHeld
    | Statistics
)
"""Everything that is reported to a hook."""

Hook = Callable[[Detail], None]
"""A callable that details are reported to."""
