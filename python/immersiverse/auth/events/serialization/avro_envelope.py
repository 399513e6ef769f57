"""Avro's bytes to events: the envelope's record, and the union in it whose branch is the event's type."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn

from google.protobuf.message import DecodeError as ProtobufDecodeError

from immersiverse.auth.events import catalog
from immersiverse.auth.events.errors import MalformedPayload, WrongSchema
from immersiverse.auth.events.serialization.avro_binary import read_index
from immersiverse.auth.events.serialization.avro_reading import MessageReaders
from immersiverse.auth.events.serialization.avro_schema import ENVELOPE, PAYLOAD, is_payload
from immersiverse.auth.events.serialization.avro_types import Record, Union, parse_types
from immersiverse.auth.events.serialization.unknown import UnknownEvent
from immersiverse.auth.events.v1.events_pb2 import AuthEvent

if TYPE_CHECKING:
    from immersiverse.auth.events.serialization.avro_binary import Read
    from immersiverse.auth.events.serialization.avro_types import Type
    from immersiverse.auth.events.serialization.codec import Decoded, Reader

_FIELDS: Final = {field.name: field for field in AuthEvent.DESCRIPTOR.fields if not is_payload(field)}
_ARMS: Final = {e.full_name: AuthEvent.DESCRIPTOR.fields_by_name[e.arm] for e in catalog.EVENT_TYPES.values()}

# What reading past the end, too deep nesting, text that is no UTF-8 and numbers out of range end in.
_UNREADABLE = (
    IndexError,
    OverflowError,
    ProtobufDecodeError,
    RecursionError,
    UnicodeDecodeError,
    struct.error,
)


@dataclass(frozen=True, slots=True)
class _UnknownPayload:
    """What stands for the payload among the envelope's parts if the contract does not know its type."""

    name: str
    data: bytes
    value: Read

    def event(self, envelope: AuthEvent) -> UnknownEvent:
        short_name = self.name.rpartition(".")[2]
        return UnknownEvent(short_name, envelope, self.data, "avro", lambda: self.value(self.data, 0)[0])


def event_reader(schema: str, schema_id: int | str) -> Reader:
    """A reader of the events that a writer's schema wrote; it raises MalformedPayload and nothing else.

    Raises:
        WrongSchema: if the schema is not of a record with the envelope's name and a payload.
    """
    try:
        parts, payload_at = _part_readers(_envelope(schema, schema_id))
    except RecursionError as error:
        raise WrongSchema(schema_id, "an Avro schema of types in types too deeply") from error

    def read(data: bytes) -> Decoded:
        try:
            return _event(_read_parts(parts, data), payload_at)
        except _UNREADABLE as error:
            raise MalformedPayload(f"not valid Avro of its writer's schema: {error}") from error

    return read


def _envelope(schema: str, schema_id: int | str) -> Record:
    try:
        found = parse_types(schema)
    except ValueError as error:
        raise WrongSchema(schema_id, f"an Avro schema that cannot be understood ({error})") from error
    if not isinstance(found, Record):
        raise WrongSchema(schema_id, f"an Avro {type(found).__name__.lower()}")
    if found.name != ENVELOPE:
        raise WrongSchema(schema_id, f"record {found.name}")
    if PAYLOAD not in [field.name for field in found.fields]:
        raise WrongSchema(schema_id, f"record {found.name} without a {PAYLOAD}")
    return found


def _part_readers(envelope: Record) -> tuple[list[Read], int]:
    """The readers of the envelope's fields, and which one is the payload's."""
    readers = MessageReaders()
    parts = [
        _payload(field.type, readers)
        if field.name == PAYLOAD
        else readers.part(field.type, _FIELDS.get(field.name))
        for field in envelope.fields
    ]
    return parts, [field.name for field in envelope.fields].index(PAYLOAD)


def _payload(kind: Type, readers: MessageReaders) -> Read:
    match kind:
        case Union(kinds):
            branches = [_payload(branch, readers) for branch in kinds]
            return lambda data, at: _branch(data, at, branches)
        case Record(name) if name in _ARMS:
            return readers.delimited(kind, _ARMS[name])
        case Record(name):
            return _unknown(name, readers.values.reader(kind))
    return _no_payload


def _branch(data: bytes, at: int, branches: list[Read]) -> tuple[Any, int]:
    index, at = read_index(data, at, len(branches))
    return branches[index](data, at)


def _unknown(name: str, value: Read) -> Read:
    def read(data: bytes, at: int) -> tuple[_UnknownPayload, int]:
        _, end = value(data, at)
        return _UnknownPayload(name, data[at:end], value), end

    return read


def _no_payload(_: bytes, __: int) -> NoReturn:
    raise MalformedPayload("the event carries no payload", PAYLOAD)


def _read_parts(readers: list[Read], data: bytes) -> list[Any]:
    parts, at = [], 0
    for read in readers:
        part, at = read(data, at)
        parts.append(part)
    if at != len(data):
        raise MalformedPayload(f"{len(data) - at} bytes follow the event")
    return parts


def _event(parts: list[Any], payload_at: int) -> Decoded:
    payload = parts[payload_at]
    if not isinstance(payload, _UnknownPayload):
        return AuthEvent.FromString(b"".join(parts))
    parts[payload_at] = b""
    return payload.event(AuthEvent.FromString(b"".join(parts)))
