"""Hypothesis strategies for every payload, valid and invalid, derived from the contract's rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any, TypeVar

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.timestamp_pb2 import Timestamp

from immersiverse.auth.events import catalog
from immersiverse.auth.events.errors import MissingExtra
from immersiverse.auth.events.v1 import options_pb2
from immersiverse.auth.events.v1.events_pb2 import AuthEvent

try:
    from hypothesis import strategies as st
except ImportError as error:
    raise MissingExtra("testing", "immersiverse.auth.events.testing.strategies") from error

__all__ = ["MICROSECOND", "NANOSECOND", "durations", "invalid", "timestamps", "valid", "valid_events"]

P = TypeVar("P", bound=Message)
Values = st.SearchStrategy[Any]
Damage = Callable[[Any], Values]  # a valid payload to others, each with one field that breaks one rule

MICROSECOND, NANOSECOND = 1_000, 1  # in nanoseconds
_SECOND = 1_000_000_000
_MIN_SECONDS, _MAX_SECONDS = -62_135_596_800, 253_402_300_799  # years 1 to 9999
_MAX_DURATION = 315_576_000_000

_LIMITS = {
    FieldDescriptor.CPPTYPE_INT32: (-(1 << 31), (1 << 31) - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(1 << 63), (1 << 63) - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, (1 << 32) - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, (1 << 64) - 1),
}

_text = st.text(st.characters(codec="utf-8"), max_size=40)


def valid(payload: type[P], /, *, step: int = MICROSECOND) -> st.SearchStrategy[P]:
    """Any valid payload of a class.

    Args:
        payload: one of the contract's payload classes.
        step: what its times are whole multiples of, in nanoseconds.
    """
    event_type = catalog.BY_MESSAGE[payload]
    descriptor: Any = payload.DESCRIPTOR
    ways: list[Any] = [_valid(descriptor, step, also_required=key) for key in event_type.partition_key]
    return st.one_of(ways)


def valid_events(*payloads: type[Message], step: int = MICROSECOND) -> st.SearchStrategy[AuthEvent]:
    """Any valid event with a payload of these classes; of every class unless given."""
    return st.one_of([_events_of(each, step) for each in payloads or catalog.BY_MESSAGE])


def invalid(payload: type[P], /) -> st.SearchStrategy[tuple[P, str]]:
    """Payloads that break one rule in one field, each with the name of that field.

    Args:
        payload: one of the contract's payload classes.
    """
    damages = [
        (field.name, damage) for field in catalog.BY_MESSAGE[payload].fields for damage in _damages(field)
    ]
    return st.sampled_from(damages).flatmap(
        lambda chosen: st.tuples(valid(payload).flatmap(chosen[1]), st.just(chosen[0]))
    )


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


def _events_of(payload: type[Message], step: int) -> st.SearchStrategy[AuthEvent]:
    envelope: Values = _valid(AuthEvent.DESCRIPTOR, step, without=frozenset(catalog.BY_PAYLOAD_FIELD))
    payload_field = catalog.BY_MESSAGE[payload].payload_field
    return st.builds(_with_payload, envelope, st.just(payload_field), valid(payload, step=step))


def _with_payload(envelope: AuthEvent, payload_field: str, payload: Message) -> AuthEvent:
    event = AuthEvent()
    event.CopyFrom(envelope)
    event.source = event.source or catalog.DEFAULT_SOURCE
    getattr(event, payload_field).CopyFrom(payload)
    return event


def _damages(field: catalog.Field) -> Iterator[Damage]:
    """What breaks each of a field's rules."""
    rules, name = field.rules, field.name
    if rules.required:
        yield lambda valid: st.just(_copy(valid, name))
    wrong: list[Values] = [*_wrong_lengths(field), *_wrong_numbers(field)]
    if rules.format:
        wrong.append(st.sampled_from(_NOT_OF_FORMAT[rules.format]))
    if (nested := field.descriptor.message_type) is not None:
        wrong += _WRONG_MESSAGES.get(nested.full_name, [])
    for values in wrong:
        yield partial(_with_one_of, values, name)


def _with_one_of(values: Values, name: str, valid: Any) -> Values:
    return values.map(lambda value: _copy(valid, name, value))


def _copy(valid: Any, name: str, value: Any = None) -> Any:
    """A payload with another value in a field, or without one."""
    damaged = type(valid)()
    damaged.CopyFrom(valid)
    damaged.ClearField(name)
    if value is not None:
        damaged.MergeFrom(type(valid)(**{name: value}))
    return damaged


def _wrong_lengths(field: catalog.Field) -> Iterator[Values]:
    limit = field.rules.max_length
    if limit and field.descriptor.is_repeated:
        one: Values = _valid_value(field.descriptor, options_pb2.FieldRules(), MICROSECOND)
        yield one.map(lambda value: [value] * (limit + 1))
    elif limit:
        yield st.integers(limit + 1, limit + 9).map(lambda length: "a" * length)


def _wrong_numbers(field: catalog.Field) -> Iterator[Values]:
    """Numbers beyond a limit, as far as the field's type can hold them."""
    rules, kind = field.rules, field.descriptor.cpp_type
    if kind in _LIMITS:
        low, high = _LIMITS[kind]
        if rules.HasField("minimum") and low < rules.minimum:
            # Zero is absent in a field without presence, and absence breaks no limit.
            yield st.integers(low, int(rules.minimum) - 1).filter(bool)
        if rules.HasField("maximum") and rules.maximum < high:
            yield st.integers(int(rules.maximum) + 1, high)
    else:
        if rules.HasField("minimum"):
            yield st.floats(max_value=rules.minimum, exclude_max=True).filter(bool)
        if rules.HasField("maximum"):
            yield st.floats(min_value=rules.maximum, exclude_min=True)


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


_NOT_OF_FORMAT: dict[int, tuple[str, ...]] = {
    options_pb2.FORMAT_UUID: ("1", "not-a-uuid", "0190163D-8694-739B-AEA5-966C26F8AD91"),
    options_pb2.FORMAT_IP_ADDRESS: ("localhost", "203.0.113.256", "203.0.113.0/24", "::1::"),
    options_pb2.FORMAT_EMAIL: ("alice", "@", "alice@", "alice @example.com"),
    options_pb2.FORMAT_URI_REFERENCE: ("a b", "\u00e9"),
    options_pb2.FORMAT_NAME: ("Steam", "1up", "a b"),
    options_pb2.FORMAT_HEX: ("0", "0G", "AB"),
}
_WRONG_MESSAGES: dict[str, list[Values]] = {
    "google.protobuf.Timestamp": [
        st.integers(_MAX_SECONDS + 1, _MAX_SECONDS * 1_000).map(lambda seconds: Timestamp(seconds=seconds)),
        st.integers(_SECOND, 2 * _SECOND).map(lambda nanos: Timestamp(nanos=nanos)),
    ],
    "google.protobuf.Duration": [
        st.integers(_MAX_DURATION + 1, 2 * _MAX_DURATION).map(lambda seconds: Duration(seconds=seconds))
    ],
    "google.protobuf.FieldMask": [
        st.just(FieldMask()),
        st.sampled_from(("password", "emailVerified", "")).map(lambda path: FieldMask(paths=[path])),
    ],
}
