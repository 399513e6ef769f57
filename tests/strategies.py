"""Hypothesis strategies for tests, beside those of the testing kit: whatever a message can hold."""

from __future__ import annotations

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from hypothesis import strategies as st

from immersiverse.auth.events import catalog
from immersiverse.auth.events.testing.strategies import (
    _LIMITS,
    MICROSECOND,
    NANOSECOND,
    Values,
    _built,
    _declared,
    _message,
    _scalar,
    durations,
    timestamps,
    valid,
    valid_events,
)
from immersiverse.auth.events.v1.events_pb2 import AuthEvent

__all__ = ["MICROSECOND", "NANOSECOND", "durations", "events", "messages", "payloads", "timestamps"]

_MAX_DEPTH = 3  # of messages in messages: a type may hold itself


def events(
    event_type: catalog.EventType | None = None, *, step: int = MICROSECOND
) -> st.SearchStrategy[AuthEvent]:
    """Any valid event, of a type or of all; its times are whole multiples of `step` nanoseconds."""
    types = [event_type] if event_type else catalog.EVENT_TYPES.values()
    return valid_events(*(each.message for each in types), step=step)


def payloads(event_type: catalog.EventType, *, step: int = MICROSECOND) -> st.SearchStrategy[Message]:
    """Any valid payload of a type."""
    return valid(event_type.message, step=step)


def messages(
    descriptor: Descriptor, *, step: int = NANOSECOND, known_enums: bool = False
) -> st.SearchStrategy[Message]:
    """Any content of a message type, whatever the contract's rules say; times and durations are in range.

    Args:
        descriptor: the message type.
        step: what its times are whole multiples of, in nanoseconds.
        known_enums: only enum numbers that are declared.
    """
    return _any(descriptor, step, known_enums, 0)


def _any(descriptor: Descriptor, step: int, known_enums: bool, depth: int) -> st.SearchStrategy[Message]:
    def values_of(field: FieldDescriptor) -> Values:
        if field.message_type and field.message_type.GetOptions().map_entry:
            key, value = (field.message_type.fields_by_name[name] for name in ("key", "value"))
            return st.dictionaries(one_of(key), one_of(value), max_size=3)
        return st.lists(one_of(field), max_size=3) if field.is_repeated else one_of(field)

    def one_of(field: FieldDescriptor) -> Values:
        if field.message_type:
            return _message(field, step, lambda nested: _any(nested, step, known_enums, depth + 1))
        if field.enum_type:
            declared = _declared(field.enum_type)
            return (
                declared if known_enums else declared | st.integers(*_LIMITS[FieldDescriptor.CPPTYPE_INT32])
            )
        return _scalar(field)

    fields = [f for f in descriptor.fields if depth < _MAX_DEPTH or not f.message_type]
    return _built(descriptor, {}, {field.name: values_of(field) for field in fields})
