"""A message that was consumed, as everything here sees it."""

from __future__ import annotations

import logging
from operator import methodcaller
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger(__name__)

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

    def set_headers(self, headers: RecordHeaders, /) -> None:
        """Give it other headers."""
        ...

    def timestamp(self) -> tuple[int, int]:
        """The type of its time, and its time in milliseconds since 1970."""
        ...


# A C function that forgets to fail: Python notices, save where its interpreter has a shortcut for the call.
_headers: Callable[[Record], RecordHeaders | None] = methodcaller("headers")


def headers_of(record: Record) -> RecordHeaders:
    """A message's headers; none at all if a name among them is not UTF-8.

    Of those Confluent's client can tell nothing, and whoever asks it a second time ends the process.
    """
    try:
        return _headers(record) or []
    except SystemError:
        record.set_headers([])
        _log.warning(
            "%s[%d]@%d: its headers are left out, since a name among them is not UTF-8",
            record.topic(), record.partition(), record.offset(),
        )  # fmt: skip
        return []
