"""A message that was consumed, as everything here sees it."""

from __future__ import annotations

from typing import Protocol, cast

from immersiverse.auth.events.serialization import received

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
        """Its headers; None if it has none. Ask `headers_of` instead, which survives all of them."""
        ...

    def timestamp(self) -> tuple[int, int]:
        """The type of its time, and its time in milliseconds since 1970."""
        ...


def headers_of(record: Record) -> RecordHeaders:
    """A message's headers; none at all if a name among them is not UTF-8."""
    return cast("RecordHeaders", received.headers_of(record))
