"""Messages filled from their descriptors, so that a new event or field needs no line here."""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.timestamp_pb2 import Timestamp

from golden.corpus.values import Style, scalar
from immersiverse.auth.events import catalog

# 2025-06-01T10:15:30.123456Z, and the ends of what a Timestamp can say, in the contract's microseconds.
_TIMES = {
    "ordinary": Timestamp(seconds=1_748_772_930, nanos=123_456_000),
    "least": Timestamp(seconds=-62_135_596_800),
    "most": Timestamp(seconds=253_402_300_799, nanos=999_999_000),
}
_DURATIONS = {
    "ordinary": Duration(seconds=300),
    "least": Duration(seconds=-315_576_000_000, nanos=-999_999_999),
    "most": Duration(seconds=315_576_000_000, nanos=999_999_999),
}
_ITEMS = {"ordinary": 2, "least": 1, "most": 8}
_MAX_DEPTH = 3  # of messages in messages: a type may hold itself


def filled(
    descriptor: Descriptor, style: Style, *, required: str = "", without: frozenset[str] = frozenset()
) -> Message:
    """A message that keeps the contract's rules.

    Args:
        descriptor: its type.
        style: how it is filled.
        required: a field that must be set beside those that the contract requires.
        without: fields to leave alone.
    """
    return _filled(descriptor, style, 0, required, without)


def _filled(
    descriptor: Descriptor, style: Style, depth: int, required: str, without: frozenset[str]
) -> Message:
    values = {}
    for field in descriptor.fields:
        must = catalog.rules_of(field).required or field.name == required
        if field.name not in without and (must or (style.optional and _wanted(field, style, depth))):
            values[field.name] = _value(field, style, must, depth)
    return GetMessageClass(descriptor)(**values)


def _wanted(field: FieldDescriptor, style: Style, depth: int) -> bool:
    """Whether an optional field is set: of a oneof one, by turns; of what holds itself not the deepest."""
    oneof = field.containing_oneof
    if oneof is not None and oneof.fields[style.turn % len(oneof.fields)] != field:
        return False
    return depth < _MAX_DEPTH or field.message_type is None


def _value(field: FieldDescriptor, style: Style, must: bool, depth: int) -> Any:
    entry = field.message_type
    if entry is not None and entry.GetOptions().map_entry:
        key, value = (entry.fields_by_name[name] for name in ("key", "value"))
        return {_one(key, style, must, depth): _one(value, style, must, depth)}
    if not field.is_repeated:
        return _one(field, style, must, depth)
    limit = catalog.rules_of(field).max_length or _ITEMS["most"]
    count = limit if style.extent == "most" else min(_ITEMS[style.extent], limit)
    turns = (Style(style.extent, style.optional, style.turn + place) for place in range(count))
    return [_one(field, turn, must, depth) for turn in turns]


def _one(field: FieldDescriptor, style: Style, must: bool, depth: int) -> Any:
    nested = field.message_type
    if nested is None:
        return scalar(field, style, required=must)
    match nested.full_name:
        case "google.protobuf.Timestamp":
            return _TIMES[style.extent]
        case "google.protobuf.Duration":
            return _DURATIONS[style.extent]
        case "google.protobuf.FieldMask":
            return _mask(field, style)
    return _filled(nested, style, depth + 1, "", frozenset())


def _mask(field: FieldDescriptor, style: Style) -> FieldMask:
    assert field.containing_type is not None
    names = [other.name for other in field.containing_type.fields if other is not field]
    return FieldMask(paths={"ordinary": names[1:3], "least": names[:1], "most": names}[style.extent])
