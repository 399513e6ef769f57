"""The JSON Schema of what is neither a list nor an object: scalars, enums, times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from google.protobuf.descriptor import FieldDescriptor

from immersiverse.auth.events.serialization.json_values import TAKE_NULL
from immersiverse.auth.events.v1 import options_pb2

if TYPE_CHECKING:
    from collections.abc import Callable

    JsonSchema = dict[str, Any]

_DURATION: Final = r"^-?[0-9]{1,12}(\.[0-9]{1,9})?s$"
_NO_NUMBER: Final = "^(NaN|-?Infinity)$"

_MESSAGES: Final[dict[str, JsonSchema]] = {
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    "google.protobuf.Duration": {"type": "string", "pattern": _DURATION},
    "google.protobuf.FieldMask": {"type": "string"},
}

_FORMS: Final[dict[int, JsonSchema]] = {
    options_pb2.FORMAT_UUID: {
        "format": "uuid",
        "pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
    },
    options_pb2.FORMAT_IP_ADDRESS: {
        "pattern": r"^([0-9]{1,3}(\.[0-9]{1,3}){3}|[0-9A-Fa-f]*:[0-9A-Fa-f:.]*)$"
    },
    options_pb2.FORMAT_EMAIL: {"format": "email", "pattern": r"^[^@\s]+@[^@\s]+$"},
    options_pb2.FORMAT_URI_REFERENCE: {"format": "uri-reference", "pattern": "^[!-~]+$"},
    options_pb2.FORMAT_NAME: {"pattern": "^[a-z][a-z0-9_.-]*$"},
    options_pb2.FORMAT_HEX: {"pattern": "^([0-9a-f]{2})*$"},
}
"""The forms of strings. A pattern is what every validator enforces; a format, only those that are told to."""


def value_schema(field: FieldDescriptor, rules: options_pb2.FieldRules) -> JsonSchema:
    """The schema of one value of a field; anything, for well-known messages without a form of their own."""
    if field.message_type is not None:
        return dict(_MESSAGES.get(field.message_type.full_name, {}))
    if field.enum_type is not None:
        if field.enum_type.full_name in TAKE_NULL:
            return {}
        return {"type": ["string", "integer"], "examples": [value.name for value in field.enum_type.values]}
    return _SCALARS[field.type](rules)


def _string(rules: options_pb2.FieldRules) -> JsonSchema:
    schema: JsonSchema = {"type": "string"}
    if rules.required:
        schema["minLength"] = 1
    if rules.max_length:
        schema["maxLength"] = rules.max_length
    return {**schema, **_FORMS.get(rules.format, {})}


def _integer(low: int, high: int) -> Callable[[options_pb2.FieldRules], JsonSchema]:
    return lambda rules: {"type": "integer", "minimum": low, "maximum": high} | _limits(rules, int)


def _long(digits: str, **least: int) -> Callable[[options_pb2.FieldRules], JsonSchema]:
    """Its range is left out: 64 bits are more than a validator's numbers may have."""
    return lambda rules: {"type": ["integer", "string"], "pattern": digits} | least | _limits(rules, int)


def _floating(rules: options_pb2.FieldRules) -> JsonSchema:
    if limits := _limits(rules, float):
        return {"type": "number", **limits}
    return {"type": ["number", "string"], "pattern": _NO_NUMBER}


def _limits(rules: options_pb2.FieldRules, kind: Callable[[float], float]) -> JsonSchema:
    return {name: kind(getattr(rules, name)) for name in ("minimum", "maximum") if rules.HasField(name)}


_INT32 = _integer(-(1 << 31), (1 << 31) - 1)
_UINT32 = _integer(0, (1 << 32) - 1)
_INT64 = _long("^-?[0-9]+$")
_UINT64 = _long("^[0-9]+$", minimum=0)

_SCALARS: Final[dict[int, Callable[[options_pb2.FieldRules], JsonSchema]]] = {
    FieldDescriptor.TYPE_BOOL: lambda _rules: {"type": "boolean"},
    FieldDescriptor.TYPE_BYTES: lambda _rules: {"type": "string", "contentEncoding": "base64"},
    FieldDescriptor.TYPE_DOUBLE: _floating,
    FieldDescriptor.TYPE_FIXED32: _UINT32,
    FieldDescriptor.TYPE_FIXED64: _UINT64,
    FieldDescriptor.TYPE_FLOAT: _floating,
    FieldDescriptor.TYPE_INT32: _INT32,
    FieldDescriptor.TYPE_INT64: _INT64,
    FieldDescriptor.TYPE_SFIXED32: _INT32,
    FieldDescriptor.TYPE_SFIXED64: _INT64,
    FieldDescriptor.TYPE_SINT32: _INT32,
    FieldDescriptor.TYPE_SINT64: _INT64,
    FieldDescriptor.TYPE_STRING: _string,
    FieldDescriptor.TYPE_UINT32: _UINT32,
    FieldDescriptor.TYPE_UINT64: _UINT64,
}
