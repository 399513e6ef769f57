"""The protocol between publishers and subscribers and a distributed tracing system."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
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
