"""Consecutive messages of one partition, on their way to be handled."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from immersiverse.auth.events.kafka.record import Record
    from immersiverse.auth.events.v1.events_pb2 import AuthEvent

    Looked = tuple[Record, AuthEvent | None, str]


@dataclass(frozen=True, slots=True)
class Run:
    """Messages of one partition that were fetched one after the other.

    Attributes:
        partition: its topic and number.
        left: those that nobody began to handle yet: each message, its event and the envelope's arm, if those
            could be read without asking anybody.
    """

    partition: tuple[str, int]
    left: deque[Looked] = field(default_factory=deque)


def runs(looked_at: Iterable[Looked]) -> list[Run]:
    """Messages as they were fetched, partition by partition."""
    found: list[Run] = []
    topic, number = "", -1
    for each in looked_at:
        record = each[0]
        if record.partition() != number or record.topic() != topic:
            topic, number = record.topic(), record.partition()
            left: deque[Looked] = deque()
            found.append(Run((topic, number), left))
        left.append(each)
    return found
