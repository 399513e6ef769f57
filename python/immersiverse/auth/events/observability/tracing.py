"""The protocols between publishers, subscribers and outboxes and a distributed tracing system."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from immersiverse.auth.events.serialization.headers import Headers
    from immersiverse.auth.events.serialization.serializer import SerializedEvent


@dataclass(frozen=True, slots=True)
class Arrival:
    """An event that is about to be handled.

    Attributes:
        topic: where it came from.
        partition: its partition.
        offset: its offset.
        size: the length of its value in bytes.
        headers: the message's headers, in order.
        event_id: its id.
        event_type: its short name; ``unknown`` for all that the contract does not know.
        group: the consumer group.
        attempt: which attempt this is, from 1.
    """

    topic: str
    partition: int
    offset: int
    size: int
    headers: tuple[tuple[str, bytes | None], ...]
    event_id: str
    event_type: str
    group: str
    attempt: int


class Sending(Protocol):
    """One event that is being sent to a broker."""

    @property
    def headers(self) -> Headers:
        """Headers that are added to the message, for the consumers that handle it."""
        ...

    def end(self, partition: int, offset: int, error: str) -> None:
        """The delivery report arrived, in any thread.

        Args:
            partition: where it is; -1 if it was not sent.
            offset: where it is; -1 if that is unknown.
            error: librdkafka's name of the reason if it failed; empty if not.
        """
        ...


class Tracer(Protocol):
    """Called for every event that is published or handled. It must be quick and must not raise."""

    def sending(self, message: SerializedEvent) -> Sending:
        """An event is about to be sent, by the thread or task that publishes it."""
        ...

    def handling(self, arrival: Arrival) -> AbstractContextManager[None]:
        """An event is about to be handled: held around one attempt, in the handler's own thread or task."""
        ...


@dataclass(frozen=True, slots=True)
class RelayedMessage:
    """A message of an outbox that Kafka has acknowledged.

    Attributes:
        topic: where it is.
        partition: its partition.
        offset: its offset.
        size: the length of its value in bytes.
        headers: its headers, in order; the trace of its transaction is among them, if it had one.
        sent_at: when it was sent, in nanoseconds since 1970.
    """

    topic: str
    partition: int
    offset: int
    size: int
    headers: Sequence[tuple[str, bytes]]
    sent_at: int


class OutboxTracer(Protocol):
    """Called for every event that is added to an outbox, and when it is relayed; as quick as a `Tracer`."""

    def adding(self, message: SerializedEvent) -> Headers:
        """An event is about to be added, by the thread or task that does: headers for who handles it."""
        ...

    def relayed(self, message: RelayedMessage) -> None:
        """An event was acknowledged, in the relay's thread."""
        ...
