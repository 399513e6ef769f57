"""What a deserializer needs of a message that arrived."""

from __future__ import annotations

import logging
from operator import methodcaller
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    ReceivedHeaders = Iterable[tuple[str, Any]] | dict[str, Any]

_log = logging.getLogger(__name__)


class Received(Protocol):
    """The part of Confluent's ``Message`` that says what an event is."""

    def value(self) -> bytes | None:
        """The value; None if it is a tombstone."""
        ...

    def key(self) -> bytes | None:
        """The key, for the id of a JSON event that carries none."""
        ...

    def headers(self) -> ReceivedHeaders | None:
        """The headers: one may name the schema. Ask `headers_of` instead, which survives all of them."""
        ...


# A C function that forgets to fail: Python notices, save where its interpreter has a shortcut for the call.
_headers: Callable[[Received], ReceivedHeaders | None] = methodcaller("headers")


def headers_of(message: Received) -> ReceivedHeaders:
    """A message's headers; none at all if a name among them is not UTF-8.

    Of those Confluent's client can tell nothing, and whoever asks it a second time ends the process.
    """
    try:
        return _headers(message) or []
    except SystemError:
        _forget_headers(message)
        return []


def _forget_headers(message: Any) -> None:
    """Only Confluent's own message comes here."""
    message.set_headers([])
    _log.warning(
        "%s[%d]@%d: its headers are left out, since a name among them is not UTF-8",
        message.topic(), message.partition(), message.offset(),
    )  # fmt: skip
