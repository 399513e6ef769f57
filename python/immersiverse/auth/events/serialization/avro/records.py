"""Messages to the dictionaries that fastavro takes, and back, by functions made once per message type.

Times are cut to microseconds, and an enum number that the contract does not know becomes the enum's zero,
since Avro has no place for either.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp

from immersiverse.auth.events.errors import InvalidEvent, MalformedPayload
from immersiverse.auth.events.serialization.avro.schema import (
    FIELD_MASK,
    TIMESTAMP,
    has_text_keys,
    is_nullable,
    is_payload,
    map_entry,
)
from immersiverse.auth.events.validation import MAX_SECONDS, MIN_SECONDS, NANOS

if TYPE_CHECKING:
    from collections.abc import Callable

    Convert = Callable[[Any], Any]

_MAX_LONG = (1 << 63) - 1


@cache
def record_writer(descriptor: Descriptor) -> Callable[[Any], dict[str, Any]]:
    """A function from messages of a type to their records, without the envelope's payload.

    It raises InvalidEvent for what Avro cannot hold: a required message that is absent, a time outside the
    years 1 to 9999, a number above a long's range.
    """
    fields = [(f.name, _to_avro(f), _absence(f)) for f in descriptor.fields if not is_payload(f)]

    def write(message: Any) -> dict[str, Any]:
        record: dict[str, Any] = {}
        for name, convert, absent in fields:
            if absent and not message.HasField(name):
                record[name] = absent()
            else:
                value = getattr(message, name)
                record[name] = convert(value) if convert else value
        return record

    return write


def _absence(field: FieldDescriptor) -> Callable[[], None] | None:
    """What gives the value of an absent field, or refuses it; None for fields that are never absent."""
    if not field.has_presence:
        return None
    if is_nullable(field):
        return lambda: None

    def refuse() -> None:
        raise _invalid(field, "is required")

    return refuse


def _to_avro(field: FieldDescriptor) -> Convert | None:
    """What turns what a field holds into what fastavro takes; None if that is the value itself."""
    entry, convert = map_entry(field), _one_to_avro(field)
    if entry is not None:
        return _map_to_avro(entry)
    if field.is_repeated:
        return (lambda values: [convert(value) for value in values]) if convert else list
    return convert


def _map_to_avro(entry: Descriptor) -> Convert:
    """Sorted, so that the same event gives the same bytes."""
    convert = _one_to_avro(entry.fields_by_name["value"]) or (lambda value: value)
    if has_text_keys(entry):
        return lambda values: {key: convert(values[key]) for key in sorted(values)}
    return lambda values: [{"key": key, "value": convert(values[key])} for key in sorted(values)]


def _one_to_avro(field: FieldDescriptor) -> Convert | None:
    """The same for one value of a field."""
    if field.message_type:
        return _message_to_avro(field, field.message_type)
    if field.enum_type:
        zero = field.enum_type.values_by_number[0].name
        names = {
            value.number: value.name for value in reversed(field.enum_type.values)
        }  # of aliases, the first
        return lambda number: names.get(number, zero)
    return _wide_number(field) if field.cpp_type == FieldDescriptor.CPPTYPE_UINT64 else None


def _message_to_avro(field: FieldDescriptor, nested: Descriptor) -> Convert:
    if nested.full_name == TIMESTAMP:
        return _microseconds(field)
    if nested.full_name == FIELD_MASK:
        return lambda mask: list(mask.paths)
    if is_nullable(field):  # with its name, so that fastavro need not search the union for it
        return lambda message: (nested.full_name, record_writer(nested)(message))
    return lambda message: record_writer(nested)(message)  # noqa: PLW0108 - late: a type may contain itself


def _wide_number(field: FieldDescriptor) -> Convert:
    def convert(number: int) -> int:
        if number > _MAX_LONG:
            raise _invalid(field, "is greater than Avro's long, 2^63 - 1")
        return number

    return convert


def _microseconds(field: FieldDescriptor) -> Convert:
    def convert(time: Any) -> int:
        seconds, nanos = time.seconds, time.nanos
        if not (MIN_SECONDS <= seconds <= MAX_SECONDS and 0 <= nanos < NANOS):
            raise _invalid(field, "is outside the years 1 to 9999")
        return seconds * 1_000_000 + nanos // 1_000  # type: ignore[no-any-return]  # whole numbers

    return convert


def _invalid(field: FieldDescriptor, rule: str) -> InvalidEvent:
    return InvalidEvent(field.containing_type.name if field.containing_type else "", field.name, rule)


@cache
def record_reader(descriptor: Descriptor) -> Callable[[dict[str, Any]], Any]:
    """A function from records, with the contract's fields and no others, to messages of a type.

    It raises MalformedPayload with the name of the field whose value does not fit.
    """
    fields = [(f.name, _from_avro(f)) for f in descriptor.fields if not is_payload(f)]
    converted = [(name, convert) for name, convert in fields if convert]
    make = message_factory.GetMessageClass(descriptor)

    def read(record: dict[str, Any]) -> Any:
        try:
            for name, convert in converted:
                if record.get(name) is not None:
                    record[name] = convert(record[name])
            return make(**record)
        except _UNFIT:  # whose text quotes the value
            reason = "the value does not fit the contract: another type, or out of range"
            raise MalformedPayload(reason, _unfit(make, record)) from None

    return read


_UNFIT = (AttributeError, LookupError, TypeError, ValueError)


def _unfit(make: Callable[..., Any], record: dict[str, Any]) -> str:
    for name, value in record.items():
        try:
            make(**{name: value})
        except _UNFIT:
            return name
    return ""


def _from_avro(field: FieldDescriptor) -> Convert | None:
    """What turns what fastavro gives into what Protobuf's constructors take; None if that is the same."""
    entry, convert = map_entry(field), _one_from_avro(field)
    if entry is not None:
        return _map_from_avro(entry)
    if field.is_repeated and convert:
        return lambda values: [convert(value) for value in values]
    return convert


def _map_from_avro(entry: Descriptor) -> Convert:
    convert = _one_from_avro(entry.fields_by_name["value"], in_map=True) or (lambda value: value)
    if has_text_keys(entry):
        return lambda values: {key: convert(value) for key, value in values.items()}
    return lambda entries: {each["key"]: convert(each["value"]) for each in entries}


def _one_from_avro(field: FieldDescriptor, *, in_map: bool = False) -> Convert | None:
    nested = field.message_type
    if nested is None:
        return None
    if (
        nested.full_name == TIMESTAMP
    ):  # constructors take a datetime, but for maps and, in protobuf 6.31, lists
        return _timestamp if in_map or field.is_repeated else None
    if nested.full_name == FIELD_MASK:
        return lambda paths: FieldMask(paths=paths)
    return lambda record: record_reader(nested)(record)  # noqa: PLW0108 - late: a type may contain itself


def _timestamp(value: Any) -> Timestamp:
    time = Timestamp()
    time.FromDatetime(value)
    return time
