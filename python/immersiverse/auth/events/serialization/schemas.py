"""The seams to a schema registry: what a serializer asks before it writes, a deserializer before it reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, Protocol

from google.protobuf.descriptor_pb2 import FileDescriptorProto

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
        assumed: whether the bytes may be of a later version that nobody showed: a payload that this one does
            not declare may then still be one.
    """

    schema_type: SchemaType
    file: FileDescriptorProto | None = None
    text: str = ""
    assumed: bool = False


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
