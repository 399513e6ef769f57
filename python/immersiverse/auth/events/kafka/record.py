"""A consumed message, as a subscriber and its dead letters see it."""

from __future__ import annotations

from typing import Final, Protocol

REDRIVE_GROUP_HEADER: Final = "auth-events-redrive-group"
"""Names the consumer group for which a message was redriven; subscribers of other groups pass it by."""
REDRIVE_TIMESTAMP_UNIT: Final = 1_000
"""Milliseconds: the timestamp of a message with that header is a multiple of it."""

RecordHeaders = list[tuple[str, bytes | None]]
"""Kafka headers: names may repeat, and order counts."""


class Record(Protocol):
    """Confluent's ``Message`` once it has no error, and so has a topic, a partition and an offset."""

    def topic(self) -> str:
        """Its topic."""

    def partition(self) -> int:
        """Its partition."""

    def offset(self) -> int:
        """Its offset."""

    def key(self) -> bytes | None:
        """Its key; None if it has none."""

    def value(self) -> bytes | None:
        """Its value; None for a tombstone."""

    def headers(self) -> RecordHeaders | None:
        """Its headers; None if it has none. Use ``headers_of`` instead, which reads every message's."""

    def timestamp(self) -> tuple[int, int]:
        """The type of its timestamp, and the timestamp in milliseconds since 1970."""


def position_of(record: Record) -> str:
    """Topic, partition and offset for a log line, such as ``auth.events.login[0]@12``."""
    return f"{record.topic()}[{record.partition()}]@{record.offset()}"
