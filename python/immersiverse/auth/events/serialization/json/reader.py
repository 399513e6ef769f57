"""JSON objects to messages by proto3's mapping, with functions made once per message type.

Source: the Protobuf JSON mapping (protobuf.dev, "ProtoJSON Format"). Reads what ``json_format.ParseDict``
reads with unknown fields ignored, which a property test shows. Fields may go by their JSON or .proto name.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.field_mask_pb2 import FieldMask

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

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Convert = Callable[[Any], Any]
    Fill = Callable[[Any, Any], None]
    _Setter = tuple[str, Fill | None, str]  # the field, what sets it, its JSON name if this is the other

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
    setter_of = dict(_named_setters(fields)).get

    def fill(document: Any, message: Any) -> None:
        key = other = ""
        items = _object(document).items()
        try:
            for key, value in items:
                found = setter_of(key)
                if found is None:
                    continue
                name, set_field, other = found
                if other and other in document:
                    raise ValueError("is given twice, by both of its names")
                if set_field is None:
                    if type(value) is str:
                        setattr(message, name, value)
                    elif value is not None:
                        read_string(value)  # which refuses it
                elif value is not None:
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
        if field.message_type.full_name in _TIMES and not field.is_repeated:
            return _time_setter(field.name, _TIMES[field.message_type.full_name])
        return _message_setter(field.name, _message_reader(field.message_type), many=field.is_repeated)
    if field.is_repeated:
        return _list_setter(field)
    return None if field.type == FieldDescriptor.TYPE_STRING else _scalar_setter(field)


def _scalar_setter(field: FieldDescriptor) -> Fill:
    name, convert = field.name, _value_reader(field)

    def set_scalar(message: Any, value: Any) -> None:
        converted = convert(value)
        if converted is not _SKIP:
            setattr(message, name, converted)

    return set_scalar


def _list_setter(field: FieldDescriptor) -> Fill:
    name, convert = field.name, _value_reader(field)

    def extend(message: Any, value: Any) -> None:
        converted = [convert(item) for item in _list(value)]
        if _SKIP in converted:
            converted = [item for item in converted if item is not _SKIP]
        getattr(message, name).extend(converted)

    return extend


def _message_setter(name: str, fill: Fill, *, many: bool) -> Fill:
    def set_message(message: Any, value: Any) -> None:
        part = getattr(message, name)
        part.SetInParent()  # an empty one is not an absent one
        fill(value, part)

    def add(message: Any, value: Any) -> None:
        for item in _list(value):
            fill(item, getattr(message, name).add())

    return add if many else set_message


def _time_setter(name: str, read: Callable[[Any], tuple[int, int]]) -> Fill:
    """As of `_message_setter`, in half the time: there are two in most events."""

    def set_time(message: Any, value: Any) -> None:
        time = getattr(message, name)
        time.seconds, time.nanos = read(value)

    return set_time


def _message_reader(descriptor: Descriptor) -> Fill:
    if descriptor.full_name == FieldMask.DESCRIPTOR.full_name:
        return _fill_mask
    read = _TIMES.get(descriptor.full_name)
    return _time_reader(read) if read else object_reader(descriptor)


def _time_reader(read: Callable[[Any], tuple[int, int]]) -> Fill:
    def fill(value: Any, time: Any) -> None:
        time.seconds, time.nanos = read(value)

    return fill


def _object(value: Any) -> dict[str, Any]:
    if type(value) is dict:
        return value
    raise ValueError(f"is {kind(value)}, not an object")


def _list(value: Any) -> list[Any]:
    if type(value) is list:
        return value
    raise ValueError(f"is {kind(value)}, not a list")


def _value_reader(field: FieldDescriptor) -> Convert:
    """What turns JSON into one scalar or enum number of a field, or ``_SKIP``; it raises ValueError."""
    return _enum_reader(field.enum_type) if field.enum_type else scalar_reader(field)


def _enum_reader(enum: EnumDescriptor) -> Convert:
    numbers = {name: value.number for name, value in enum.values_by_name.items()}

    def read(value: Any) -> Any:
        if type(value) is str:
            number = numbers.get(value)
            return _enum_number(value) if number is None else number
        return _read_int32(value)

    return read


def _enum_number(text: str) -> Any:
    is_number = text.isascii() and text.removeprefix("-").isdigit()
    return read_integer_text(text, INT32_LIMITS) if is_number else _SKIP


def _fill_mask(value: Any, mask: FieldMask) -> None:
    try:
        mask.FromJsonString(read_string(value))
    except ValueError:  # whose text quotes the value
        raise ValueError("is not a FieldMask") from None


_read_int32 = integer_reader(INT32_LIMITS)

_TIMES: Final[dict[str, Callable[[Any], tuple[int, int]]]] = {
    "google.protobuf.Timestamp": parse_timestamp,
    "google.protobuf.Duration": parse_duration,
}
