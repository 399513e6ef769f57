"""Schema ids that are known by configuration, for those who have no registry at hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from immersiverse.auth.events.errors import UnknownSchemaId
from immersiverse.auth.events.serialization.avro import schema_text
from immersiverse.auth.events.serialization.schemas import CONTRACT_FILE, SchemaId, WriterSchema

if TYPE_CHECKING:
    import uuid

    from immersiverse.auth.events.serialization.schemas import SchemaType


@dataclass(frozen=True, slots=True)
class PinnedSchemas:
    """Both seams without a registry: ids that are known by configuration.

    Protobuf frames may be of a later version of the contract: event types that it added arrive as unknown
    events, named by their numbers. Avro frames are of this version: they are read by its schema only.

    Attributes:
        protobuf: the id of Protobuf frames.
        avro: the id of Avro frames; None if there are none.
    """

    protobuf: int
    avro: int | None = None

    def schema_id(self, topic: str, schema_type: SchemaType) -> SchemaId:
        """The pinned id, whatever the topic."""
        number = self.protobuf if schema_type == "PROTOBUF" else self.avro
        if number is None:
            raise UnknownSchemaId(f"{schema_type} for {topic}")
        return SchemaId(number)

    def writer_schema(self, schema_id: int | uuid.UUID) -> WriterSchema:
        """The contract, for the pinned ids.

        Raises:
            UnknownSchemaId: for every other id.
        """
        if schema_id == self.protobuf:
            return WriterSchema("PROTOBUF", CONTRACT_FILE, assumed=True)
        if self.avro is not None and schema_id == self.avro:
            return WriterSchema("AVRO", text=schema_text())
        raise UnknownSchemaId(schema_id if isinstance(schema_id, int) else str(schema_id))
