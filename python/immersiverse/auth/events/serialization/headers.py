"""The headers of Kafka messages: CloudEvents attributes are written, and all headers of a message read.

Source: CloudEvents 1.0, Kafka Protocol Binding, section 3.2, binary mode. Values are UTF-8.
"""

from __future__ import annotations

from operator import methodcaller
from typing import TYPE_CHECKING, Any, Protocol

from immersiverse.auth.events import catalog
from immersiverse.auth.events.errors import InvalidEvent
from immersiverse.auth.events.logs import get_logger
from immersiverse.auth.events.serialization.json.times import format_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from google.protobuf.message import Message

    from immersiverse.auth.events.v1.events_pb2 import AuthEvent

    WriteHeaders = Callable[[AuthEvent, Message, bytes], "Headers"]
    ReceivedHeaders = list[tuple[str, bytes | None]]

Headers = tuple[tuple[str, bytes], ...]
"""Kafka headers: a list, since names may repeat and order counts."""

_USER_ID = "user_id"
_log = get_logger(__name__)


def cloudevents_headers(event_type: catalog.EventType, content_type: str) -> WriteHeaders:
    """What writes the headers of one type's events: a function of the event, its payload and its key.

    Most of them are the same for all events of a type, and are made here, once.
    """
    version, name = ("ce_specversion", b"1.0"), ("ce_type", event_type.full_name.encode())
    content, default_source = ("content-type", content_type.encode()), catalog.DEFAULT_SOURCE
    has_user = any(field.name == _USER_ID for field in event_type.fields)

    def write(event: AuthEvent, payload: Message, key: bytes) -> Headers:
        """Raises InvalidEvent if it has no id, or a time outside the years 1 to 9999."""
        event_id = event.event_id
        if not event_id:
            raise InvalidEvent(event_type.name, "event_id", "is required: make events with new_event")
        headers = (
            version,
            ("ce_id", event_id.encode()),
            name,
            ("ce_source", (event.source or default_source).encode()),
            ("ce_time", _time(event, event_type)),
            ("ce_partitionkey", key),
            content,
        )
        user = getattr(payload, _USER_ID) if has_user else ""
        return (*headers, ("ce_subject", user.encode())) if user else headers

    return write


def _time(event: AuthEvent, event_type: catalog.EventType) -> bytes:
    time = event.timestamp
    try:
        return format_time(time.seconds, time.nanos).encode()
    except ValueError as error:
        raise InvalidEvent(event_type.name, "timestamp", str(error)) from error


class Received(Protocol):
    """The part of Confluent's ``Message`` that a deserializer needs."""

    def value(self) -> bytes | None:
        """The value; None if it is a tombstone."""
        ...

    def key(self) -> bytes | None:
        """The key, for the id of a JSON event without one."""
        ...

    def headers(self) -> Iterable[tuple[str, Any]] | dict[str, Any] | None:
        """The headers: one may name the schema. Use `headers_of` instead, which reads every message's."""
        ...


# Message.headers() can return NULL without an exception set. methodcaller turns that into a SystemError; a
# plain call crashes the interpreter where it is specialized.
_headers: Callable[[Any], ReceivedHeaders | None] = methodcaller("headers")


def headers_of(message: Received) -> ReceivedHeaders:
    """A message's headers; an empty list if a name among them is not UTF-8.

    Confluent's client cannot give those, and calling it a second time ends the process.
    """
    try:
        return _headers(message) or []
    except SystemError:
        _drop_headers(message)
        return []


def _drop_headers(message: Any) -> None:
    """Only Confluent's own message comes here."""
    message.set_headers([])
    _log.warning(
        "%s[%d]@%d: headers ignored: a header name is not valid UTF-8",
        message.topic(), message.partition(), message.offset(),
    )  # fmt: skip
