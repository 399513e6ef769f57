"""Messages that are kept for a second look, as long as they are few. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from immersiverse.auth.events.operations.dead_letters import headers_of

if TYPE_CHECKING:
    from confluent_kafka import Message

_ROOM = 32 * 1024 * 1024  # bytes
_OBJECTS = 2_000  # bytes that a message's objects take beside what it carries


class Keepsake:
    """Keeps all messages that it is given, or none once they are too many.

    Args:
        room: how much they may take, in bytes.
    """

    def __init__(self, room: int = _ROOM) -> None:
        self._left = room
        self._messages: list[Message] = []

    @property
    def messages(self) -> tuple[Message, ...] | None:
        """All of them; None if they were too many."""
        return tuple(self._messages) if self._left >= 0 else None

    def add(self, message: Message) -> None:
        """Keep one more, if there is room."""
        if self._left < 0:
            return
        self._left -= _size(message)
        if self._left < 0:
            self._messages.clear()
        else:
            self._messages.append(message)


def _size(message: Message) -> int:
    headers = sum(len(value) for _, value in headers_of(message) if value is not None)
    return _OBJECTS + len(message.value() or b"") + headers
