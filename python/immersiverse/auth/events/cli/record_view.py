"""A message of Kafka as a line of JSON, with or without the personal data in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from immersiverse.auth.events.cli.moments import written
from immersiverse.auth.events.operations.dead_letters import headers_of
from immersiverse.auth.events.operations.redaction import CLASSES, WITHHELD, Redaction
from immersiverse.auth.events.serialization.text import event_line, unknown_envelope
from immersiverse.auth.events.serialization.unknown import UnknownEvent

if TYPE_CHECKING:
    from confluent_kafka import Message

    from immersiverse.auth.events.errors import DecodeError
    from immersiverse.auth.events.serialization.codec import Decoded


class RecordView:
    """Writes messages.

    Args:
        redact: the least sensitive class of personal data that is withheld; none is if empty.
        with_headers: whether to say where a message came from, its key and its headers.
    """

    def __init__(self, redact: str, *, with_headers: bool) -> None:
        self._redaction = Redaction(CLASSES[redact]) if redact else None
        self._with_headers = with_headers

    def line(self, message: Message, event: Decoded | None) -> bytes:
        """The line of a message that was read."""
        if not self._with_headers:
            return self._event(event)
        document = {
            "topic": message.topic(),
            "partition": message.partition(),
            "offset": message.offset(),
            "timestamp": written(message.timestamp()[1]),
            "key": self._key(message, event),
            "headers": self._headers(message),
            "event": orjson.Fragment(self._event(event)),
        }
        return orjson.dumps(document)

    def unreadable(self, message: Message, error: DecodeError) -> str:
        """What to say of a message that cannot be read; an error's words may quote from it."""
        reason = type(error).__name__ if self._redaction else f"{type(error).__name__}: {error}"
        return f"{message.topic()}-{message.partition()}-{message.offset()}: {reason}"

    def _event(self, event: Decoded | None) -> bytes:
        if self._redaction is None or event is None:
            return event_line(event)
        if isinstance(event, UnknownEvent):  # nothing says what is personal in its payload
            document = unknown_envelope(event)
            self._redaction.envelope(document)
            return orjson.dumps({**document, "payload": WITHHELD})
        return orjson.dumps(self._redaction.event(event))

    def _key(self, message: Message, event: Decoded | None) -> str | None:
        key: Any = message.key()
        if self._redaction is not None:
            return self._redaction.key(key, event)
        return None if key is None else key.decode(errors="replace")

    def _headers(self, message: Message) -> list[tuple[str, str | None]]:
        headers = headers_of(message)
        if self._redaction is not None:
            return self._redaction.headers(headers)
        return [(name, None if value is None else value.decode(errors="replace")) for name, value in headers]
