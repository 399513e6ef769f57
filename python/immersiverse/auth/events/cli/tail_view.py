"""Messages as lines: what is wanted is shown, what cannot be read is named and counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from immersiverse.auth.events.cli.output import warn
from immersiverse.auth.events.errors import DecodeError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confluent_kafka import Message

    from immersiverse.auth.events.cli.record_view import RecordView
    from immersiverse.auth.events.operations.tail import EventFilter
    from immersiverse.auth.events.serialization.deserializer import AuthEventDeserializer


@dataclass(slots=True)
class Shown:
    """Turns messages into the lines that are wanted.

    Attributes:
        deserializer: reads them.
        wanted: which are shown.
        view: how.
        registry: whether there is a registry to ask for writers' schemas.
        unreadable: how many could not be read, wanted or not.
    """

    deserializer: AuthEventDeserializer
    wanted: EventFilter
    view: RecordView
    registry: bool
    unreadable: int = 0

    def lines(self, messages: Iterator[Message]) -> Iterator[bytes]:
        """The lines of some messages, one a message; what cannot be read is named beside them."""
        for message in messages:
            try:
                event, _ = self.deserializer.read(message)
            except DecodeError as error:
                self.unreadable += 1
                warn(self.view.unreadable(message, error))
                continue
            if self.wanted.accepts(event, message.key()):
                yield self.view.line(message, event)

    def conclude(self) -> None:
        """Say how many could not be read, if there were any."""
        hint = "" if self.registry else "; Avro, and more of newer events, can be with --registry"
        if self.unreadable:
            warn(f"messages that cannot be read: {self.unreadable}{hint}")
