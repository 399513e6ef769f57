"""The contract as an Avro schema, derived from its descriptors.

Source: Avro 1.12 specification. How each part is written:

    message             record of its full name, fields by their .proto names
    enum                enum with every symbol; its zero value is the default of readers that know fewer
    Timestamp           long, timestamp-micros
    FieldMask           array of strings
    Duration            record of its fields
    oneof payload       union of the payloads, in the order of the contract
    uint32              long
    absence             null, for what can be absent in Protobuf and is not required by the contract

The gate keeps everything else out of the contract: maps, 64 bits without a sign, other well-known messages.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from immersiverse.auth.events import catalog
from immersiverse.auth.events.descriptors import scalar_kind
from immersiverse.auth.events.v1.events_pb2 import AuthEvent

if TYPE_CHECKING:
    Schema = dict[str, Any] | list[Any] | str
    Named = set[str]

ENVELOPE: Final = AuthEvent.DESCRIPTOR.full_name
"""The name of the record that every event is."""

PAYLOAD: Final = AuthEvent.DESCRIPTOR.oneofs_by_name["payload"].name
"""The field of that record that holds the payload."""

TIMESTAMP: Final = "google.protobuf.Timestamp"
FIELD_MASK: Final = "google.protobuf.FieldMask"

_SCALARS: Final = {
    FieldDescriptor.CPPTYPE_BOOL: ("boolean", False),
    FieldDescriptor.CPPTYPE_DOUBLE: ("double", 0.0),
    FieldDescriptor.CPPTYPE_FLOAT: ("float", 0.0),
    FieldDescriptor.CPPTYPE_INT32: ("int", 0),
    FieldDescriptor.CPPTYPE_INT64: ("long", 0),
    FieldDescriptor.CPPTYPE_STRING: ("string", ""),
    FieldDescriptor.CPPTYPE_UINT32: ("long", 0),
    FieldDescriptor.CPPTYPE_UINT64: ("long", 0),
    FieldDescriptor.TYPE_BYTES: ("bytes", ""),
}
"""Avro's type of each Protobuf scalar, and its default."""


@cache
def schema_text() -> str:
    """The Avro schema of events: compact JSON, the same for the same contract."""
    return json.dumps(record_schema(AuthEvent.DESCRIPTOR), separators=(",", ":"))


def record_schema(descriptor: Descriptor) -> Schema:
    """The Avro schema of a message type."""
    return _record(descriptor, set())


def event_schema(payload: FieldDescriptor) -> Schema:
    """The schema that the events of one type are written by: the same bytes, with less for fastavro to do.

    Avro writes the value of a union as the position of its branch, then the value. Here these are two fields,
    ``branch`` and the payload, so that no union is searched, and times are plain numbers (together a quarter
    of the time).
    """
    named: Named = set()
    fields = [_field(field, named) for field in AuthEvent.DESCRIPTOR.fields if not is_payload(field)]
    union = [{"name": "branch", "type": "long"}, {"name": PAYLOAD, "type": _value(payload, named)}]
    plain: Schema = _plain({"type": "record", **_name(AuthEvent.DESCRIPTOR), "fields": fields + union})
    return plain


def _plain(schema: Any) -> Any:
    """A schema without logical types."""
    if isinstance(schema, list):
        return [_plain(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "logicalType" in schema:
        return schema["type"]
    return {key: _plain(value) for key, value in schema.items()}


def is_nullable(field: FieldDescriptor) -> bool:
    """Whether a field's absence is written as null."""
    return field.has_presence and not catalog.rules_of(field).required


def is_payload(field: FieldDescriptor) -> bool:
    """Whether a field is a payload field of the envelope, in any version of the contract."""
    oneof = field.containing_oneof
    return oneof is not None and oneof.full_name == f"{ENVELOPE}.{PAYLOAD}"


def _record(descriptor: Descriptor, named: Named) -> Schema:
    if descriptor.full_name in named:
        return descriptor.full_name
    named.add(descriptor.full_name)
    fields = [_field(field, named) for field in descriptor.fields if not is_payload(field)]
    payloads = [_value(field, named) for field in descriptor.fields if is_payload(field)]
    if payloads:
        fields.append({"name": PAYLOAD, "type": payloads})
    return {"type": "record", **_name(descriptor), "fields": fields}


def _name(descriptor: Descriptor | EnumDescriptor) -> dict[str, str]:
    """Name and namespace apart: every Avro implementation takes them so."""
    return {"name": descriptor.name, "namespace": descriptor.full_name.rpartition(".")[0]}


def _field(field: FieldDescriptor, named: Named) -> Schema:
    value = _value(field, named)
    if is_nullable(field):
        return {"name": field.name, "type": ["null", value], "default": None}
    if field.is_repeated:
        return {"name": field.name, "type": {"type": "array", "items": value}, "default": []}
    if field.message_type:
        return {"name": field.name, "type": value}
    default = field.enum_type.values_by_number[0].name if field.enum_type else _SCALARS[scalar_kind(field)][1]
    return {"name": field.name, "type": value, "default": default}


def _value(field: FieldDescriptor, named: Named) -> Schema:
    """The schema of one value of a field."""
    if field.enum_type is not None:
        return _enum(field.enum_type, named)
    if field.message_type is None:
        return _SCALARS[scalar_kind(field)][0]
    if field.message_type.full_name == TIMESTAMP:
        return {"type": "long", "logicalType": "timestamp-micros"}
    if field.message_type.full_name == FIELD_MASK:
        return {"type": "array", "items": "string"}
    return _record(field.message_type, named)


def _enum(enum: EnumDescriptor, named: Named) -> Schema:
    if enum.full_name in named:
        return enum.full_name
    named.add(enum.full_name)
    symbols = [value.name for value in enum.values]
    return {"type": "enum", **_name(enum), "symbols": symbols, "default": enum.values_by_number[0].name}
