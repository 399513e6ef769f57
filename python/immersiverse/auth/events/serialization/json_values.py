"""JSON to what a field holds: lists, maps, enum numbers, times, well-known messages.

Source: the Protobuf JSON mapping (protobuf.dev, "ProtoJSON Format").
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from immersiverse.auth.events.serialization.json_scalars import (
    INT32_LIMITS,
    integer_reader,
    kind,
    read_integer_text,
    scalar_reader,
)
from immersiverse.auth.events.serialization.timestamps import parse_duration, parse_timestamp

if TYPE_CHECKING:
    from collections.abc import Callable

    Convert = Callable[[Any], Any]
    Fill = Callable[[Any, Any], None]

SKIP: Final = object()
"""The value of an enum name newer than the reader: the same as if the field were absent."""

TAKE_NULL: Final = ("google.protobuf.Value", "google.protobuf.NullValue")
"""The types for which null is a value; for all others it says that a field is absent."""


def read_object(value: Any) -> dict[str, Any]:
    """A JSON object. Raises ValueError for anything else."""
    if type(value) is dict:
        return value
    raise ValueError(f"is {kind(value)}, not an object")


def read_list(value: Any) -> list[Any]:
    """A JSON list. Raises ValueError for anything else."""
    if type(value) is list:
        return value
    raise ValueError(f"is {kind(value)}, not a list")


def list_reader(convert: Convert) -> Convert:
    """A function from lists to lists of what `convert` makes of their items."""

    def read(value: Any) -> list[Any]:
        converted = [convert(item) for item in read_list(value)]
        return [item for item in converted if item is not SKIP] if SKIP in converted else converted

    return read


def messages_reader(fill: Fill) -> Fill:
    """A function that adds a message for each item of a list."""

    def read(value: Any, messages: Any) -> None:
        for item in read_list(value):
            fill(item, messages.add())

    return read


def map_reader(entry: Descriptor, message_reader: Callable[[Descriptor], Fill]) -> Fill:
    """A function that reads an object into a map field, whose entries are of a type."""
    read_key = _key_reader(entry.fields_by_name["key"])
    value = entry.fields_by_name["value"]
    if value.message_type:
        fill = message_reader(value.message_type)

        def read_messages(document: Any, entries: Any) -> None:
            for text, item in read_object(document).items():
                fill(item, entries[read_key(text)])

        return read_messages
    convert = value_reader(value)

    def read(document: Any, entries: Any) -> None:
        for text, item in read_object(document).items():
            key, converted = read_key(text), convert(item)
            if converted is not SKIP:
                entries[key] = converted

    return read


def _key_reader(field: FieldDescriptor) -> Convert:
    return _bool_key if field.type == FieldDescriptor.TYPE_BOOL else value_reader(field)


def _bool_key(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError("has a key that is neither true nor false")
    return text == "true"


def value_reader(field: FieldDescriptor) -> Convert:
    """What turns JSON into one scalar or enum number of a field, or SKIP; it raises ValueError."""
    return _enum_reader(field.enum_type) if field.enum_type else scalar_reader(field)


def _enum_reader(enum: EnumDescriptor) -> Convert:
    numbers: dict[Any, int] = {name: value.number for name, value in enum.values_by_name.items()}
    if enum.full_name in TAKE_NULL:
        numbers[None] = 0

    def read(value: Any) -> Any:
        with suppress(KeyError, TypeError):
            return numbers[value]
        return _enum_number(value)  # outside, or its error would name the other, which quotes the value

    return read


def _enum_number(value: Any) -> Any:
    if type(value) is not str:
        return _read_int32(value)
    is_number = value.isascii() and value.removeprefix("-").isdigit()
    return read_integer_text(value, INT32_LIMITS) if is_number else SKIP


def time_filler(read: Callable[[Any], tuple[int, int]]) -> Fill:
    """A function that reads text into a Timestamp or Duration."""

    def fill(value: Any, message: Any) -> None:
        message.seconds, message.nanos = read(value)

    return fill


def fill_well_known(value: Any, message: Any) -> None:
    """Read any other well-known message. Raises ValueError if the JSON is none."""
    try:
        json_format.ParseDict(value, message, ignore_unknown_fields=True)
    except (json_format.Error, AttributeError, KeyError):  # whose words quote the value
        raise ValueError(f"is not a {message.DESCRIPTOR.name}") from None


_read_int32 = integer_reader(INT32_LIMITS)

TIMES: Final[dict[str, Callable[[Any], tuple[int, int]]]] = {
    "google.protobuf.Timestamp": parse_timestamp,
    "google.protobuf.Duration": parse_duration,
}
"""The messages of seconds and nanoseconds, and what reads their text."""
