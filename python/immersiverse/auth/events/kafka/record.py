"""A message that was consumed, as everything here sees it."""

from __future__ import annotations

from typing import Protocol

RecordHeaders = list[tuple[str, bytes | None]]
"""Kafka headers: names may repeat, and order counts."""


class Record(Protocol):
    """Confluent's ``Message``, once it is known to be one that was consumed: it has a place, and no error."""

    def topic(self) -> str:
        """Where it came from."""
        ...

    def partition(self) -> int:
        """Its partition."""
        ...

    def offset(self) -> int:
        """Its offset."""
        ...

    def key(self) -> bytes | None:
        """Its key; None if it has none."""
        ...

    def value(self) -> bytes | None:
        """Its value; None if it is a tombstone."""
        ...

    def headers(self) -> RecordHeaders | None:
        """Its headers; None if it has none. Use ``headers_of`` instead, which reads every message's."""
        ...

    def timestamp(self) -> tuple[int, int]:
        """The type of its time, and its time in milliseconds since 1970."""
        ...
