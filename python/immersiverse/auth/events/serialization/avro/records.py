"""Messages to the dictionaries that fastavro takes, and back, by functions made once per message type.

Times are cut to microseconds, and an enum number that the contract does not know becomes the enum's zero,
since Avro has no place for either.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from google.protobuf import message_factory
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp

from immersiverse.auth.events.errors import InvalidEvent, MalformedPayload
from immersiverse.auth.events.serialization.avro.schema import FIELD_MASK, TIMESTAMP, is_nullable, is_payload
from immersiverse.auth.events.validation import MAX_SECONDS, MIN_SECONDS, NANOS

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.protobuf.descriptor import Descriptor, FieldDescriptor

    Convert = Callable[[Any], Any]

_UNFIT = (AttributeError, LookupError, TypeError, ValueError)


@cache
def record_writer(descriptor: Descriptor) -> Callable[[Any], dict[str, Any]]:
    """A function from messages of a type to their records, without the envelope's payload.

    It raises InvalidEvent for what Avro cannot hold: a required message that is absent, a time outside the
    years 1 to 9999.
    """
    fields = [
        (field.name, _to_avro(field), field.has_presence, is_nullable(field))
        for field in descriptor.fields
        if not is_payload(field)
    ]

    def write(message: Any) -> dict[str, Any]:
        record: dict[str, Any] = {}
        for name, convert, has_presence, nullable in fields:
            if has_presence and not message.HasField(name):
                if not nullable:
                    raise InvalidEvent(descriptor.name, name, "is required")
                record[name] = None
            else:
                value = getattr(message, name)
                record[name] = convert(value) if convert else value
        return record

    return write


def _to_avro(field: FieldDescriptor) -> Convert | None:
    """What turns what a field holds into what fastavro takes; None if that is the value itself."""
    convert = _value_to_avro(field)
    if field.is_repeated:
        return (lambda values: [convert(value) for value in values]) if convert else list
    return convert


def _value_to_avro(field: FieldDescriptor) -> Convert | None:
    if field.enum_type:
        zero = field.enum_type.values_by_number[0].name
        names = {value.number: value.name for value in reversed(field.enum_type.values)}  # aliases: the first
        return lambda number: names.get(number, zero)
    nested = field.message_type
    if nested is None:
        return None
    if nested.full_name == TIMESTAMP:
        return _microseconds(field)
    if nested.full_name == FIELD_MASK:
        return lambda mask: list(mask.paths)
    write = record_writer(nested)
    if is_nullable(field):  # with its name, so that fastavro need not search the union for it
        return lambda message: (nested.full_name, write(message))
    return write


def _microseconds(field: FieldDescriptor) -> Convert:
    def convert(time: Any) -> int:
        seconds, nanos = time.seconds, time.nanos
        if not (MIN_SECONDS <= seconds <= MAX_SECONDS and 0 <= nanos < NANOS):
            message = field.containing_type.name if field.containing_type else ""
            raise InvalidEvent(message, field.name, "is outside the years 1 to 9999")
        return seconds * 1_000_000 + nanos // 1_000  # type: ignore[no-any-return]  # whole numbers

    return convert


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


def _unfit(make: Callable[..., Any], record: dict[str, Any]) -> str:
    for name, value in record.items():
        try:
            make(**{name: value})
        except _UNFIT:
            return name
    return ""


def _from_avro(field: FieldDescriptor) -> Convert | None:
    """What turns what fastavro gives into what Protobuf's constructors take; None if that is the same."""
    nested = field.message_type
    if nested is None:
        return None
    if nested.full_name == TIMESTAMP:  # constructors take a datetime, but in protobuf 6.31 no list of them
        return (lambda values: [_timestamp(value) for value in values]) if field.is_repeated else None
    convert = _mask if nested.full_name == FIELD_MASK else record_reader(nested)
    return (lambda values: [convert(value) for value in values]) if field.is_repeated else convert


def _mask(paths: list[str]) -> FieldMask:
    return FieldMask(paths=paths)


def _timestamp(value: Any) -> Timestamp:
    time = Timestamp()
    time.FromDatetime(value)
    return time
