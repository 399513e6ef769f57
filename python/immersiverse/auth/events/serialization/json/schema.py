"""The contract as JSON Schemas, one for each event's JSON message, derived from its descriptors.

Source: JSON Schema 2020-12; the Protobuf JSON mapping. How each part is written:

    message             object, open: events gain fields, so a receiver ignores what it does not know
    required            as the contract says of producers; of the envelope the specification's three fields
    string              string with the contract's limits, and the pattern of its form
    enum                any name or number, as events may be newer than their reader; examples are those known
    32-bit integer      integer within its range
    64-bit integer      integer, or digits in a string, which is how proto3 writes all but ``version``
    float, double       number, or the name of one that JSON cannot write, unless the contract sets limits
    bytes               string in base64
    Timestamp           string, date-time; Duration and FieldMask are strings, too

Personal data is marked with its class, ``x-personal-data``.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from google.protobuf.descriptor import FieldDescriptor

from immersiverse.auth.events import catalog
from immersiverse.auth.events.descriptors import scalar_kind
from immersiverse.auth.events.serialization.json.codec import envelope_fields
from immersiverse.auth.events.serialization.json.documents import EVENT_TYPE, PAYLOAD, TIMESTAMP
from immersiverse.auth.events.v1 import options_pb2
from immersiverse.auth.events.v1.events_pb2 import AuthEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from google.protobuf.descriptor import Descriptor

    JsonSchema = dict[str, Any]
    Definitions = dict[str, JsonSchema]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


@cache
def schema_text(event_type: str) -> str:
    """The JSON Schema of an event's messages: compact JSON, the same for the same contract.

    Args:
        event_type: its short name, such as ``UserCreated``.

    Raises:
        KeyError: the contract has no such event.
    """
    payload_field = AuthEvent.DESCRIPTOR.fields_by_name[catalog.EVENT_TYPES[event_type].payload_field]
    return json.dumps(event_schema(payload_field), separators=(",", ":"))


def event_schema(payload_field: FieldDescriptor) -> JsonSchema:
    """The JSON Schema of the messages of one type of event.

    Args:
        payload_field: the field of the envelope, of this or another version of the contract, that carries the
            event.
    """
    envelope, payload = payload_field.containing_type, payload_field.message_type
    assert envelope is not None  # noqa: S101 - it is a field of the envelope
    assert payload is not None  # noqa: S101 - and a message
    definitions: Definitions = {}
    named = {
        EVENT_TYPE: {"const": payload.name},
        TIMESTAMP: {},  # in its place, before the payload
        PAYLOAD: _object(payload, definitions),
        **_properties(envelope_fields(envelope), definitions),
    }
    return _document(payload.name, _open(named, [EVENT_TYPE, TIMESTAMP, PAYLOAD]), definitions)


def message_schema(descriptor: Descriptor) -> JsonSchema:
    """The JSON Schema of any message type."""
    definitions: Definitions = {}
    return _document(descriptor.name, _object(descriptor, definitions), definitions)


def _document(title: str, schema: JsonSchema, definitions: Definitions) -> JsonSchema:
    document = {"$schema": _DIALECT, "title": title, **schema}
    return {**document, "$defs": definitions} if definitions else document


def _object(descriptor: Descriptor, definitions: Definitions) -> JsonSchema:
    required = [field.json_name for field in descriptor.fields if catalog.rules_of(field).required]
    return _open(_properties(descriptor.fields, definitions), required)


def _open(properties: dict[str, JsonSchema], required: list[str]) -> JsonSchema:
    schema: JsonSchema = {"type": "object", "properties": properties}
    return {**schema, **({"required": required} if required else {}), "additionalProperties": True}


def _properties(fields: Iterable[FieldDescriptor], definitions: Definitions) -> dict[str, JsonSchema]:
    return {field.json_name: _property(field, definitions) for field in fields}


def _property(field: FieldDescriptor, definitions: Definitions) -> JsonSchema:
    rules = catalog.rules_of(field)
    schema = _many(field, rules, definitions) if field.is_repeated else _one(field, rules, definitions)
    label = catalog.PERSONAL_DATA[catalog.sensitivity(field)]
    return {**schema, "x-personal-data": label} if label else schema


def _many(field: FieldDescriptor, rules: options_pb2.FieldRules, definitions: Definitions) -> JsonSchema:
    schema: JsonSchema = {"type": "array", "items": _one(field, options_pb2.FieldRules(), definitions)}
    if rules.required:
        schema["minItems"] = 1
    if rules.max_length:
        schema["maxItems"] = rules.max_length
    return schema


def _one(field: FieldDescriptor, rules: options_pb2.FieldRules, definitions: Definitions) -> JsonSchema:
    """The schema of one value of a field."""
    if field.enum_type is not None:
        return {"type": ["string", "integer"], "examples": [value.name for value in field.enum_type.values]}
    held = field.message_type
    if held is None:
        return _SCALARS[scalar_kind(field)](rules)
    if held.full_name in _MESSAGES:
        return dict(_MESSAGES[held.full_name])
    name = held.full_name.removeprefix(f"{held.file.package}.")
    definitions.setdefault(name, _object(held, definitions))
    return {"$ref": f"#/$defs/{name}"}


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
"""The forms of strings. Every validator enforces a pattern; a format, only validators that are set to."""


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


_SCALARS: Final[dict[int, Callable[[options_pb2.FieldRules], JsonSchema]]] = {
    FieldDescriptor.CPPTYPE_BOOL: lambda _rules: {"type": "boolean"},
    FieldDescriptor.CPPTYPE_DOUBLE: _floating,
    FieldDescriptor.CPPTYPE_FLOAT: _floating,
    FieldDescriptor.CPPTYPE_INT32: _integer(-(1 << 31), (1 << 31) - 1),
    FieldDescriptor.CPPTYPE_INT64: _long("^-?[0-9]+$"),
    FieldDescriptor.CPPTYPE_STRING: _string,
    FieldDescriptor.CPPTYPE_UINT32: _integer(0, (1 << 32) - 1),
    FieldDescriptor.CPPTYPE_UINT64: _long("^[0-9]+$", minimum=0),
    FieldDescriptor.TYPE_BYTES: lambda _rules: {"type": "string", "contentEncoding": "base64"},
}
