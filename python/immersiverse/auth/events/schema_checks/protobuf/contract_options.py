"""What the contract promises in its own options: topics, partition keys, and rules about fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from google.protobuf.descriptor_pb2 import FieldOptions, FileOptions, MessageOptions
from google.protobuf.message import DecodeError

from immersiverse.auth.events.schema_checks.kinds import ChangeKind as Kind
from immersiverse.auth.events.schema_checks.protobuf.model import Finding
from immersiverse.auth.events.v1 import options_pb2

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.descriptor import EnumDescriptor

    from immersiverse.auth.events.schema_checks.protobuf.model import (
        Declarations,
        MessagePair,
        ProtoField,
        ProtoFields,
    )

_Options = TypeVar("_Options", FileOptions, MessageOptions, FieldOptions)

_NO_RULES = options_pb2.FieldRules()


def compare_files(old: Declarations, new: Declarations) -> Iterator[Finding]:
    """Compare what holds for two contracts as a whole."""
    before, after = _contract(old.file.options), _contract(new.file.options)
    for name in ("single_topic", "dead_letter_topic", "default_source"):
        was, now = getattr(before, name), getattr(after, name)
        if was and was != now:
            yield Finding(Kind.CONTRACT_OPTION_CHANGED, "#/", f"{name}: {was}", f"{name}: {now}")


def compare_messages(path: str, pair: MessagePair, old: ProtoFields, new: ProtoFields) -> Iterator[Finding]:
    """Compare topic and key of two versions of an event, and the rules of their fields."""
    yield from _compare_events(path, _event(pair.old.proto.options), _event(pair.new.proto.options))
    for number in sorted(old.keys() | new.keys()):
        before, after = old.get(number), new.get(number)
        rules = _rules(before), _rules(after)
        if rules[0] != rules[1] and (field := after or before):
            yield from _compare_rules(field.path(path), *rules, continued=bool(before and after))


def _compare_events(
    path: str, old: options_pb2.EventOptions | None, new: options_pb2.EventOptions | None
) -> Iterator[Finding]:
    if old is None or new is None:
        if old is not None:
            yield Finding(Kind.EVENT_REMOVED, path, f"topic {old.topic}")
        elif new is not None:
            yield Finding(Kind.EVENT_ADDED, path, new=f"topic {new.topic}")
        return
    if old.topic != new.topic:
        yield Finding(Kind.EVENT_TOPIC_CHANGED, path, f"topic {old.topic}", f"topic {new.topic}")
    keys = [", ".join(event.partition_key) for event in (old, new)]
    if keys[0] != keys[1]:
        yield Finding(Kind.EVENT_PARTITION_KEY_CHANGED, path, f"key {keys[0]}", f"key {keys[1]}")


def _compare_rules(
    path: str, old: options_pb2.FieldRules, new: options_pb2.FieldRules, *, continued: bool
) -> Iterator[Finding]:
    """Compare two fields' rules; of an added or removed field, only whether it is required matters."""
    if old.required != new.required:
        kind = Kind.FIELD_BECAME_REQUIRED if new.required else Kind.FIELD_NO_LONGER_REQUIRED
        yield Finding(kind, path, f"required: {old.required}", f"required: {new.required}")
    if not continued:
        return
    yield from _compare_limits(path, old, new)
    if old.format != new.format:
        names = [_value(options_pb2.Format.DESCRIPTOR, rules.format) for rules in (old, new)]
        yield Finding(Kind.FIELD_FORMAT_CHANGED, path, *names)
    classes = [rules.personal_data or options_pb2.PERSONAL_DATA_NONE for rules in (old, new)]
    if classes[0] != classes[1]:  # contracts that did not state one meant none
        names = [_value(options_pb2.PersonalData.DESCRIPTOR, number) for number in classes]
        yield Finding(Kind.FIELD_PERSONAL_DATA_CHANGED, path, *names)


def _compare_limits(path: str, old: options_pb2.FieldRules, new: options_pb2.FieldRules) -> Iterator[Finding]:
    for name, before, after in zip(_LIMITS, _limits(old), _limits(new), strict=True):
        if before != after:
            kind = Kind.FIELD_LIMIT_TIGHTENED if after < before else Kind.FIELD_LIMIT_LOOSENED
            yield Finding(kind, path, _limit(name, before), _limit(name, after))


_LIMITS = ("max_length", "minimum", "maximum")
_NO_LIMIT = float("inf")


def _limits(rules: options_pb2.FieldRules) -> tuple[float, float, float]:
    """The limits as numbers of which the smaller is the tighter: the minimum is negated."""
    return (
        rules.max_length or _NO_LIMIT,
        -rules.minimum if rules.HasField("minimum") else _NO_LIMIT,
        rules.maximum if rules.HasField("maximum") else _NO_LIMIT,
    )


def _limit(name: str, value: float) -> str:
    if value == _NO_LIMIT:
        return f"no {name}"
    return f"{name}: {-value if name == 'minimum' else value:g}"


def _value(enum: EnumDescriptor, number: int) -> str:
    """A value's name; a newer contract may use one that this package does not know."""
    known = enum.values_by_number.get(number)
    return known.name if known else str(number)


def _contract(options: FileOptions) -> options_pb2.ContractOptions:
    return _known(options).Extensions[options_pb2.contract]


def _event(options: MessageOptions) -> options_pb2.EventOptions | None:
    known = _known(options)
    return known.Extensions[options_pb2.event] if known.HasExtension(options_pb2.event) else None


def _rules(field: ProtoField | None) -> options_pb2.FieldRules:
    if field is None or not field.proto.HasField("options"):
        return _NO_RULES
    return _known(field.proto.options).Extensions[options_pb2.field]


def _known(options: _Options) -> _Options:
    """Parse options again: parsed before options_pb2 was imported, they hold ours as unknown bytes."""
    try:
        return type(options).FromString(options.SerializeToString())
    except DecodeError:
        # The numbers of the contract's options mean something else in this schema.
        return type(options)()
