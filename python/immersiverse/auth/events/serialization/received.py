"""What a deserializer needs of a message that arrived."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable


class Received(Protocol):
    """The part of Confluent's ``Message`` that says what an event is."""

    def value(self) -> bytes | None:
        """The value; None if it is a tombstone."""
        ...

    def key(self) -> bytes | None:
        """The key, for the id of a JSON event that carries none."""
        ...

    def headers(self) -> Iterable[tuple[str, Any]] | dict[str, Any] | None:
        """The headers: one may name the schema."""
        ...
