"""What a publisher and a subscriber tell while they work.

A hook is any callable that takes one of the details below; it picks what it wants by type. Hooks run where
the thing happens, so they must be quick and must not raise. Without hooks no detail is ever made.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from immersiverse.auth.events.observability.durations import Durations
    from immersiverse.auth.events.partition import Partition


@dataclass(frozen=True, slots=True)
class Published:
    """Brokers answered for events: one summary for all of a kind that were answered together.

    Attributes:
        topic: where they went.
        event_type: their short name.
        error: librdkafka's name of the reason if they failed; empty if they were acknowledged.
        durations: from ``publish`` to the answer.
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
        topic: where it was to go.
        producer: what sent it: ``publisher`` or ``dead-letters``.
    """

    topic: str
    producer: str


@dataclass(frozen=True, slots=True)
class Consumed:
    """Events were handled, or skipped for want of a handler: one summary for all of a kind in a batch.

    Attributes:
        topic: where they came from.
        event_type: their short name; ``unknown`` for all that the contract does not know, ``tombstone`` for
            messages without a value.
        durations: the time of each in its handler; events that take less than a millisecond share the time
            of all of them.
        age: from when the last of them happened until it was handled, in seconds.
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
    """A value could not be read.

    Attributes:
        topic: where it came from.
        error: the error's name in the tree, such as ``MalformedFrame``.
    """

    topic: str
    error: str


@dataclass(frozen=True, slots=True)
class Retried:
    """An attempt failed, and there will be another: its handler raised, or the registry or inbox is away.

    Attributes:
        topic: where the event came from.
        attempt: how many attempts have failed like this, from 1.
        delay: until the next one, in seconds.
        error: what was raised.
    """

    topic: str
    attempt: int
    delay: float
    error: BaseException


@dataclass(frozen=True, slots=True)
class DeadLettered:
    """A message was put on the dead letter topic and acknowledged there.

    Attributes:
        topic: where it came from.
        error: the name of the error that condemned it.
        attempts: how often its handler was tried; 0 if it could not be read.
    """

    topic: str
    error: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Stubbed:
    """The dead letter topic found a message too large and has a stub of it; its `DeadLettered` came before.

    The message itself is in its own topic only, until that topic's retention ends.

    Attributes:
        topic: where it came from.
        error: the name of the error that condemned it.
        size: bytes of its value.
    """

    topic: str
    error: str
    size: int


@dataclass(frozen=True, slots=True)
class Dropped:
    """The inbox dropped an event before its handler.

    Attributes:
        topic: where it came from.
        event_type: its short name.
        reason: ``duplicate`` for an id handled before, ``stale`` for a version at or below the last one.
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
class Lag:
    """How far a consumer is behind, in all the partitions that it has: what it said before counts no more.

    Attributes:
        consumer: librdkafka's name of the consumer, its own in this process.
        group: its consumer group.
        partitions: how many events are not committed yet, by topic and partition.
    """

    consumer: str
    group: str
    partitions: Mapping[Partition, int]


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
    | Lag
    | Statistics
)
"""Everything that a hook may be told."""

Hook = Callable[[Detail], None]
"""What is told."""
