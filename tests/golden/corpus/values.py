"""Values for any field, from its descriptor and the contract's rules: ordinary ones and the extremes."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from google.protobuf.descriptor import FieldDescriptor

from immersiverse.auth.events import catalog
from immersiverse.auth.events.v1 import options_pb2

Extent = Literal["ordinary", "least", "most"]


@dataclass(frozen=True)
class Style:
    """How a message is to be filled.

    Attributes:
        extent: how far its values go.
        optional: whether fields are set that need not be.
        turn: which of an enum's values is taken: 1 for the first after the unspecified one.
    """

    extent: Extent
    optional: bool = True
    turn: int = 1


_INTEGERS = {
    FieldDescriptor.CPPTYPE_INT32: (-(1 << 31), (1 << 31) - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(1 << 63), (1 << 63) - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, (1 << 32) - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, (1 << 64) - 1),
}
_GREATEST = {
    FieldDescriptor.CPPTYPE_DOUBLE: 1.7976931348623157e308,
    FieldDescriptor.CPPTYPE_FLOAT: 3.4028234663852886e38,
}
_ORDINARY_NUMBER = 42
_LONGEST = 300  # characters of a text whose length has no limit
# What escapes, takes more than one byte, or looks like an end to some parsers.
_AWKWARD = '"\\/\b\t\n\r\x00\x7f\u2028\u00e9\ufffd\U0001f600'


def scalar(field: FieldDescriptor, style: Style, *, required: bool) -> Any:
    """A value of a field that holds no message; required ones are never the default value."""
    rules = catalog.rules_of(field)
    if field.enum_type is not None:
        values = field.enum_type.values
        return values[style.turn % len(values) or int(required)].number
    if field.type == FieldDescriptor.TYPE_STRING:
        return _text(field, rules, style)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return {"ordinary": b"bytes", "least": b"\x00", "most": bytes(range(256))}[style.extent]
    if field.type == FieldDescriptor.TYPE_BOOL:
        return style.extent != "least" or required
    low, high = _bounds(field, rules)
    number = {"ordinary": min(max(_ORDINARY_NUMBER, low), high), "least": low, "most": high}[style.extent]
    return number or (min(1, high) if required else number)


def _bounds(field: FieldDescriptor, rules: options_pb2.FieldRules) -> tuple[Any, Any]:
    whole = field.cpp_type in _INTEGERS
    kind: Callable[[Any], Any] = int if whole else float
    greatest = _GREATEST.get(field.cpp_type, 0.0)
    low, high = _INTEGERS.get(field.cpp_type, (-greatest, greatest))
    return (
        kind(rules.minimum) if rules.HasField("minimum") else low,
        kind(rules.maximum) if rules.HasField("maximum") else high,
    )


def _text(field: FieldDescriptor, rules: options_pb2.FieldRules, style: Style) -> str:
    ordinary, least, repeated = _TEXTS[rules.format](field)
    if style.extent != "most":
        return ordinary[: rules.max_length or None] if style.extent == "ordinary" else least
    limit = rules.max_length or _LONGEST
    if not repeated:
        return ordinary
    head, unit = repeated
    text = head + unit * ((limit - len(head)) // len(unit))
    return text[:limit]


def _any_text(field: FieldDescriptor) -> tuple[str, str, tuple[str, str]]:
    return f"some {field.name}", "a", (_AWKWARD, "\U0001f642")


def _uuid(field: FieldDescriptor) -> tuple[str, str, None]:
    digest = hashlib.sha256(field.full_name.encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4)), "00000000-0000-7000-8000-000000000000", None


def _address(_: FieldDescriptor) -> tuple[str, str, tuple[str, str]]:
    return "203.0.113.7", "::", ("2001:db8:ffff:ffff:ffff:ffff:255.255.255.255", " " * _LONGEST)


def _mail(field: FieldDescriptor) -> tuple[str, str, tuple[str, str]]:
    return f"{field.name}@example.com", "a@b", ("\u00e9@", "\U0001f642")


def _reference(field: FieldDescriptor) -> tuple[str, str, tuple[str, str]]:
    return f"/services/{field.name}", "!", ("urn:~", "%20")


def _name(field: FieldDescriptor) -> tuple[str, str, tuple[str, str]]:
    return field.name.replace("_", "-"), "a", ("z", "9_.-")


def _hex(field: FieldDescriptor) -> tuple[str, str, tuple[str, str]]:
    return hashlib.sha256(field.full_name.encode()).hexdigest(), "00", ("ff", "f0")


# By format: an ordinary text, the shortest, and what the longest begins with and goes on with.
_TEXTS: dict[int, Callable[[FieldDescriptor], tuple[str, str, tuple[str, str] | None]]] = {
    options_pb2.FORMAT_UNSPECIFIED: _any_text,
    options_pb2.FORMAT_UUID: _uuid,
    options_pb2.FORMAT_IP_ADDRESS: _address,
    options_pb2.FORMAT_EMAIL: _mail,
    options_pb2.FORMAT_URI_REFERENCE: _reference,
    options_pb2.FORMAT_NAME: _name,
    options_pb2.FORMAT_HEX: _hex,
}
