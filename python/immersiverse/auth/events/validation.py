"""Checks a message against the rules that the contract sets for its fields, compiled once per message type."""

from __future__ import annotations

import re
import socket
from functools import cache
from typing import TYPE_CHECKING, Any

from google.protobuf.descriptor import FieldDescriptor

from immersiverse.auth.events import catalog
from immersiverse.auth.events.errors import InvalidEvent
from immersiverse.auth.events.v1 import options_pb2

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from google.protobuf.descriptor import Descriptor
    from google.protobuf.message import Message

    Fault = str
    ValueCheck = Callable[[Any], str | None]
    MessageCheck = Callable[[Message, str], Iterator[tuple[str, Fault]]]

_MIN_SECONDS, _MAX_SECONDS = -62_135_596_800, 253_402_300_799  # years 1 to 9999
_MAX_DURATION = 315_576_000_000
_NANOS = 1_000_000_000


def validate(message: Message, name: str = "") -> None:
    """Check a payload or envelope against the contract.

    Args:
        message: any message of the contract.
        name: what to call it in the error; its type's name unless given.

    Raises:
        InvalidEvent: with the first field that breaks a rule, and the rule.
    """
    for field, fault in _checks(message.DESCRIPTOR)(message, ""):
        raise InvalidEvent(name or message.DESCRIPTOR.name, field, fault)


@cache
def _checks(descriptor: Descriptor) -> MessageCheck:
    if descriptor.full_name in _WELL_KNOWN:
        return _WELL_KNOWN[descriptor.full_name]
    checks = [check for field in descriptor.fields for check in _field_checks(field)]

    def run(message: Message, path: str) -> Iterator[tuple[str, Fault]]:
        for check in checks:
            yield from check(message, path)

    return run


def _field_checks(field: FieldDescriptor) -> Iterator[MessageCheck]:
    rules = catalog.rules_of(field)
    if rules.required:
        yield _required(field)
    value_checks = list(_value_checks(rules))
    if value_checks:
        yield _when_set(field, value_checks)
    if field.message_type and not field.is_repeated:
        yield _nested(field)


def _is_set(field: FieldDescriptor) -> Callable[[Message], bool]:
    name = field.name
    if field.has_presence:
        return lambda message: message.HasField(name)
    return lambda message: bool(getattr(message, name))


def _required(field: FieldDescriptor) -> MessageCheck:
    name, is_set = field.name, _is_set(field)

    def run(message: Message, path: str) -> Iterator[tuple[str, Fault]]:
        if not is_set(message):
            yield path + name, "is required"

    return run


def _when_set(field: FieldDescriptor, checks: list[ValueCheck]) -> MessageCheck:
    name, is_set = field.name, _is_set(field)

    def run(message: Message, path: str) -> Iterator[tuple[str, Fault]]:
        if is_set(message):
            value = getattr(message, name)
            for check in checks:
                if fault := check(value):
                    yield path + name, fault

    return run


def _nested(field: FieldDescriptor) -> MessageCheck:
    name, descriptor = field.name, field.message_type

    def run(message: Message, path: str) -> Iterator[tuple[str, Fault]]:
        if message.HasField(name):
            yield from _checks(descriptor)(getattr(message, name), f"{path}{name}.")

    return run


def _value_checks(rules: options_pb2.FieldRules) -> Iterator[ValueCheck]:
    if rules.max_length:
        yield lambda value: _too_long(value, rules.max_length)
    if rules.HasField("minimum"):
        yield lambda value: None if value >= rules.minimum else f"is below {rules.minimum:g}"
    if rules.HasField("maximum"):
        yield lambda value: None if value <= rules.maximum else f"is above {rules.maximum:g}"
    if rules.format:
        yield _FORMATS[rules.format]


def _too_long(value: Any, limit: int) -> str | None:
    return f"is longer than {limit}: {len(value)}" if len(value) > limit else None


def _pattern(expression: str, fault: str) -> ValueCheck:
    matches = re.compile(expression).fullmatch
    return lambda value: None if matches(value) else fault


def _ip_address(value: str) -> str | None:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, value)
        except (OSError, ValueError):
            continue
        return None
    return "is not an IP address"


_FORMATS: dict[int, ValueCheck] = {
    options_pb2.FORMAT_UUID: _pattern(
        r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "is not a UUID in lower case"
    ),
    options_pb2.FORMAT_IP_ADDRESS: _ip_address,
    options_pb2.FORMAT_EMAIL: _pattern(r"[^@\s]+@[^@\s]+", "is not an e-mail address"),
    options_pb2.FORMAT_URI_REFERENCE: _pattern(r"[!-~]+", "is not a URI reference"),
    options_pb2.FORMAT_NAME: _pattern(r"[a-z][a-z0-9_.-]*", "is not a lower-case name"),
    options_pb2.FORMAT_HEX: _pattern(r"([0-9a-f]{2})*", "is not lower-case hexadecimal"),
}


def _timestamp(message: Any, path: str) -> Iterator[tuple[str, Fault]]:
    if not (_MIN_SECONDS <= message.seconds <= _MAX_SECONDS and 0 <= message.nanos < _NANOS):
        yield path.rstrip("."), "is outside the years 1 to 9999"


def _duration(message: Any, path: str) -> Iterator[tuple[str, Fault]]:
    seconds, nanos = message.seconds, message.nanos
    if abs(seconds) > _MAX_DURATION or abs(nanos) >= _NANOS or seconds * nanos < 0:
        yield path.rstrip("."), "is not a duration of at most 10,000 years"


_WELL_KNOWN: dict[str, MessageCheck] = {
    "google.protobuf.Timestamp": _timestamp,
    "google.protobuf.Duration": _duration,
}
