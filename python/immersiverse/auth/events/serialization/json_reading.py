"""JSON objects to messages by proto3's mapping, with a reader compiled once per message type.

Source: the Protobuf JSON mapping (protobuf.dev, "ProtoJSON Format"). Reads what ``json_format.ParseDict``
reads with unknown fields ignored, which a property test shows. Fields may go by their JSON or .proto name.
"""

from __future__ import annotations

import keyword
from functools import cache
from typing import TYPE_CHECKING, Any

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from immersiverse.auth.events.errors import MalformedPayload
from immersiverse.auth.events.serialization.json_scalars import (
    INT32_LIMITS,
    integer_reader,
    kind,
    read_integer_text,
    read_string,
    scalar_reader,
)
from immersiverse.auth.events.serialization.json_writing import WELL_KNOWN_PREFIX, holds_itself
from immersiverse.auth.events.serialization.timestamps import parse_duration, parse_timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Convert = Callable[[Any], Any]
    Namespace = dict[str, Any]
    Fill = Callable[[Any, Any], None]

_SKIP = object()
"""The value of an enum name newer than the reader: the same as if the field were absent."""

_TAKE_NULL = ("google.protobuf.Value", "google.protobuf.NullValue")
_FAULTS = (MalformedPayload, ValueError, TypeError, OverflowError)


@cache
def object_reader(descriptor: Descriptor) -> Fill:
    """A function that reads a JSON object into an empty message of a type.

    It raises MalformedPayload naming the field, or ValueError if it is given no object.
    """
    fill = fields_reader(descriptor.fields)
    oneofs = [oneof.fields for oneof in descriptor.oneofs if len(oneof.fields) > 1]
    return _refusing_two_of_one(fill, oneofs) if oneofs else fill


def fields_reader(fields: Iterable[FieldDescriptor]) -> Fill:
    """The same for some fields of a message type; all others are ignored."""
    names: Namespace = {"FAULTS": _FAULTS, "SKIP": _SKIP, "fault": _fault, "object": _object}
    lines = [
        "def fill(document, message):",
        "    get = object(document).get",
        "    try:",
        *(f"        {line}" for field in fields for line in _source(field, names)),
        "        return",
        "    except FAULTS as error:",
        "        raise fault(error, key) from error",
    ]
    exec("\n".join(lines), names)  # noqa: S102 - source made of our own descriptors' identifiers
    return names["fill"]  # type: ignore[no-any-return]  # what the source defines


def _source(field: FieldDescriptor, names: Namespace) -> list[str]:
    """Python that reads one field: straight-line code takes two thirds of the time of a loop over keys, and
    setting fields three quarters of the time of a constructor.
    """  # noqa: D205 - one sentence, two lines
    key = repr(field.json_name)
    lines = [f"value = get({key})"]
    if field.json_name != field.name:
        lines.append(f"if value is None: value = get({field.name!r})")
    if field.type == FieldDescriptor.TYPE_STRING and not field.is_repeated:
        names["read_string"] = read_string
        refuse = f"elif value is not None: key = {key}; read_string(value)"
        return [*lines, f"if type(value) is str: {_set(field)}", refuse]
    is_set = f"{key} in document or {field.name!r} in document" if _takes_null(field) else "value is not None"
    return [*lines, f"if {is_set}:", f"    key = {key}", *(f"    {line}" for line in _reading(field, names))]


def _reading(field: FieldDescriptor, names: Namespace) -> list[str]:
    """Python that puts `value`, which is JSON, into the field; what it refers to goes into `names`."""
    read = f"read_{field.number}"
    if field.message_type is None:
        convert = _scalar_reader(field)
        names[read] = _list_reader(convert) if field.is_repeated else convert
        if field.is_repeated:
            return [f"{_get(field)}.extend({read}(value))"]
        return [f"value = {read}(value)", f"if value is not SKIP: {_set(field)}"]
    if field.is_repeated:
        is_map = field.message_type.GetOptions().map_entry
        names[read] = _map_reader(field.message_type) if is_map else _messages_reader(field.message_type)
        return [f"{read}(value, {_get(field)})"]
    if field.message_type.full_name in _TIMES:
        names[read] = _TIMES[field.message_type.full_name]
        return [f"time = {_get(field)}", f"time.seconds, time.nanos = {read}(value)"]
    names[read] = _message_reader(field.message_type)
    return [f"part = {_get(field)}", "part.SetInParent()", f"{read}(value, part)"]


def _get(field: FieldDescriptor) -> str:
    return f"getattr(message, {field.name!r})" if keyword.iskeyword(field.name) else f"message.{field.name}"


def _set(field: FieldDescriptor) -> str:
    if keyword.iskeyword(field.name):
        return f"setattr(message, {field.name!r}, value)"
    return f"message.{field.name} = value"


def _fault(error: Exception, key: str) -> MalformedPayload:
    if isinstance(error, MalformedPayload):
        return MalformedPayload(error.reason, f"{key}.{error.field}")
    return MalformedPayload(str(error), key)


def _object(value: Any) -> dict[str, Any]:
    if type(value) is dict:
        return value
    raise ValueError(f"is {kind(value)}, not an object")


def _list(value: Any) -> list[Any]:
    if type(value) is list:
        return value
    raise ValueError(f"is {kind(value)}, not a list")


def _takes_null(field: FieldDescriptor) -> bool:
    """Null says that a field is absent, but for the types that have a null themselves."""
    held = field.message_type or field.enum_type
    return held is not None and held.full_name in _TAKE_NULL and not field.is_repeated


def _refusing_two_of_one(fill: Fill, oneofs: list[Sequence[FieldDescriptor]]) -> Fill:
    def refusing(document: Any, message: Any) -> None:
        fill(document, message)
        for fields in oneofs:
            found = [key for f in fields for key in {f.name, f.json_name} if document.get(key) is not None]
            if len(found) > 1:
                raise MalformedPayload(f"excludes {found[1]}: a message has one of them", found[0])

    return refusing


def _list_reader(convert: Convert) -> Convert:
    def read(value: Any) -> list[Any]:
        converted = [convert(item) for item in _list(value)]
        return [item for item in converted if item is not _SKIP] if _SKIP in converted else converted

    return read


def _messages_reader(descriptor: Descriptor) -> Fill:
    fill = _message_reader(descriptor)

    def read(value: Any, messages: Any) -> None:
        for item in _list(value):
            fill(item, messages.add())

    return read


def _map_reader(entry: Descriptor) -> Fill:
    read_key = _key_reader(entry.fields_by_name["key"])
    value = entry.fields_by_name["value"]
    if value.message_type:
        fill = _message_reader(value.message_type)

        def read_messages(document: Any, entries: Any) -> None:
            for text, item in _object(document).items():
                fill(item, entries[read_key(text)])

        return read_messages
    convert = _scalar_reader(value)

    def read(document: Any, entries: Any) -> None:
        for text, item in _object(document).items():
            key, converted = read_key(text), convert(item)
            if converted is not _SKIP:
                entries[key] = converted

    return read


def _key_reader(field: FieldDescriptor) -> Convert:
    return _bool_key if field.type == FieldDescriptor.TYPE_BOOL else _scalar_reader(field)


def _bool_key(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError("has a key that is neither true nor false")
    return text == "true"


def _scalar_reader(field: FieldDescriptor) -> Convert:
    return _enum_reader(field.enum_type) if field.enum_type else scalar_reader(field)


def _enum_reader(enum: EnumDescriptor) -> Convert:
    numbers: dict[Any, int] = {name: value.number for name, value in enum.values_by_name.items()}
    if enum.full_name in _TAKE_NULL:
        numbers[None] = 0

    def read(value: Any) -> Any:
        try:
            return numbers[value]
        except (KeyError, TypeError):
            return _enum_number(value)

    return read


def _enum_number(value: Any) -> Any:
    if type(value) is not str:
        return _read_int32(value)
    is_number = value.isascii() and value.removeprefix("-").isdigit()
    return read_integer_text(value, INT32_LIMITS) if is_number else _SKIP


def _message_reader(descriptor: Descriptor) -> Fill:
    if descriptor.full_name in _TIMES:
        return _time_reader(_TIMES[descriptor.full_name])
    if descriptor.full_name.startswith(WELL_KNOWN_PREFIX):
        return _fill_well_known
    if holds_itself(descriptor):
        return _later(descriptor)
    return object_reader(descriptor)


def _later(descriptor: Descriptor) -> Fill:
    """The reader of a type that is being compiled and holds itself."""

    def fill(document: Any, message: Any) -> None:
        object_reader(descriptor)(document, message)

    return fill


def _time_reader(read: Callable[[Any], tuple[int, int]]) -> Fill:
    def fill(value: Any, message: Any) -> None:
        message.seconds, message.nanos = read(value)

    return fill


def _fill_well_known(value: Any, message: Any) -> None:
    try:
        json_format.ParseDict(value, message, ignore_unknown_fields=True)
    except (json_format.Error, AttributeError, KeyError) as error:
        raise ValueError(f"is not a {message.DESCRIPTOR.name}: {error}") from error


_read_int32 = integer_reader(INT32_LIMITS)

_TIMES: dict[str, Callable[[Any], tuple[int, int]]] = {
    "google.protobuf.Timestamp": parse_timestamp,
    "google.protobuf.Duration": parse_duration,
}
