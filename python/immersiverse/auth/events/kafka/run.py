"""Consecutive messages of one partition, on their way to be handled."""

from __future__ import annotations

from operator import length_hint
from typing import TYPE_CHECKING

from immersiverse.auth.events.partition import Partition

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from immersiverse.auth.events.kafka.record import Record
    from immersiverse.auth.events.v1.events_pb2 import AuthEvent


class Run:
    """Messages of one partition that were fetched one after the other.

    Lists side by side, for speed: a tuple a message would double what Python's garbage collector looks at.

    Args:
        partition: its topic and number.
        records: the messages.
        events: the event of each, if it could be read without asking anybody.
        payload_fields: the envelope's payload field of each; empty where there is no event.

    Attributes:
        partition: its topic and number.
        left: each message with its event and payload field, from the first that nobody began to handle yet.
    """

    __slots__ = ("_records", "left", "partition")

    def __init__(
        self,
        partition: Partition,
        records: Sequence[Record],
        events: Sequence[AuthEvent | None],
        payload_fields: Sequence[str],
    ) -> None:
        self.partition = partition
        self._records = iter(records)
        self.left: Iterator[tuple[Record, AuthEvent | None, str]] = zip(
            self._records, events, payload_fields, strict=False
        )

    def __len__(self) -> int:
        """How many nobody began to handle yet."""
        return length_hint(self._records)


def runs(
    records: Sequence[Record], events: Sequence[AuthEvent | None], payload_fields: Sequence[str]
) -> list[Run]:
    """Messages as they were fetched, each with its event and payload field, partition by partition."""
    starts, topic, number = [], "", -1
    for place, record in enumerate(records):
        if record.partition() != number or record.topic() != topic:
            topic, number = record.topic(), record.partition()
            starts.append((place, Partition(topic, number)))
    ends = [place for place, _ in starts[1:]] + [len(records)]
    return [
        Run(partition, records[start:end], events[start:end], payload_fields[start:end])
        for (start, partition), end in zip(starts, ends, strict=True)
    ]
