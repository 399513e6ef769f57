"""The Kafka headers of an event: CloudEvents 1.0 attributes in binary mode.

Source: CloudEvents 1.0, Kafka Protocol Binding, section 3.2. Values are UTF-8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from immersiverse.auth.events import catalog
from immersiverse.auth.events.errors import InvalidEvent
from immersiverse.auth.events.serialization.timestamps import format_time

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.protobuf.message import Message

    from immersiverse.auth.events.serialization.serialized import Headers
    from immersiverse.auth.events.v1.events_pb2 import AuthEvent

    WriteHeaders = Callable[[AuthEvent, Message, bytes], Headers]

_USER_ID = "user_id"


def headers_of(event_type: catalog.EventType, content_type: str) -> WriteHeaders:
    """What writes the headers of one type's events: a function of the event, its payload and its key.

    Most of them are the same for all events of a type, and are made here, once.

    Args:
        event_type: the type.
        content_type: the media type of the values.
    """
    version, name = ("ce_specversion", b"1.0"), ("ce_type", event_type.full_name.encode())
    content, default_source = ("content-type", content_type.encode()), catalog.DEFAULT_SOURCE
    has_user = any(field.name == _USER_ID for field in event_type.fields)

    def write(event: AuthEvent, payload: Message, key: bytes) -> Headers:
        """Raises InvalidEvent if it has no id, or its time cannot be said."""
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
