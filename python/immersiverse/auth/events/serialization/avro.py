"""Avro payloads: events as records of a schema that is derived from the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from immersiverse.auth.events.serialization.avro_envelope import event_reader
from immersiverse.auth.events.serialization.avro_schema import schema_text
from immersiverse.auth.events.serialization.avro_writing import record_writer
from immersiverse.auth.events.v1.events_pb2 import AuthEvent

if TYPE_CHECKING:
    from collections.abc import Callable

    from immersiverse.auth.events.serialization.codec import Reader
    from immersiverse.auth.events.serialization.schemas import SchemaType, WriterSchema

__all__ = ["AvroCodec", "schema_text"]


class AvroCodec:
    """Avro, written by this contract's schema and read through the writer's. It needs no Avro library."""

    name = "avro"
    content_type = "application/avro"
    schema_type: ClassVar[SchemaType] = "AVRO"
    indexes: ClassVar[tuple[int, ...] | None] = None

    @property
    def encode(self) -> Callable[[AuthEvent], bytes]:
        """Writes an event's record. Times are cut to microseconds, unknown enum numbers become zero."""
        return record_writer(AuthEvent.DESCRIPTOR)

    def reader(self, writer: WriterSchema | None, schema_id: int | str) -> Reader:
        """A reader of what a schema wrote, by this or another version of the contract; None for this one's.

        Raises:
            WrongSchema: if the schema is not of a record with the envelope's name and a payload.
        """
        return event_reader(writer.text if writer else schema_text(), schema_id)
