"""Where an event came from, for handlers that ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Context:
    """What a handler with a third parameter gets beside the event and its payload.

    Attributes:
        topic: where it came from.
        partition: its partition.
        offset: its offset.
        key: the message's key; None if it had none.
        headers: the message's headers, in order.
        attempt: which attempt this is, from 1.
        transaction: the inbox's transaction: what the handler writes with it is committed together with the
            record that the event was handled, or not at all; None if the inbox has none.
    """

    topic: str
    partition: int
    offset: int
    key: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    attempt: int
    transaction: Any = None
