"""Checks a message against the rules that the contract sets for its fields, compiled once a message type."""

from __future__ import annotations

import re
import socket
from functools import cache
from typing import TYPE_CHECKING, Any

from google.protobuf import message_factory

from immersiverse.auth.events import catalog
from immersiverse.auth.events.errors import InvalidEvent
from immersiverse.auth.events.v1 import options_pb2

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.protobuf.descriptor import Descriptor, FieldDescriptor, OneofDescriptor
    from google.protobuf.message import Message

    Namespace = dict[str, Any]
    FormatCheck = Callable[[str], str | None]
    MessageCheck = Callable[[Any], tuple[str, str] | None]

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
    fault = _check(message.DESCRIPTOR)(message)
    if fault:
        raise InvalidEvent(name or message.DESCRIPTOR.name, *fault)


@cache
def _check(descriptor: Descriptor) -> MessageCheck:
    """A function from messages of a type to the path of the first field at fault and its fault, or None."""
    if descriptor.full_name in _WELL_KNOWN:
        return _WELL_KNOWN[descriptor.full_name]
    message_class = message_factory.GetMessageClass(descriptor)
    names: Namespace = {"has_field": message_class.HasField, "which": message_class.WhichOneof}
    choices = [oneof for oneof in descriptor.oneofs if len(oneof.fields) > 1]
    chosen = {field.name for oneof in choices for field in oneof.fields}
    lines = [
        "def check(message):",
        *(f"    {line}" for f in descriptor.fields if f.name not in chosen for line in _source(f, names)),
        *(f"    {line}" for oneof in choices for line in _oneof_source(oneof, names)),
        "    return None",
    ]
    exec("\n".join(lines), names)  # noqa: S102 - source made of our own descriptors' identifiers
    return names["check"]  # type: ignore[no-any-return]  # what the source defines


def _oneof_source(oneof: OneofDescriptor, names: Namespace) -> list[str]:
    """Python that checks the field of a oneof that is set, if one is."""
    names[f"checks_{oneof.index}"] = {
        field.name: _nested(field) for field in oneof.fields if field.message_type
    }
    return [
        f"name = which(message, {oneof.name!r})",
        f"if name in checks_{oneof.index}:",
        f"    fault = checks_{oneof.index}[name](getattr(message, name))",
        "    if fault: return fault",
    ]


def _source(field: FieldDescriptor, names: Namespace) -> list[str]:
    """Python that checks one field: straight-line code takes a fifth of the time of a loop over rules."""
    rules = catalog.rules_of(field)
    checks = [f"    {line}" for line in _value_checks(field, rules, names)]
    if not (rules.required or checks):
        return []
    value = f"value = getattr(message, {field.name!r})"
    required = [f"else: return {field.name!r}, 'is required'"] if rules.required else []
    if field.has_presence:
        return [f"if has_field(message, {field.name!r}):", f"    {value}", *checks, *required]
    return [value, "if value:", *(checks or ["    pass"]), *required]


def _value_checks(field: FieldDescriptor, rules: options_pb2.FieldRules, names: Namespace) -> list[str]:
    """Python that checks `value`, which is set; what it refers to goes into `names`."""
    lines = []
    if rules.max_length:
        limit = rules.max_length
        lines.append(_refusal(field, f"len(value) > {limit}", f"f'is longer than {limit}: {{len(value)}}'"))
    if rules.HasField("minimum"):  # turned around, since NaN is neither below nor above
        lines.append(_refusal(field, f"not value >= {rules.minimum!r}", f"'is below {rules.minimum:g}'"))
    if rules.HasField("maximum"):
        lines.append(_refusal(field, f"not value <= {rules.maximum!r}", f"'is above {rules.maximum:g}'"))
    if rules.format:
        names[f"check_{field.number}"] = _FORMATS[rules.format]
        lines += [f"fault = check_{field.number}(value)", _refusal(field, "fault", "fault")]
    if field.message_type and not field.is_repeated:
        names[f"check_{field.number}"] = _nested(field)
        lines += [f"fault = check_{field.number}(value)", "if fault: return fault"]
    return lines


def _refusal(field: FieldDescriptor, condition: str, fault: str) -> str:
    return f"if {condition}: return {field.name!r}, {fault}"


def _nested(field: FieldDescriptor) -> MessageCheck:
    name, descriptor = field.name, field.message_type

    def check(message: Any) -> tuple[str, str] | None:
        fault = _check(descriptor)(message)
        return fault and (f"{name}.{fault[0]}".rstrip("."), fault[1])

    return check


def _pattern(expression: str, fault: str) -> FormatCheck:
    matches = re.compile(expression).fullmatch
    return lambda value: None if matches(value) else fault


def _ip_address(value: str) -> str | None:
    try:
        socket.inet_pton(socket.AF_INET6 if ":" in value else socket.AF_INET, value)
    except (OSError, ValueError):
        return "is not an IP address"
    return None


_FORMATS: dict[int, FormatCheck] = {
    options_pb2.FORMAT_UUID: _pattern(
        r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "is not a UUID in lower case"
    ),
    options_pb2.FORMAT_IP_ADDRESS: _ip_address,
    options_pb2.FORMAT_EMAIL: _pattern(r"[^@\s]+@[^@\s]+", "is not an e-mail address"),
    options_pb2.FORMAT_URI_REFERENCE: _pattern(r"[!-~]+", "is not a URI reference"),
    options_pb2.FORMAT_NAME: _pattern(r"[a-z][a-z0-9_.-]*", "is not a lower-case name"),
    options_pb2.FORMAT_HEX: _pattern(r"([0-9a-f]{2})*", "is not lower-case hexadecimal"),
}


def _timestamp(time: Any) -> tuple[str, str] | None:
    if MIN_SECONDS <= time.seconds <= MAX_SECONDS and 0 <= time.nanos < NANOS:
        return None
    return "", "is outside the years 1 to 9999"


def _duration(span: Any) -> tuple[str, str] | None:
    seconds, nanos = span.seconds, span.nanos
    if abs(seconds) <= MAX_DURATION and abs(nanos) < NANOS and seconds * nanos >= 0:
        return None
    return "", "is not a duration of at most 10,000 years"


_WELL_KNOWN: dict[str, MessageCheck] = {
    "google.protobuf.Timestamp": _timestamp,
    "google.protobuf.Duration": _duration,
}
