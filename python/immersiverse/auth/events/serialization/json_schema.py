"""The contract as JSON Schemas, one for each event's JSON message, derived from its descriptors.

Source: JSON Schema 2020-12; the Protobuf JSON mapping. How each part is written:

    message             object, open: events gain fields, so a receiver passes over what it does not know
    required            as the contract says of producers; of the envelope the specification's three fields
    string              string with the contract's limits, and the pattern of its form
    enum                any name or number, as events may be newer than their reader; examples are those known
    32-bit integer      integer within its range
    64-bit integer      integer, or digits in a string, which is how proto3 writes all but ``version``
    float, double       number, or the name of one that JSON cannot write, unless the contract sets limits
    bytes               string in base64
    Timestamp           string, date-time; Duration and FieldMask are strings, too
    map                 object whose other properties are its values

All other well-known messages are any JSON. Personal data is marked with its class, ``x-personal-data``.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING

from immersiverse.auth.events import catalog
from immersiverse.auth.events.serialization.json_envelope import (
    EVENT_TYPE,
    PAYLOAD,
    TIMESTAMP,
    envelope_fields,
)
from immersiverse.auth.events.serialization.json_schema_values import value_schema
from immersiverse.auth.events.serialization.json_writing import WELL_KNOWN_PREFIX
from immersiverse.auth.events.v1 import options_pb2
from immersiverse.auth.events.v1.events_pb2 import AuthEvent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from google.protobuf.descriptor import Descriptor, FieldDescriptor

    from immersiverse.auth.events.serialization.json_schema_values import JsonSchema

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
    arm = AuthEvent.DESCRIPTOR.fields_by_name[catalog.EVENT_TYPES[event_type].arm]
    return json.dumps(event_schema(arm), separators=(",", ":"))


def event_schema(arm: FieldDescriptor) -> JsonSchema:
    """The JSON Schema of the messages of one type of event.

    Args:
        arm: the field of the envelope, of this or another version of the contract, that carries the event.
    """
    envelope, payload = arm.containing_type, arm.message_type
    assert envelope is not None  # noqa: S101 - an arm is a field of the envelope
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
    if not rules.personal_data:
        return schema
    label = options_pb2.PersonalData.Name(rules.personal_data).removeprefix("PERSONAL_DATA_")
    return {**schema, "x-personal-data": label.lower()}


def _many(field: FieldDescriptor, rules: options_pb2.FieldRules, definitions: Definitions) -> JsonSchema:
    entry, noun = field.message_type, "Items"
    none = options_pb2.FieldRules()
    if entry is not None and entry.GetOptions().map_entry:
        values, noun = _one(entry.fields_by_name["value"], none, definitions), "Properties"
        schema: JsonSchema = {"type": "object", "additionalProperties": values}
    else:
        schema = {"type": "array", "items": _one(field, none, definitions)}
    if rules.required:
        schema[f"min{noun}"] = 1
    if rules.max_length:
        schema[f"max{noun}"] = rules.max_length
    return schema


def _one(field: FieldDescriptor, rules: options_pb2.FieldRules, definitions: Definitions) -> JsonSchema:
    held = field.message_type
    if held is None or held.full_name.startswith(WELL_KNOWN_PREFIX):
        return value_schema(field, rules)
    name = held.full_name.removeprefix(f"{held.file.package}.")
    if name not in definitions:
        definitions[name] = {}  # it may hold itself
        definitions[name] = _object(held, definitions)
    return {"$ref": f"#/$defs/{name}"}
