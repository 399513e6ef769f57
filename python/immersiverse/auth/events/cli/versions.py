"""Versions for events that come without."""

from __future__ import annotations

from typing import TYPE_CHECKING

from immersiverse.auth.events.events import partition_key

if TYPE_CHECKING:
    from immersiverse.auth.events.v1.events_pb2 import AuthEvent


class Versions:
    """Numbers each user's events, on from the greatest version seen; about 200 bytes of memory a user.

    Consumers drop what is not newer than what they know, so this is for users that no other producer numbers.
    """

    def __init__(self) -> None:
        self._last: dict[str, int] = {}

    def give(self, event: AuthEvent) -> None:
        """Give an event the next version of its user, unless it has one.

        Raises:
            InvalidEvent: if it has no partition key.
        """
        user = partition_key(event)
        last = self._last.get(user, 0)
        if not event.version:
            event.version = last + 1
        self._last[user] = max(last, event.version)
