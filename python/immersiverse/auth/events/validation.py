"""Checks a message against the contract's rules for its fields, by functions made once per message type."""

from __future__ import annotations

import re
import socket
from functools import cache
from typing import TYPE_CHECKING, Any

from immersiverse.auth.events import catalog
from immersiverse.auth.events.errors import InvalidEvent
from immersiverse.auth.events.v1 import options_pb2

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from google.protobuf.descriptor import Descriptor, FieldDescriptor, OneofDescriptor
    from google.protobuf.message import Message

    Fault = tuple[str, str]  # the path of a field, and what is wrong with it
    MessageCheck = Callable[[Any], Fault | None]
    # A field's name, whether it has presence, the fault of its absence, its greatest length or 0, and checks.
    FieldRule = tuple[str, bool, Fault | None, int, list[MessageCheck]]

MIN_SECONDS, MAX_SECONDS = -62_135_596_800, 253_402_300_799
"""The first and last second of the years 1 to 9999, which times may have."""
MAX_DURATION = 315_576_000_000
"""10,000 years in seconds."""
NANOS = 1_000_000_000


def validate(message: Message, name: str = "") -> None:
    """Check a payload or envelope against the contract.

    Args:
        message: any message of the contract.
        name: what to call it in the error; its type's name unless given.

    Raises:
        InvalidEvent: with the first field that breaks a rule, and the rule.
    """
    fault = message_check(message.DESCRIPTOR)(message)
    if fault:
        raise InvalidEvent(name or message.DESCRIPTOR.name, *fault)


@cache
def message_check(descriptor: Descriptor, unchecked: frozenset[str] = frozenset()) -> MessageCheck:
    """A function from messages of a type to the path of the first invalid field and its fault, or None.

    Args:
        descriptor: the type's.
        unchecked: fields that need no check: their maker has seen to it.
    """
    if descriptor.full_name in _WELL_KNOWN:
        return _WELL_KNOWN[descriptor.full_name]
    choices = [oneof for oneof in descriptor.oneofs if len(oneof.fields) > 1]
    oneofs = [_oneof_check(oneof) for oneof in choices if oneof.fields[0].name not in unchecked]
    fields = _field_rules(descriptor, unchecked.union(f.name for oneof in choices for f in oneof.fields))
    return _check_of(fields, oneofs)


def _check_of(fields: list[FieldRule], oneofs: list[MessageCheck]) -> MessageCheck:
    def check(message: Any) -> Fault | None:
        for name, has_presence, absent, limit, checks in fields:
            value = getattr(message, name)
            if not (message.HasField(name) if has_presence else value):
                if absent:
                    return absent
                continue
            if limit and len(value) > limit:
                return name, f"is longer than {limit}: {len(value)}"
            for check_value in checks:
                if fault := check_value(value):
                    return fault
        for check_oneof in oneofs:
            if fault := check_oneof(message):
                return fault
        return None

    return check


def _oneof_check(oneof: OneofDescriptor) -> MessageCheck:
    """A function that checks the field of a oneof that is set, if one is."""
    checks = {field.name: _nested(field) for field in oneof.fields if field.message_type}

    def check(message: Any) -> Fault | None:
        name = message.WhichOneof(oneof.name)
        return checks[name](getattr(message, name)) if name in checks else None

    return check


def _field_rules(descriptor: Descriptor, without: frozenset[str]) -> list[FieldRule]:
    """What is checked of the fields that have rules."""
    found = []
    for field in (field for field in descriptor.fields if field.name not in without):
        rules = catalog.rules_of(field)
        checks = list(_value_checks(field, rules))
        if rules.required or rules.max_length or checks:
            absent = (field.name, "is required") if rules.required else None
            found.append((field.name, field.has_presence, absent, rules.max_length, checks))
    return found


def _value_checks(field: FieldDescriptor, rules: options_pb2.FieldRules) -> Iterator[MessageCheck]:
    """Functions that check a field's value, which is set and not too long."""
    name = field.name
    if rules.HasField("minimum"):  # turned around, since NaN is neither below nor above
        low, below = rules.minimum, (name, f"is below {rules.minimum:g}")
        yield lambda value: None if value >= low else below
    if rules.HasField("maximum"):
        high, above = rules.maximum, (name, f"is above {rules.maximum:g}")
        yield lambda value: None if value <= high else above
    if rules.format:
        yield _format_check(name, rules.format)
    if field.message_type and field.message_type.full_name == "google.protobuf.FieldMask":
        yield _mask_check(field)
    elif field.message_type and not field.is_repeated:
        yield _nested(field)


def _mask_check(field: FieldDescriptor) -> MessageCheck:
    """A function that checks a field mask, which names fields of the message that it is in."""
    assert field.containing_type is not None  # noqa: S101 - only extensions have none
    known = frozenset(each.name for each in field.containing_type.fields)
    words = f"is not a field of {field.containing_type.name}, such as email_verified"

    def check(mask: Any) -> Fault | None:
        if not mask.paths:
            return field.name, "is required: it names no field"
        strange = next((place for place, path in enumerate(mask.paths, 1) if path not in known), 0)
        return (field.name, f"path {strange} {words}") if strange else None  # an error quotes no value

    return check


def _format_check(name: str, wanted: int) -> MessageCheck:
    matches, words = _FORMATS[wanted]
    fault = name, words
    return lambda value: None if matches(value) else fault


def _nested(field: FieldDescriptor) -> MessageCheck:
    name, check_message = field.name, message_check(field.message_type)

    def check(message: Any) -> Fault | None:
        fault = check_message(message)
        return fault and (f"{name}.{fault[0]}".rstrip("."), fault[1])

    return check


def _pattern(expression: str) -> Callable[[str], object]:
    return re.compile(expression).fullmatch


def _is_ip_address(value: str) -> bool:
    try:
        socket.inet_pton(socket.AF_INET6 if ":" in value else socket.AF_INET, value)
    except (OSError, ValueError):
        return False
    return True


_FORMATS: dict[int, tuple[Callable[[str], object], str]] = {
    options_pb2.FORMAT_UUID: (
        _pattern(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
        "is not a UUID in lower case",
    ),
    options_pb2.FORMAT_IP_ADDRESS: (_is_ip_address, "is not an IP address"),
    options_pb2.FORMAT_EMAIL: (_pattern(r"[^@\s]+@[^@\s]+"), "is not an e-mail address"),
    options_pb2.FORMAT_URI_REFERENCE: (_pattern(r"[!-~]+"), "is not a URI reference"),
    options_pb2.FORMAT_NAME: (_pattern(r"[a-z][a-z0-9_.-]*"), "is not a lower-case name"),
    options_pb2.FORMAT_HEX: (_pattern(r"([0-9a-f]{2})*"), "is not lower-case hexadecimal"),
}
"""By format: what is true of values that have it, and what is wrong with others."""


def _timestamp(time: Any) -> Fault | None:
    if MIN_SECONDS <= time.seconds <= MAX_SECONDS and 0 <= time.nanos < NANOS:
        return None
    if 0 <= time.nanos < NANOS:
        return "", "is outside the years 1 to 9999: milliseconds in place of seconds?"
    return "", "has nanos that are not from 0 to 999,999,999"


def _duration(span: Any) -> Fault | None:
    seconds, nanos = span.seconds, span.nanos
    if abs(seconds) <= MAX_DURATION and abs(nanos) < NANOS and seconds * nanos >= 0:
        return None
    return "", "is not a duration of at most 10,000 years"


_WELL_KNOWN: dict[str, MessageCheck] = {
    "google.protobuf.Timestamp": _timestamp,
    "google.protobuf.Duration": _duration,
}
