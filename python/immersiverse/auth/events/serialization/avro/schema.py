"""The contract as an Avro schema, derived from its descriptors.

Source: Avro 1.12 specification. How each part is written:

    message             record of its full name, fields by their .proto names
    enum                enum with every symbol; its zero value is the default of readers that know fewer
    Timestamp           long, timestamp-micros
    FieldMask           array of strings
    oneof payload       union of the payloads, in the order of the contract
    map                 map if the keys are strings, else array of records of key and value
    uint32, uint64      long
    absence             null, for what can be absent in Protobuf and is not required by the contract

All other messages, Duration and other well-known ones too, are records of their fields.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from immersiverse.auth.events import catalog
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
    FieldDescriptor.TYPE_BOOL: ("boolean", False),
    FieldDescriptor.TYPE_BYTES: ("bytes", ""),
    FieldDescriptor.TYPE_DOUBLE: ("double", 0.0),
    FieldDescriptor.TYPE_FIXED32: ("long", 0),
    FieldDescriptor.TYPE_FIXED64: ("long", 0),
    FieldDescriptor.TYPE_FLOAT: ("float", 0.0),
    FieldDescriptor.TYPE_INT32: ("int", 0),
    FieldDescriptor.TYPE_INT64: ("long", 0),
    FieldDescriptor.TYPE_SFIXED32: ("int", 0),
    FieldDescriptor.TYPE_SFIXED64: ("long", 0),
    FieldDescriptor.TYPE_SINT32: ("int", 0),
    FieldDescriptor.TYPE_SINT64: ("long", 0),
    FieldDescriptor.TYPE_STRING: ("string", ""),
    FieldDescriptor.TYPE_UINT32: ("long", 0),
    FieldDescriptor.TYPE_UINT64: ("long", 0),
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
    union = [{"name": "branch", "type": "long"}, {"name": PAYLOAD, "type": _singular(payload, named)}]
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
    return field.has_presence and not catalog.rules_of(field).required and not _is_in_map(field)


def is_payload(field: FieldDescriptor) -> bool:
    """Whether a field is a payload field of the envelope, in any version of the contract."""
    oneof = field.containing_oneof
    return oneof is not None and oneof.full_name == f"{ENVELOPE}.{PAYLOAD}"


def map_entry(field: FieldDescriptor) -> Descriptor | None:
    """The message of key and value that a map field is made of; None for other fields."""
    entry = field.message_type
    return entry if entry is not None and entry.GetOptions().map_entry else None


def has_text_keys(entry: Descriptor) -> bool:
    """Whether a map has string keys, the only ones that Avro's maps have."""
    return entry.fields_by_name["key"].type == FieldDescriptor.TYPE_STRING


def _is_in_map(field: FieldDescriptor) -> bool:
    """Whether a field is the value of a map, which is never absent."""
    return field.containing_type is not None and field.containing_type.GetOptions().map_entry


def _record(descriptor: Descriptor, named: Named) -> Schema:
    if descriptor.full_name in named:
        return descriptor.full_name
    named.add(descriptor.full_name)
    fields = [_field(field, named) for field in descriptor.fields if not is_payload(field)]
    payloads = [_singular(field, named) for field in descriptor.fields if is_payload(field)]
    if payloads:
        fields.append({"name": PAYLOAD, "type": payloads})
    return {"type": "record", **_name(descriptor), "fields": fields}


def _name(descriptor: Descriptor | EnumDescriptor) -> dict[str, str]:
    """Name and namespace apart: every Avro implementation takes them so."""
    return {"name": descriptor.name, "namespace": descriptor.full_name.rpartition(".")[0]}


def _field(field: FieldDescriptor, named: Named) -> Schema:
    if is_nullable(field):
        return {"name": field.name, "type": ["null", _singular(field, named)], "default": None}
    if field.is_repeated:
        schema, default = _repeated(field, named)
        return {"name": field.name, "type": schema, "default": default}
    schema = {"name": field.name, "type": _singular(field, named)}
    return schema if field.message_type else {**schema, "default": _default(field)}


def _repeated(field: FieldDescriptor, named: Named) -> tuple[Schema, list[Any] | dict[str, Any]]:
    entry = map_entry(field)
    if entry is not None and has_text_keys(entry):
        return {"type": "map", "values": _singular(entry.fields_by_name["value"], named)}, {}
    return {"type": "array", "items": _singular(field, named)}, []


def _singular(field: FieldDescriptor, named: Named) -> Schema:
    if field.enum_type is not None:
        return _enum(field.enum_type, named)
    if field.message_type is None:
        return _SCALARS[field.type][0]
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


def _default(field: FieldDescriptor) -> Any:
    return field.enum_type.values_by_number[0].name if field.enum_type else _SCALARS[field.type][1]
