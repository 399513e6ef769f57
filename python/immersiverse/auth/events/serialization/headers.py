"""The Kafka headers of an event: CloudEvents 1.0 attributes in binary mode.

Source: CloudEvents 1.0, Kafka Protocol Binding, section 3.2. Values are UTF-8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from immersiverse.auth.events import catalog
from immersiverse.auth.events.errors import InvalidEvent
from immersiverse.auth.events.serialization.timestamps import format_timestamp

if TYPE_CHECKING:
    from immersiverse.auth.events.serialization.serialized import Headers
    from immersiverse.auth.events.v1.events_pb2 import AuthEvent

_USER_ID = "user_id"


def cloudevents_headers(event: AuthEvent, key: str, content_type: str) -> Headers:
    """The attributes of an event as headers.

    Args:
        event: an event with a payload.
        key: its partition key.
        content_type: the media type of the value.

    Raises:
        InvalidEvent: if its time cannot be said.
    """
    event_type = catalog.BY_ARM[event.WhichOneof("payload") or ""]
    headers = (
        ("ce_specversion", b"1.0"),
        ("ce_id", event.event_id.encode()),
        ("ce_type", event_type.full_name.encode()),
        ("ce_source", (event.source or catalog.DEFAULT_SOURCE).encode()),
        ("ce_time", _time(event, event_type)),
        ("ce_partitionkey", key.encode()),
        ("content-type", content_type.encode()),
    )
    user_id = getattr(getattr(event, event_type.arm), _USER_ID, "")
    return (*headers, ("ce_subject", user_id.encode())) if user_id else headers


def _time(event: AuthEvent, event_type: catalog.EventType) -> bytes:
    try:
        return format_timestamp(event.timestamp).encode()
    except ValueError as error:
        raise InvalidEvent(event_type.name, "timestamp", str(error)) from error
