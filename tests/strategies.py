"""Hypothesis strategies for events, derived from the contract's descriptors: a new event needs no line."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import strategies as st

from immersiverse.auth.events import catalog
from immersiverse.auth.events.v1 import options_pb2
from immersiverse.auth.events.v1.events_pb2 import AuthEvent

Values = st.SearchStrategy[Any]
FieldValues = Callable[[FieldDescriptor], Values]

MICROSECOND, NANOSECOND = 1_000, 1  # in nanoseconds
_SECOND = 1_000_000_000
_MIN_SECONDS, _MAX_SECONDS = -62_135_596_800, 253_402_300_799  # years 1 to 9999
_MAX_DURATION = 315_576_000_000
_MAX_DEPTH = 3  # of messages in messages: a type may hold itself

_LIMITS = {
    FieldDescriptor.CPPTYPE_INT32: (-(1 << 31), (1 << 31) - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(1 << 63), (1 << 63) - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, (1 << 32) - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, (1 << 64) - 1),
}

_text = st.text(st.characters(codec="utf-8"), max_size=40)


def events(
    event_type: catalog.EventType | None = None, *, step: int = MICROSECOND
) -> st.SearchStrategy[AuthEvent]:
    """Any valid event, of a type or of all; its times are whole multiples of `step` nanoseconds."""
    types = [event_type] if event_type else catalog.EVENT_TYPES.values()
    return st.one_of([_events_of(each, step) for each in types])


def payloads(event_type: catalog.EventType, *, step: int = MICROSECOND) -> st.SearchStrategy[Message]:
    """Any valid payload of a type."""
    payload: Any = event_type.message.DESCRIPTOR
    return st.one_of([_valid(payload, step, also_required=key) for key in event_type.partition_key])


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


def timestamps(*, step: int = NANOSECOND) -> st.SearchStrategy[Timestamp]:
    """Any time of the years 1 to 9999."""
    nanos = st.integers(0, _SECOND // step - 1).map(lambda count: count * step)
    return st.builds(Timestamp, seconds=st.integers(_MIN_SECONDS, _MAX_SECONDS), nanos=nanos | st.just(0))


def durations() -> st.SearchStrategy[Duration]:
    """Any duration, forward or back, of at most 10,000 years."""
    whole = st.integers(0, _MAX_DURATION - 1)
    return st.builds(
        lambda seconds, nanos, sign: Duration(seconds=sign * seconds, nanos=sign * nanos),
        whole,
        st.integers(0, _SECOND - 1),
        st.sampled_from((1, -1)),
    )


def _events_of(event_type: catalog.EventType, step: int) -> st.SearchStrategy[AuthEvent]:
    envelope: Values = _valid(AuthEvent.DESCRIPTOR, step, without=frozenset(catalog.BY_PAYLOAD_FIELD))
    return st.builds(
        _with_payload, envelope, st.just(event_type.payload_field), payloads(event_type, step=step)
    )


def _with_payload(envelope: AuthEvent, payload_field: str, payload: Message) -> AuthEvent:
    event = AuthEvent()
    event.CopyFrom(envelope)
    event.source = event.source or catalog.DEFAULT_SOURCE
    getattr(event, payload_field).CopyFrom(payload)
    return event


@cache
def _valid(
    descriptor: Descriptor, step: int, *, also_required: str = "", without: frozenset[str] = frozenset()
) -> st.SearchStrategy[Message]:
    """Messages that keep the contract's rules."""
    required: dict[str, Values] = {}
    optional: dict[str, Values] = {}
    for field in descriptor.fields:
        if field.name in without:
            continue
        rules = catalog.rules_of(field)
        must = rules.required or field.name == also_required
        (required if must else optional)[field.name] = _valid_values(field, rules, must, step)
    return _built(descriptor, required, optional)


def _built(
    descriptor: Descriptor, required: dict[str, Values], optional: dict[str, Values]
) -> st.SearchStrategy[Message]:
    make = GetMessageClass(descriptor)
    return st.fixed_dictionaries(required, optional=optional).map(lambda values: make(**values))


def _valid_values(field: FieldDescriptor, rules: options_pb2.FieldRules, must: bool, step: int) -> Values:
    if field.is_repeated:
        one = _valid_value(field, options_pb2.FieldRules(), step)
        return st.lists(one, min_size=int(must), max_size=min(rules.max_length or 8, 8))
    values = _valid_value(field, rules, step)
    return values.filter(bool) if must and not field.has_presence else values


def _valid_value(field: FieldDescriptor, rules: options_pb2.FieldRules, step: int) -> Values:
    if field.message_type:
        return _message(field, step, lambda nested: _valid(nested, step))
    if field.enum_type:
        return _declared(field.enum_type)
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING and field.type != FieldDescriptor.TYPE_BYTES:
        return _valid_text(rules)
    if field.cpp_type in _LIMITS:
        low, high = _LIMITS[field.cpp_type]
        return st.integers(
            int(rules.minimum) if rules.HasField("minimum") else low,
            int(rules.maximum) if rules.HasField("maximum") else high,
        )
    if field.cpp_type in (FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT):
        return st.floats(
            rules.minimum if rules.HasField("minimum") else None,
            rules.maximum if rules.HasField("maximum") else None,
            allow_nan=False,
            allow_infinity=False,
            width=64 if field.cpp_type == FieldDescriptor.CPPTYPE_DOUBLE else 32,
        )
    return _scalar(field)


def _valid_text(rules: options_pb2.FieldRules) -> Values:
    limit = rules.max_length or 1024
    texts = (
        _FORMATS[rules.format]
        if rules.format
        else st.text(st.characters(codec="utf-8"), max_size=min(limit, 40))
    )
    return texts.filter(lambda text: len(text) <= limit)


_FORMATS: dict[int, Values] = {
    options_pb2.FORMAT_UUID: st.uuids().map(str),
    options_pb2.FORMAT_IP_ADDRESS: st.ip_addresses().map(str),
    options_pb2.FORMAT_EMAIL: st.from_regex(r"[^@\s]+@[^@\s]+", fullmatch=True),
    options_pb2.FORMAT_URI_REFERENCE: st.from_regex(r"[!-~]+", fullmatch=True),
    options_pb2.FORMAT_NAME: st.from_regex(r"[a-z][a-z0-9_.-]*", fullmatch=True),
    options_pb2.FORMAT_HEX: st.binary(max_size=32).map(bytes.hex),
}


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


def _scalar(field: FieldDescriptor) -> Values:
    if field.cpp_type in _LIMITS:
        return st.integers(*_LIMITS[field.cpp_type])
    match field.type:
        case FieldDescriptor.TYPE_STRING:
            return _text
        case FieldDescriptor.TYPE_BYTES:
            return st.binary(max_size=40)
        case FieldDescriptor.TYPE_BOOL:
            return st.booleans()
        case FieldDescriptor.TYPE_FLOAT:
            return st.floats(width=32)
    return st.floats()


def _declared(enum: EnumDescriptor) -> Values:
    return st.sampled_from([value.number for value in enum.values])


def _message(field: FieldDescriptor, step: int, own: Callable[[Descriptor], Values]) -> Values:
    """Messages that a field may hold: a well-known one, or what `own` makes of its type."""
    nested: Any = field.message_type
    match nested.full_name:
        case "google.protobuf.Timestamp":
            return timestamps(step=step)
        case "google.protobuf.Duration":
            return durations()
        case "google.protobuf.FieldMask":
            siblings: Any = field.containing_type
            names = st.sampled_from([sibling.name for sibling in siblings.fields])
            return st.lists(names, unique=True, min_size=1).map(lambda paths: FieldMask(paths=paths))
    return own(nested)
