"""The events that every release is recorded with: minimal, full and boundary cases of each type."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from golden.corpus.filling import filled
from golden.corpus.values import Style
from immersiverse.auth.events import catalog
from immersiverse.auth.events.catalog import EventType
from immersiverse.auth.events.v1.events_pb2 import AuthEvent
from immersiverse.auth.events.validation import validate

_PAYLOAD_FIELDS = frozenset(catalog.BY_PAYLOAD_FIELD)


@dataclass(frozen=True)
class Case:
    """An event worth recording.

    Attributes:
        event_type: its type's short name.
        name: what is special about it.
        event: the event.
    """

    event_type: str
    name: str
    event: AuthEvent


def cases() -> Iterator[Case]:
    """Every case of every event of this version of the contract, the same whenever it is asked for."""
    for event_type in catalog.EVENT_TYPES.values():
        yield from cases_of(event_type)


def cases_of(event_type: EventType) -> Iterator[Case]:
    """Minimal events, one a partition key; a full one; the extremes; and every value of its enums in turn."""
    for key in event_type.partition_key:
        yield _case(event_type, f"minimal-{key}", Style("ordinary", optional=False), key)
    styles = {
        "full": Style("ordinary"),
        "least": Style("least"),
        "most": Style("most"),
        **{f"values-{turn}": Style("ordinary", turn=turn) for turn in range(2, _most_values(event_type))},
    }
    for name, style in styles.items():
        yield _case(event_type, name, style, event_type.partition_key[0])


def _case(event_type: EventType, name: str, style: Style, key: str) -> Case:
    event = cast("AuthEvent", filled(AuthEvent.DESCRIPTOR, style, without=_PAYLOAD_FIELDS))
    event.event_id = _event_id(f"{event_type.name}-{name}")
    descriptor: Any = event_type.message.DESCRIPTOR
    payload = filled(descriptor, style, required=key)
    validate(event, event_type.name)
    validate(payload)
    getattr(event, event_type.payload_field).CopyFrom(payload)
    return Case(event_type.name, name, event)


def _event_id(name: str) -> str:
    """A UUIDv7 of its own for each case, and the same one forever."""
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:16])
    number = number & ~(0xF << 76) | 7 << 76
    return str(uuid.UUID(int=number & ~(3 << 62) | 2 << 62))


def _most_values(event_type: EventType) -> int:
    """The size of the largest enum that the event or its envelope holds."""
    payload: Any = event_type.message.DESCRIPTOR
    envelope = [field for field in AuthEvent.DESCRIPTOR.fields if field.name not in _PAYLOAD_FIELDS]
    nested = [inner for field in envelope if field.message_type for inner in field.message_type.fields]
    enums = [field.enum_type for field in (*payload.fields, *envelope, *nested) if field.enum_type]
    return max((len(enum.values) for enum in enums), default=0)
