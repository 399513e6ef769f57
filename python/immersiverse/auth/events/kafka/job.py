"""One message that takes more than one step: it waits, runs aside, or failed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from immersiverse.auth.events.kafka.context import Context
from immersiverse.auth.events.serialization.headers import headers_of

if TYPE_CHECKING:
    from collections.abc import Hashable

    from immersiverse.auth.events.kafka.assignment import Assignment
    from immersiverse.auth.events.kafka.handlers import Handler
    from immersiverse.auth.events.kafka.record import Record
    from immersiverse.auth.events.serialization.unknown import Decoded


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read in a message.

    Attributes:
        event: the event; None for a tombstone.
        payload_field: the envelope's field that carries its payload; empty if there is none.
        handler: what handles it; None if nobody asked for it.
    """

    event: Decoded | None
    payload_field: str
    handler: Handler | None


@dataclass(slots=True)
class Job:
    """A message under way.

    Attributes:
        record: the message.
        assignment: the partition that it came from.
        reading: what was read in it for the next attempt; a handler may have changed it after that.
        failures: how many attempts have failed.
        outages: how often it could not be handled because the registry or the inbox was away.
        refusals: how often the registry refused its schema.
    """

    record: Record
    assignment: Assignment
    reading: Reading | None = None
    failures: int = 0
    outages: int = 0
    refusals: int = 0

    @property
    def key(self) -> Hashable:
        """Whose it is; a message without a key is nobody's, and holds nobody back."""
        key = self.record.key()
        return key if key is not None else self.place

    @property
    def has_failed(self) -> bool:
        """Whether an attempt failed, for whatever reason."""
        return self.failures + self.outages + self.refusals > 0

    @property
    def place(self) -> str:
        """Where it came from, for people."""
        record = self.record
        return f"{record.topic()}[{record.partition()}]@{record.offset()}"


def context(record: Record, attempt: int, transaction: object) -> Context:
    """What a handler may ask about a message."""
    return Context(
        topic=record.topic(),
        partition=record.partition(),
        offset=record.offset(),
        key=record.key(),
        headers=tuple(headers_of(record)),
        attempt=attempt,
        transaction=transaction,
    )
