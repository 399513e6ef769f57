"""One message that takes more than one step: it waits, runs aside, or failed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from immersiverse.auth.events.kafka.context import Context

if TYPE_CHECKING:
    from confluent_kafka import Message

    from immersiverse.auth.events.kafka.assignment import Assignment


@dataclass(slots=True)
class Job:
    """A message under way.

    Attributes:
        message: the message.
        assignment: the partition that it came from.
        failures: how many attempts have failed.
    """

    message: Message
    assignment: Assignment
    failures: int = field(default=0)

    def context(self, transaction: object) -> Context:
        """What a handler may ask about it."""
        message = self.message
        return Context(
            topic=message.topic(),
            partition=message.partition(),
            offset=message.offset(),
            key=message.key(),
            headers=tuple(message.headers() or ()),
            attempt=self.failures + 1,
            transaction=transaction,
        )
