"""Why an attempt at a message failed, and what that means for it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from immersiverse.auth.events.errors import (
    AuthEventsError,
    ConfigurationError,
    InboxUnavailable,
    MissingExtra,
    RegistryError,
    SchemaRefused,
)


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed attempt.

    Attributes:
        error: what was raised.
        while_reading: whether the message could not be read, so that no handler has seen it.
    """

    error: BaseException
    while_reading: bool = False

    @property
    def is_outage(self) -> bool:
        """Whether it says nothing about the message: the registry or the inbox did not answer."""
        if self.while_reading:
            return isinstance(self.error, RegistryError) and not self.is_refused
        return isinstance(self.error, InboxUnavailable)

    @property
    def is_refused(self) -> bool:
        """Whether the registry refuses the message's schema, and answers for others."""
        return self.while_reading and isinstance(self.error, SchemaRefused)

    @property
    def is_unreadable(self) -> bool:
        """Whether the message can never be read."""
        return self.while_reading and isinstance(self.error, AuthEventsError) and not self.is_outage

    def is_fatal(self, kinds: tuple[type[BaseException], ...]) -> bool:
        """Whether the subscriber must stop: for these kinds, exits, and what only a person can mend."""
        if isinstance(self.error, (*kinds, MissingExtra, ConfigurationError)):
            return True
        # A handler that awaits something cancelled has failed like any other.
        return not isinstance(self.error, Exception | asyncio.CancelledError)


class Gone(Exception):
    """The partition was given away, or the subscriber stops: a message is let go unhandled."""
