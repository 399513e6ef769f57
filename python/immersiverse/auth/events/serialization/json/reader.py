"""JSON objects to messages by proto3's mapping, with functions made once per message type.

Source: the Protobuf JSON mapping (protobuf.dev, "ProtoJSON Format"). Reads what ``json_format.ParseDict``
reads with unknown fields ignored, which a property test shows. Fields may go by their JSON or .proto name.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from immersiverse.auth.events.errors import MalformedPayload
from immersiverse.auth.events.serialization.json.scalars import (
    INT32_LIMITS,
    integer_reader,
    kind,
    read_integer_text,
    read_string,
    scalar_reader,
)
from immersiverse.auth.events.serialization.json.times import parse_duration, parse_timestamp
from immersiverse.auth.events.serialization.json.writer import WELL_KNOWN_PREFIX, contains_itself

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Convert = Callable[[Any], Any]
    Fill = Callable[[Any, Any], None]
    _Setter = tuple[str, Fill | None, str]  # the field, what sets it, its JSON name if this is the other

TAKE_NULL: Final = ("google.protobuf.Value", "google.protobuf.NullValue")
"""The types for which null is a value; for all others it means that a field is absent."""

_SKIP: Final = object()  # the value of an enum name newer than the reader: the same as if it were absent
_FAULTS: Final = (MalformedPayload, ValueError, TypeError, OverflowError)


@cache
def object_reader(descriptor: Descriptor) -> Fill:
    """A function that reads a JSON object into an empty message of a type.

    It raises MalformedPayload naming the field, or ValueError if it is not given an object.
    """
    fill = fields_reader(descriptor.fields)
    oneofs = [oneof.fields for oneof in descriptor.oneofs if len(oneof.fields) > 1]
    return _refusing_two_of_one(fill, oneofs) if oneofs else fill


def fields_reader(fields: Sequence[FieldDescriptor]) -> Fill:
    """The same for some fields of a message type; all others are ignored."""
    take_null = {field.name for field in fields if _takes_null(field)}
    setter_of = dict(_named_setters(fields)).get

    def fill(document: Any, message: Any) -> None:
        key = other = ""
        items = read_object(document).items()
        try:
            for key, value in items:
                found = setter_of(key)
                if found is None:
                    continue
                name, set_field, other = found
                if other and other in document:
                    continue  # given by both of its names: the JSON name counts
                if set_field is None:
                    if type(value) is str:
                        setattr(message, name, value)
                    elif value is not None:
                        read_string(value)  # which refuses it
                elif value is not None or name in take_null:
                    set_field(message, value)
        except _FAULTS as error:
            raise _fault(error, other or key) from error

    return fill


def _named_setters(fields: Sequence[FieldDescriptor]) -> Iterator[tuple[str, _Setter]]:
    """What sets a field, by each name that it may have in JSON."""
    for field in fields:
        set_field = _setter(field)
        if field.name != field.json_name:
            yield field.name, (field.name, set_field, field.json_name)
        yield field.json_name, (field.name, set_field, "")


def _fault(error: Exception, name: str) -> MalformedPayload:
    if isinstance(error, MalformedPayload):
        return MalformedPayload(error.reason, f"{name}.{error.field}")
    return MalformedPayload(str(error), name)


def _refusing_two_of_one(fill: Fill, oneofs: list[Sequence[FieldDescriptor]]) -> Fill:
    def refusing(document: Any, message: Any) -> None:
        fill(document, message)
        for fields in oneofs:
            found = [key for f in fields for key in {f.name, f.json_name} if document.get(key) is not None]
            if len(found) > 1:
                raise MalformedPayload(f"excludes {found[1]}: a message has one of them", found[0])

    return refusing


def _setter(field: FieldDescriptor) -> Fill | None:
    """A function that puts a JSON value into a message's field; None for strings, which need none."""
    if field.message_type:
        return _messages_setter(field, field.message_type)
    if field.is_repeated:
        return _list_setter(field)
    return None if field.type == FieldDescriptor.TYPE_STRING else _scalar_setter(field)


def _takes_null(field: FieldDescriptor) -> bool:
    held = field.message_type or field.enum_type
    return held is not None and held.full_name in TAKE_NULL and not field.is_repeated


def _scalar_setter(field: FieldDescriptor) -> Fill:
    name, convert = field.name, value_reader(field)

    def set_scalar(message: Any, value: Any) -> None:
        converted = convert(value)
        if converted is not _SKIP:
            setattr(message, name, converted)

    return set_scalar


def _list_setter(field: FieldDescriptor) -> Fill:
    name, convert = field.name, value_reader(field)

    def extend(message: Any, value: Any) -> None:
        converted = [convert(item) for item in read_list(value)]
        if _SKIP in converted:
            converted = [item for item in converted if item is not _SKIP]
        getattr(message, name).extend(converted)

    return extend


def _messages_setter(field: FieldDescriptor, held: Descriptor) -> Fill:
    name = field.name
    if held.GetOptions().map_entry:
        fill_map = _map_reader(held)
        return lambda message, value: fill_map(value, getattr(message, name))
    if held.full_name in TIMES and not field.is_repeated:
        return _time_setter(name, TIMES[held.full_name])
    fill = _message_reader(held)
    if not field.is_repeated:

        def set_message(message: Any, value: Any) -> None:
            part = getattr(message, name)
            part.SetInParent()  # an empty one is not an absent one
            fill(value, part)

        return set_message

    def add(message: Any, value: Any) -> None:
        for item in read_list(value):
            fill(item, getattr(message, name).add())

    return add


def _time_setter(name: str, read: Callable[[Any], tuple[int, int]]) -> Fill:
    def set_time(message: Any, value: Any) -> None:
        time = getattr(message, name)
        time.seconds, time.nanos = read(value)

    return set_time


def _message_reader(descriptor: Descriptor) -> Fill:
    if descriptor.full_name in TIMES:
        return _time_filler(TIMES[descriptor.full_name])
    if descriptor.full_name.startswith(WELL_KNOWN_PREFIX):
        return _fill_well_known
    if contains_itself(descriptor):  # and is being made now
        return lambda value, message: object_reader(descriptor)(value, message)  # noqa: PLW0108 - late
    return object_reader(descriptor)


def _map_reader(entry: Descriptor) -> Fill:
    """A function that reads an object into a map field, whose entries are of a type."""
    read_key, value_field = _key_reader(entry.fields_by_name["key"]), entry.fields_by_name["value"]
    if value_field.message_type:
        fill = _message_reader(value_field.message_type)

        def read_messages(document: Any, entries: Any) -> None:
            for text, item in read_object(document).items():
                fill(item, entries[read_key(text)])

        return read_messages
    convert = value_reader(value_field)

    def read(document: Any, entries: Any) -> None:
        for text, item in read_object(document).items():
            key, converted = read_key(text), convert(item)
            if converted is not _SKIP:
                entries[key] = converted

    return read


def _key_reader(field: FieldDescriptor) -> Convert:
    return _bool_key if field.type == FieldDescriptor.TYPE_BOOL else value_reader(field)


def _bool_key(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError("has a key that is neither true nor false")
    return text == "true"


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


def value_reader(field: FieldDescriptor) -> Convert:
    """What turns JSON into one scalar or enum number of a field, or ``_SKIP``; it raises ValueError."""
    return _enum_reader(field.enum_type) if field.enum_type else scalar_reader(field)


def _enum_reader(enum: EnumDescriptor) -> Convert:
    numbers = {name: value.number for name, value in enum.values_by_name.items()}
    takes_null = enum.full_name in TAKE_NULL

    def read(value: Any) -> Any:
        if type(value) is str:
            number = numbers.get(value)
            return _enum_number(value) if number is None else number
        return 0 if value is None and takes_null else _read_int32(value)

    return read


def _enum_number(text: str) -> Any:
    is_number = text.isascii() and text.removeprefix("-").isdigit()
    return read_integer_text(text, INT32_LIMITS) if is_number else _SKIP


def _time_filler(read: Callable[[Any], tuple[int, int]]) -> Fill:
    """A function that reads text into a Timestamp or Duration."""

    def fill(value: Any, message: Any) -> None:
        message.seconds, message.nanos = read(value)

    return fill


def _fill_well_known(value: Any, message: Any) -> None:
    """Read any other well-known message. Raises ValueError if the JSON is not one."""
    try:
        json_format.ParseDict(value, message, ignore_unknown_fields=True)
    except (json_format.Error, AttributeError, KeyError):  # whose text quotes the value
        raise ValueError(f"is not a {message.DESCRIPTOR.name}") from None


_read_int32 = integer_reader(INT32_LIMITS)

TIMES: Final[dict[str, Callable[[Any], tuple[int, int]]]] = {
    "google.protobuf.Timestamp": parse_timestamp,
    "google.protobuf.Duration": parse_duration,
}
"""The messages of seconds and nanoseconds, and what reads their text."""
