"""The dead letter topic, as it was when it was opened."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Final

from immersiverse.auth.events.admin.dead_letters.dead_letter import DeadLetterId, read_dead_letter
from immersiverse.auth.events.admin.dead_letters.markers import redriven_id
from immersiverse.auth.events.admin.offset_reset import ToTimestamp, start_offsets
from immersiverse.auth.events.admin.topic_reader import read_to_end
from immersiverse.auth.events.admin.topics import OffsetRange, offset_ranges, partitions_of
from immersiverse.auth.events.errors import OperationRefused
from immersiverse.auth.events.partition import Partition
from immersiverse.auth.events.serialization.headers import headers_of

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator

    from immersiverse.auth.events.admin.cluster import Cluster
    from immersiverse.auth.events.admin.dead_letters.dead_letter import DeadLetter
    from immersiverse.auth.events.kafka.record import Record

    OnRead = Callable[[int, int], None]

_REPORT_EVERY: Final = 500  # messages
_CACHE_BYTES: Final = 32 * 1024 * 1024
_OBJECT_BYTES: Final = 2_000  # Python objects of a message, apart from its bytes


class DeadLetterTopic:
    """All dead letters up to now. Later ones are not included, so a redrive never processes its own results.

    The marker of the first dead letter may be the last message of its partition, so which were redriven is
    known only after reading everything. Messages that fit into a bounded cache are kept for the second pass;
    if there are more, Kafka is read twice, which takes three seconds for 300,000 messages.

    Args:
        cluster: the cluster.
        topic: the dead letter topic.
        since: skip what was written before this time, in milliseconds since 1970 in UTC.
        on_read: called now and then with the number of messages read, and of all.

    Attributes:
        topic: the dead letter topic.

    Raises:
        OperationRefused: if the topic does not exist, or may not be read.
        BrokerUnavailable: if no broker responds.
    """

    def __init__(
        self, cluster: Cluster, topic: str, *, since: int | None = None, on_read: OnRead | None = None
    ) -> None:
        self.topic = topic
        self._cluster = cluster
        self._on_read = on_read
        self._cached: tuple[Record, ...] | None = None
        self._ranges = offset_ranges(cluster, partitions_of(cluster, (topic,)))
        if since is not None:
            first = start_offsets(cluster, self._ranges, ToTimestamp(since))
            self._ranges = {p: OffsetRange(first[p], offsets.end) for p, offsets in self._ranges.items()}

    def redriven(self) -> frozenset[DeadLetterId]:
        """The ids of dead letters that were redriven already.

        Raises:
            OperationRefused, BrokerUnavailable: if the topic cannot be read.
        """
        cache = BoundedMessageCache()
        found = frozenset(id_ for record in cache.filled(self._records()) if (id_ := redriven_id(record)))
        self._cached = cache.messages
        return found

    def dead_letters(self, exclude: Container[DeadLetterId] = ()) -> Iterator[DeadLetter]:
        """All dead letters, redriven ones included; those of one partition in order.

        Args:
            exclude: skip these.

        Raises:
            OperationRefused, BrokerUnavailable: if the topic cannot be read.
        """
        for record in self._records() if self._cached is None else self._cached:
            found = DeadLetterId(record.partition(), record.offset())
            if found not in exclude and redriven_id(record) is None:
                yield read_dead_letter(record)

    def dead_letter(self, wanted: DeadLetterId) -> DeadLetter:
        """One dead letter.

        Raises:
            OperationRefused: if it does not exist, or may not be read.
            BrokerUnavailable: if no broker responds.
        """
        partition = Partition(self.topic, wanted.partition)
        offsets = self._ranges.get(partition)
        if offsets and offsets.first <= wanted.offset < offsets.end:
            only = {partition: OffsetRange(wanted.offset, wanted.offset + 1)}
            for record in read_to_end(self._cluster, only):
                if redriven_id(record) is None:
                    return read_dead_letter(record)
        raise OperationRefused(
            "OFFSET_OUT_OF_RANGE",
            f"dead letter {self.topic}-{wanted} does not exist; auth-events dlq list --all lists all",
        )

    def _records(self) -> Iterator[Record]:
        total = sum(offsets.end - offsets.first for offsets in self._ranges.values())
        for number, record in enumerate(read_to_end(self._cluster, self._ranges)):
            if self._on_read is not None and not number % _REPORT_EVERY:
                self._on_read(number, total)
            yield record


def newest(dead_letters: Iterable[DeadLetter], limit: int) -> tuple[list[DeadLetter], int]:
    """The newest dead letters, oldest of them first, and the number of all. Keeps only so many in memory."""
    total = 0

    def counted() -> Iterator[DeadLetter]:
        nonlocal total
        for total, dead_letter in enumerate(dead_letters, 1):  # noqa: B007 - it is the result
            yield dead_letter

    found = heapq.nlargest(limit, counted(), key=lambda each: (each.timestamp, each.id))
    return found[::-1], total


class BoundedMessageCache:
    """Keeps all messages that pass through it, or none once they exceed its limit.

    Args:
        limit: bytes.

    Attributes:
        messages: all messages; None if they exceeded the limit.
    """

    def __init__(self, limit: int = _CACHE_BYTES) -> None:
        self.messages: tuple[Record, ...] | None = None
        self._limit = limit

    def filled(self, records: Iterable[Record]) -> Iterator[Record]:
        """Pass messages through; once all have passed, `messages` holds them if they fit."""
        kept: list[Record] = []
        left = self._limit
        for record in records:
            if left >= 0:
                left -= _size(record)
                kept.append(record)
                if left < 0:
                    kept.clear()
            yield record
        self.messages = tuple(kept) if left >= 0 else None


def _size(record: Record) -> int:
    headers = sum(len(value) for _, value in headers_of(record) if value is not None)
    return _OBJECT_BYTES + len(record.value() or b"") + headers
