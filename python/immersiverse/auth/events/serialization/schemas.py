"""The seams to a schema registry: what a serializer asks before it writes, a deserializer before it reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, Protocol

from google.protobuf.descriptor_pb2 import FileDescriptorProto

from immersiverse.auth.events.errors import UnknownSchemaId
from immersiverse.auth.events.v1 import events_pb2

if TYPE_CHECKING:
    import uuid

SchemaType = Literal["PROTOBUF", "AVRO", "JSON"]
"""Schema types by the names that registries use."""


@dataclass(frozen=True, slots=True)
class SchemaId:
    """How a registry names one schema.

    Attributes:
        number: the id that frames carry, unique within one registry.
        guid: the id that headers carry, the same in every registry that knows it; None if it gives none.
    """

    number: int
    guid: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class WriterSchema:
    """The schema that bytes were written with.

    Attributes:
        schema_type: which kind of schema it is.
        file: the descriptor of a Protobuf schema; None for other types.
        text: the text of an Avro or JSON schema; empty for Protobuf.
    """

    schema_type: SchemaType
    file: FileDescriptorProto | None = None
    text: str = ""


class SchemaIds(Protocol):
    """What a serializer asks: the id under which the contract is registered for a topic."""

    def schema_id(self, topic: str, schema_type: SchemaType) -> SchemaId:
        """The id for frames on a topic.

        Raises:
            RegistryError: if it cannot be had.
        """
        ...


class WriterSchemas(Protocol):
    """What a deserializer asks: the schema behind an id."""

    def writer_schema(self, schema_id: int | uuid.UUID) -> WriterSchema:
        """The schema that a frame's number or a header's GUID names.

        Raises:
            UnknownSchemaId: if there is none.
            RegistryError: if it cannot be had.
        """
        ...


CONTRACT_FILE: Final = FileDescriptorProto.FromString(events_pb2.DESCRIPTOR.serialized_pb)
"""The contract file of this version, as registries know it."""


@dataclass(frozen=True, slots=True)
class PinnedSchemas:
    """Both seams without a registry: ids that are known by configuration, for the contract of this version.

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
        """The contract of this version, for the pinned ids."""
        if schema_id == self.protobuf:
            return WriterSchema("PROTOBUF", CONTRACT_FILE)
        if self.avro is not None and schema_id == self.avro:
            from immersiverse.auth.events.serialization import avro  # noqa: PLC0415 - needs an extra

            return WriterSchema("AVRO", text=avro.schema_text())
        raise UnknownSchemaId(schema_id if isinstance(schema_id, int) else str(schema_id))
