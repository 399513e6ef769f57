"""Kafka messages as lines of JSON, with or without personal data."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import orjson

from immersiverse.auth.events.cli.options.time import format_time
from immersiverse.auth.events.cli.output import warn
from immersiverse.auth.events.errors import DecodeError, InvalidEvent
from immersiverse.auth.events.privacy import WITHHELD
from immersiverse.auth.events.serialization.headers import headers_of
from immersiverse.auth.events.serialization.text import event_line, unknown_envelope
from immersiverse.auth.events.serialization.unknown import UnknownEvent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from immersiverse.auth.events.admin.tail import EventFilter
    from immersiverse.auth.events.kafka.record import Record
    from immersiverse.auth.events.privacy import Redaction
    from immersiverse.auth.events.serialization.deserializer import AuthEventDeserializer
    from immersiverse.auth.events.serialization.unknown import Decoded


class RecordLines:
    """Messages as lines of JSON: those that match are shown, those that cannot be shown are counted.

    Args:
        deserializer: decodes messages.
        wanted: which events to show.
        redaction: withholds personal data, if given.
        with_headers: whether to show where a message came from, its key and its headers, too.

    Attributes:
        unreadable: how many messages could not be decoded, matching or not, or not be written as JSON.
    """

    def __init__(
        self,
        deserializer: AuthEventDeserializer,
        wanted: EventFilter,
        redaction: Redaction | None = None,
        *,
        with_headers: bool = False,
    ) -> None:
        self.unreadable = 0
        self._deserializer = deserializer
        self._wanted = wanted
        self._redaction = redaction
        self._with_headers = with_headers

    def of(self, records: Iterator[Record]) -> Iterator[bytes]:
        """The line of each matching message; warns about each that cannot be shown."""
        for record in records:
            try:
                event, _ = self._deserializer.read(record)
                if self._wanted.accepts(event, record.key()):
                    yield self._line(record, event)
            except (DecodeError, InvalidEvent) as error:
                self.unreadable += 1
                # An error's text may quote personal data.
                reason = type(error).__name__ if self._redaction else f"{type(error).__name__}: {error}"
                warn(f"{record.topic()}-{record.partition()}-{record.offset()}: {reason}")
                if self._with_headers and self._wanted.accepts(None, record.key()):
                    yield self._unreadable_line(record, reason)

    def report(self, *, has_registry: bool) -> None:
        """Warn how many messages could not be shown, if any."""
        hint = "" if has_registry else "; with --registry, Avro and more of newer events can be decoded"
        if self.unreadable:
            warn(f"messages that cannot be decoded: {self.unreadable}{hint}")

    def _line(self, record: Record, event: Decoded | None) -> bytes:
        if not self._with_headers:
            return self._event(event)
        return orjson.dumps({**self._place(record, event), "event": orjson.Fragment(self._event(event))})

    def _unreadable_line(self, record: Record, reason: str) -> bytes:
        value = record.value()
        shown = WITHHELD if self._redaction else None if value is None else base64.b64encode(value).decode()
        why = {"event": None, "unreadable": reason, "valueBase64": shown}
        return orjson.dumps({**self._place(record, None), **why})

    def _place(self, record: Record, event: Decoded | None) -> dict[str, Any]:
        return {
            "topic": record.topic(),
            "partition": record.partition(),
            "offset": record.offset(),
            "timestamp": format_time(record.timestamp()[1]),
            "key": self._key(record, event),
            "headers": self._headers(record),
        }

    def _event(self, event: Decoded | None) -> bytes:
        if self._redaction is None or event is None:
            return event_line(event)
        if isinstance(event, UnknownEvent):  # which of its fields are personal data is not known
            document = unknown_envelope(event)
            self._redaction.envelope(document)
            return orjson.dumps({**document, "payload": WITHHELD})
        return orjson.dumps(self._redaction.event(event))

    def _key(self, record: Record, event: Decoded | None) -> str | None:
        key = record.key()
        if self._redaction is not None:
            return self._redaction.key(key, event)
        return None if key is None else key.decode(errors="replace")

    def _headers(self, record: Record) -> list[tuple[str, str | None]]:
        headers = headers_of(record)
        if self._redaction is not None:
            return self._redaction.headers(headers)
        return [(name, None if value is None else value.decode(errors="replace")) for name, value in headers]
