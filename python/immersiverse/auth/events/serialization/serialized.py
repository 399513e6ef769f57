"""An event ready for Kafka."""

from __future__ import annotations

from dataclasses import dataclass

Headers = tuple[tuple[str, bytes], ...]
"""Kafka headers: a list, since names may repeat and order counts."""


# Not frozen: that would take six times as long to make, for every event that is published.
@dataclass(slots=True)
class SerializedEvent:
    """What a Kafka producer needs: pass its parts to any client.

    Attributes:
        topic: where it goes.
        key: the partition key in UTF-8.
        value: the framed payload, or JSON.
        headers: CloudEvents attributes and, in header mode, the schema's GUID.
        event_type: the event's short type name, for logs and metrics.
    """

    topic: str
    key: bytes
    value: bytes
    headers: Headers
    event_type: str
