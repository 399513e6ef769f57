"""Avro payloads: events as records of a schema that is derived from the contract, by fastavro."""

from __future__ import annotations

import io
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from immersiverse.auth.events.errors import InvalidEvent, MalformedPayload, MissingExtra, WrongSchema
from immersiverse.auth.events.serialization.avro.records import record_reader, record_writer
from immersiverse.auth.events.serialization.avro.schema import (
    PAYLOAD,
    event_schema,
    is_payload,
    schema_text,
)
from immersiverse.auth.events.serialization.avro.writer_schema import parse_schemas, payload_as_json
from immersiverse.auth.events.serialization.unknown import UnknownEvent
from immersiverse.auth.events.v1.events_pb2 import AuthEvent

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from immersiverse.auth.events.serialization.avro.writer_schema import ParsedSchemas
    from immersiverse.auth.events.serialization.schemas import WriterSchema
    from immersiverse.auth.events.serialization.unknown import Decoded, Reader

_FIELDS: Final = [field for field in AuthEvent.DESCRIPTOR.fields if is_payload(field)]
_PAYLOADS: Final = {field: field.message_type for field in _FIELDS if field.message_type}
_BY_RECORD: Final = {kind.full_name: (field.name, kind) for field, kind in _PAYLOADS.items()}

# What fastavro raises for data that ends early, unknown positions in unions and enums, text that is not
# UTF-8, times and decimals out of range.
_UNREADABLE: Final = (ArithmeticError, EOFError, LookupError, RecursionError, TypeError, ValueError)


@cache
def _fastavro() -> ModuleType:
    try:
        import fastavro  # noqa: PLC0415 - of an extra
    except ImportError as error:
        raise MissingExtra("avro", "reading and writing Avro") from error
    return fastavro


@cache
def encoder() -> Callable[[AuthEvent], bytes]:
    """What writes an event's record. Times are cut to microseconds, unknown enum numbers become zero.

    Raises:
        MissingExtra: without fastavro.
    """
    fastavro = _fastavro()
    write_envelope = record_writer(AuthEvent.DESCRIPTOR)
    kinds = {
        field.name: (branch, fastavro.parse_schema(event_schema(field)), record_writer(kind))
        for branch, (field, kind) in enumerate(_PAYLOADS.items())
    }

    def encode(event: AuthEvent) -> bytes:
        name = event.WhichOneof("payload")
        if name is None:
            raise InvalidEvent("AuthEvent", "payload", "is required")
        branch, schema, write_payload = kinds[name]
        record = write_envelope(event)
        record["branch"], record[PAYLOAD] = branch, write_payload(getattr(event, name))
        out = io.BytesIO()
        fastavro.schemaless_writer(out, schema, record)
        return out.getvalue()

    return encode


def reader(writer: WriterSchema | None, schema_id: int | str) -> Reader:
    """A reader of what a schema wrote, by this or another version of the contract; None for this one's.

    Raises:
        MissingExtra: without fastavro.
        WrongSchema: if the schema is not of a record with the envelope's name and a union of payloads, or
            reading by it could do harm.
    """
    fastavro = _fastavro()
    try:
        schemas = parse_schemas(fastavro, writer.text if writer else schema_text())
    except ValueError as error:
        raise WrongSchema(schema_id, str(error)) from error
    return lambda data: _read(fastavro, schemas, data)


def _read(fastavro: ModuleType, schemas: ParsedSchemas, data: bytes) -> Decoded:
    try:
        record = _record(fastavro, data, schemas.writer, schemas.reader)
    except fastavro.read.SchemaResolutionError:
        return _read_unknown(fastavro, schemas, data)
    name, payload = _payload(record)
    payload_field, kind = _BY_RECORD[name]
    record[payload_field] = record_reader(kind)(payload)
    event: AuthEvent = record_reader(AuthEvent.DESCRIPTOR)(record)
    return event


def _read_unknown(fastavro: ModuleType, schemas: ParsedSchemas, data: bytes) -> UnknownEvent:
    """An event that does not resolve to the contract: its payload by the writer's schema alone."""
    name, payload = _payload(_record(fastavro, data, schemas.writer, None))
    if name in _BY_RECORD:
        raise MalformedPayload("its writer's schema has types that do not resolve to the contract's")
    try:
        record = _record(fastavro, data, schemas.writer, schemas.envelope)
        envelope = record_reader(AuthEvent.DESCRIPTOR)(record)
        out = io.BytesIO()  # written again: fastavro does not say where in the data the payload was
        fastavro.schemaless_writer(out, schemas.writer_type(name), payload)
    except (*_UNREADABLE, fastavro.read.SchemaResolutionError) as error:
        raise MalformedPayload(f"cannot be read by its writer's schema ({type(error).__name__})") from None
    short_name = name.rpartition(".")[2]
    return UnknownEvent(
        short_name, envelope, out.getvalue(), "avro", lambda: payload_as_json(schemas.types, name, payload)
    )


def _record(fastavro: ModuleType, data: bytes, writer: Any, reader: Any) -> dict[str, Any]:
    """An event's record; values of unions of several named types are in pairs with the type's name."""
    source = io.BytesIO(data)
    try:
        record: dict[str, Any] = fastavro.schemaless_reader(
            source, writer, reader, return_named_type=True, return_named_type_override=True
        )
    except _UNREADABLE as error:  # whose text may quote the data
        raise MalformedPayload(f"not valid Avro of its writer's schema ({type(error).__name__})") from None
    if source.tell() != len(data):
        raise MalformedPayload(f"{len(data) - source.tell()} bytes follow the event")
    return record


def _payload(record: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    payload = record.pop(PAYLOAD)
    if type(payload) is not tuple or type(payload[1]) is not dict:
        raise MalformedPayload("the event carries no payload", PAYLOAD)
    return payload
