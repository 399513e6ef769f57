"""JSON objects to messages by proto3's mapping, with a reader compiled once per message type.

Source: the Protobuf JSON mapping (protobuf.dev, "ProtoJSON Format"). Reads what ``json_format.ParseDict`` reads
with unknown fields ignored, which a property test shows. Fields may go by their JSON or their .proto name.
"""

from __future__ import annotations

import base64
import binascii
import math
from functools import cache
from typing import TYPE_CHECKING, Any

from google.protobuf import json_format, message_factory
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from immersiverse.auth.events.errors import MalformedPayload
from immersiverse.auth.events.serialization.json_writing import WELL_KNOWN_PREFIX
from immersiverse.auth.events.serialization.timestamps import parse_duration, parse_timestamp

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.protobuf.message import Message

    Convert = Callable[[Any], Any]

_SKIP = object()
"""The value of an enum name newer than the reader: the same as if the field were absent."""

_INT32 = (-(1 << 31), (1 << 31) - 1)
_INT64 = (-(1 << 63), (1 << 63) - 1)
_UINT32 = (0, (1 << 32) - 1)
_UINT64 = (0, (1 << 64) - 1)
_MAX_FLOAT = (2 - 2**-23) * 2.0**127


@cache
def object_reader(descriptor: Descriptor) -> Callable[[Any], Message]:
    """A function from JSON objects to messages of a type; it raises MalformedPayload naming the field."""
    make = message_factory.GetMessageClass(descriptor)
    fields = {name: (f.name, _value_reader(f)) for f in descriptor.fields for name in (f.name, f.json_name)}

    def read(document: Any) -> Message:
        if type(document) is not dict:
            raise ValueError("is not an object")
        values = {}
        for key, value in document.items():
            field = fields.get(key)
            if field is None or value is None:
                continue
            name, convert = field
            try:
                converted = convert(value)
            except (ValueError, TypeError, OverflowError) as error:
                raise MalformedPayload(str(error), key) from error
            except MalformedPayload as error:
                raise MalformedPayload(error.reason, f"{key}.{error.field}") from error
            if converted is not _SKIP:
                values[name] = converted
        return make(**values)

    return read


def _value_reader(field: FieldDescriptor) -> Convert:
    if field.message_type and field.message_type.GetOptions().map_entry:
        return _map_reader(field.message_type)
    convert = _singular_reader(field)
    return _list_reader(convert) if field.is_repeated else convert


def _list_reader(convert: Convert) -> Convert:
    def read(value: Any) -> list[Any]:
        if type(value) is not list:
            raise ValueError("is not a list")
        converted = [convert(item) for item in value]
        return [item for item in converted if item is not _SKIP]

    return read


def _map_reader(entry: Descriptor) -> Convert:
    read_key = _key_reader(entry.fields_by_name["key"])
    convert = _singular_reader(entry.fields_by_name["value"])

    def read(value: Any) -> dict[Any, Any]:
        if type(value) is not dict:
            raise ValueError("is not an object")
        converted = {read_key(key): convert(item) for key, item in value.items()}
        return {key: item for key, item in converted.items() if item is not _SKIP}

    return read


def _key_reader(field: FieldDescriptor) -> Convert:
    if field.type == FieldDescriptor.TYPE_BOOL:
        return {"true": True, "false": False}.__getitem__
    return _singular_reader(field)


def _singular_reader(field: FieldDescriptor) -> Convert:
    if field.type == FieldDescriptor.TYPE_ENUM:
        return _enum_reader(field.enum_type)
    if field.message_type:
        return _message_reader(field.message_type)
    return _SCALARS[field.type]


def _enum_reader(enum: EnumDescriptor) -> Convert:
    numbers = {name: value.number for name, value in enum.values_by_name.items()}

    def read(value: Any) -> Any:
        if type(value) is str:
            number = numbers.get(value)
            if number is not None:
                return number
            return _integer_text(value, _INT32) if value.lstrip("-").isdigit() else _SKIP
        return _int32(value)

    return read


def _message_reader(descriptor: Descriptor) -> Convert:
    if descriptor.full_name in _WELL_KNOWN:
        return _WELL_KNOWN[descriptor.full_name]
    if descriptor.full_name.startswith(WELL_KNOWN_PREFIX):
        return _any_well_known(descriptor)
    # asked for at the first value, since a message type may hold itself
    return lambda document: object_reader(descriptor)(document)


def _any_well_known(descriptor: Descriptor) -> Convert:
    make = message_factory.GetMessageClass(descriptor)

    def read(value: Any) -> Message:
        try:
            return json_format.ParseDict(value, make(), ignore_unknown_fields=True)
        except (json_format.Error, AttributeError) as error:
            raise ValueError(f"is not a {descriptor.name}: {error}") from error

    return read


def _string(value: Any) -> str:
    if type(value) is str:
        return value
    raise ValueError(f"is {_kind(value)}, not a string")


def _bool(value: Any) -> bool:
    if value is True or value is False:
        return value
    raise ValueError(f"is {_kind(value)}, not true or false")


def _bytes(value: Any) -> bytes:
    text = _string(value).replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error as error:
        raise ValueError("is not base64") from error


def _integer(limits: tuple[int, int]) -> Convert:
    low, high = limits

    def read(value: Any) -> int:
        if type(value) is int and low <= value <= high:
            return value
        if type(value) is float and value.is_integer() and low <= value <= high:
            return int(value)
        if type(value) is str:
            return _integer_text(value, limits)
        if type(value) in (int, float):
            raise ValueError(f"is not a whole number from {low} to {high}")
        raise ValueError(f"is {_kind(value)}, not a whole number")

    return read


def _integer_text(text: str, limits: tuple[int, int]) -> int:
    if len(text) <= 20 and text.isascii() and text.removeprefix("-").isdigit():  # noqa: PLR2004 - 64 bits
        number = int(text)
        if limits[0] <= number <= limits[1]:
            return number
    raise ValueError(f"is not a whole number from {limits[0]} to {limits[1]}")


_NON_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def _double(value: Any) -> float:
    if type(value) in (int, float):
        return float(value)
    if type(value) is str:
        return _NON_FINITE[value] if value in _NON_FINITE else _finite_text(value)
    raise ValueError(f"is {_kind(value)}, not a number")


def _finite_text(text: str) -> float:
    number = float(text) if text.strip() == text and "_" not in text and text.isascii() else math.nan
    if not math.isfinite(number):
        raise ValueError("is not a number in a double's range")
    return number


def _float(value: Any) -> float:
    number = _double(value)
    if math.isfinite(number) and abs(number) > _MAX_FLOAT:
        raise ValueError("is not a number in a float's range")
    return number


def _timestamp(value: Any) -> dict[str, int]:
    seconds, nanos = parse_timestamp(_string(value))
    return {"seconds": seconds, "nanos": nanos}


def _duration(value: Any) -> dict[str, int]:
    seconds, nanos = parse_duration(_string(value))
    return {"seconds": seconds, "nanos": nanos}


def _kind(value: Any) -> str:
    """What a JSON value is, in JSON's words."""
    kinds = {str: "a string", bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return kinds.get(type(value), "null")


_int32 = _integer(_INT32)

_SCALARS: dict[int, Convert] = {
    FieldDescriptor.TYPE_STRING: _string,
    FieldDescriptor.TYPE_BOOL: _bool,
    FieldDescriptor.TYPE_BYTES: _bytes,
    FieldDescriptor.TYPE_DOUBLE: _double,
    FieldDescriptor.TYPE_FLOAT: _float,
    FieldDescriptor.TYPE_INT32: _int32,
    FieldDescriptor.TYPE_SINT32: _int32,
    FieldDescriptor.TYPE_SFIXED32: _int32,
    FieldDescriptor.TYPE_UINT32: _integer(_UINT32),
    FieldDescriptor.TYPE_FIXED32: _integer(_UINT32),
    FieldDescriptor.TYPE_INT64: _integer(_INT64),
    FieldDescriptor.TYPE_SINT64: _integer(_INT64),
    FieldDescriptor.TYPE_SFIXED64: _integer(_INT64),
    FieldDescriptor.TYPE_UINT64: _integer(_UINT64),
    FieldDescriptor.TYPE_FIXED64: _integer(_UINT64),
}

_WELL_KNOWN: dict[str, Convert] = {
    "google.protobuf.Timestamp": _timestamp,
    "google.protobuf.Duration": _duration,
}
