"""The dead letter topic, as it was when it was opened."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Final

from immersiverse.auth.events.admin.dead_letters.dead_letter import (
    DeadLetterId,
    read_dead_letter,
    redriven_id,
)
from immersiverse.auth.events.admin.offset_reset import ToTimestamp, start_offsets
from immersiverse.auth.events.admin.tail import read_to_end
from immersiverse.auth.events.admin.topics import OffsetRange, offset_ranges, partitions_of
from immersiverse.auth.events.errors import OperationRefused
from immersiverse.auth.events.partition import Partition

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator

    from immersiverse.auth.events.admin.cluster import Cluster
    from immersiverse.auth.events.admin.dead_letters.dead_letter import DeadLetter
    from immersiverse.auth.events.kafka.record import Record

    OnRead = Callable[[int, int], None]

_REPORT_EVERY: Final = 500  # messages


class DeadLetterTopic:
    """All dead letters up to now. Later ones are not included, so a redrive never processes its own results.

    The marker of the first dead letter may be the last message of its partition, so which were redriven is
    known only after reading everything. So Kafka is read twice: three seconds for 300,000 messages.

    Args:
        topic: its name.
        since: skip what was written before this time, in milliseconds since 1970 in UTC.
        on_read: called now and then with the number of messages read, and of all.
    """

    def __init__(
        self, cluster: Cluster, topic: str, *, since: int | None = None, on_read: OnRead | None = None
    ) -> None:
        self.topic = topic
        self._cluster = cluster
        self._on_read = on_read
        self._ranges = offset_ranges(cluster, partitions_of(cluster, (topic,)))
        if since is not None:
            first = start_offsets(cluster, self._ranges, ToTimestamp(since))
            self._ranges = {p: OffsetRange(first[p], offsets.end) for p, offsets in self._ranges.items()}

    def redriven(self) -> frozenset[DeadLetterId]:
        """The ids of dead letters that were redriven already."""
        return frozenset(found for record in self._records() if (found := redriven_id(record)))

    def dead_letters(self, exclude: Container[DeadLetterId] = ()) -> Iterator[DeadLetter]:
        """All dead letters but the excluded ones; those of one partition in order."""
        for record in self._records():
            found = DeadLetterId(record.partition(), record.offset())
            if found not in exclude and redriven_id(record) is None:
                yield read_dead_letter(record)

    def dead_letter(self, wanted: DeadLetterId) -> DeadLetter:
        """One dead letter."""
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
