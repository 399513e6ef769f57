"""Avro payloads: events as records of a schema that is derived from the contract, by fastavro."""

from __future__ import annotations

import io
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Final

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
    from immersiverse.auth.events.serialization.schemas import SchemaType, WriterSchema
    from immersiverse.auth.events.serialization.unknown import Decoded, Reader

_PAYLOADS: Final = [field for field in AuthEvent.DESCRIPTOR.fields if is_payload(field)]
_BY_RECORD: Final = {field.message_type.full_name: field for field in _PAYLOADS if field.message_type}

# What fastavro raises for data that ends early, unknown positions in unions and enums, text that is not
# UTF-8, times and decimals out of range.
_UNREADABLE: Final = (ArithmeticError, EOFError, LookupError, RecursionError, TypeError, ValueError)


class AvroCodec:
    """Avro, written by this contract's schema and read through the writer's.

    It needs the extra ``avro``, and raises MissingExtra without it when it first writes or reads.
    """

    name = "avro"
    content_type = "application/avro"
    schema_type: ClassVar[SchemaType] = "AVRO"
    indexes: ClassVar[tuple[int, ...] | None] = None

    @property
    def encode(self) -> Callable[[AuthEvent], bytes]:
        """Writes an event's record. Times are cut to microseconds, unknown enum numbers become zero."""
        return _encoder()

    def reader(self, writer: WriterSchema | None, schema_id: int | str) -> Reader:
        """A reader of what a schema wrote, by this or another version of the contract; None for this one's.

        Raises:
            WrongSchema: if the schema is not of a record with the envelope's name and a union of payloads,
                or reading by it could do harm.
        """
        fastavro = _fastavro()
        try:
            schemas = parse_schemas(fastavro, writer.text if writer else schema_text())
        except ValueError as error:
            raise WrongSchema(schema_id, str(error)) from error
        return lambda data: _read(fastavro, schemas, data)


@cache
def _fastavro() -> ModuleType:
    try:
        import fastavro  # noqa: PLC0415 - of an extra
    except ImportError as error:
        raise MissingExtra("avro", "reading and writing Avro") from error
    return fastavro


@cache
def _encoder() -> Callable[[AuthEvent], bytes]:
    fastavro = _fastavro()
    write_envelope = record_writer(AuthEvent.DESCRIPTOR)
    kinds = {
        field.name: (branch, fastavro.parse_schema(event_schema(field)), record_writer(field.message_type))
        for branch, field in enumerate(_PAYLOADS)
        if field.message_type
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


def _read(fastavro: ModuleType, schemas: ParsedSchemas, data: bytes) -> Decoded:
    try:
        record = _record(fastavro, data, schemas.writer, schemas.reader)
    except fastavro.read.SchemaResolutionError:
        return _read_unknown(fastavro, schemas, data)
    name, payload = _payload(record)
    field = _BY_RECORD[name]
    assert field.message_type is not None  # noqa: S101 - a payload is a message
    record[field.name] = record_reader(field.message_type)(payload)
    event: AuthEvent = record_reader(AuthEvent.DESCRIPTOR)(record)
    return event


def _read_unknown(fastavro: ModuleType, schemas: ParsedSchemas, data: bytes) -> UnknownEvent:
    """An event that does not resolve to the contract: its payload by the writer's schema alone."""
    name, payload = _payload(_record(fastavro, data, schemas.writer, None))
    if name in _BY_RECORD:
        raise MalformedPayload("its writer's schema has types that do not resolve to the contract's")
    try:
        envelope = record_reader(AuthEvent.DESCRIPTOR)(
            _record(fastavro, data, schemas.writer, schemas.envelope)
        )
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
