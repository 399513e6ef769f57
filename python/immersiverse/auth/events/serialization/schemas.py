"""The seams to a schema registry: what a serializer asks before it writes, a deserializer before it reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, Protocol

from google.protobuf.descriptor_pb2 import FileDescriptorProto

from immersiverse.auth.events.errors import InvalidSchema
from immersiverse.auth.events.v1 import events_pb2

if TYPE_CHECKING:
    import uuid

    from immersiverse.auth.events.errors import AuthEventsError

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
        text: the schema as the registry gave it; of a Protobuf schema, ``.proto`` text or base64 of `file`.
            Empty for a Protobuf schema that no registry gave.
        assumed: whether the bytes may be of a later version that was not shown: a payload that this one does
            not declare may then still be one.
        incomplete: why `file` has only what it takes to verify frames (package, messages, oneofs of the first
            message): it came as .proto text, and there is no descriptor of it. None if it is whole.
    """

    schema_type: SchemaType
    file: FileDescriptorProto | None = None
    text: str = ""
    assumed: bool = False
    incomplete: AuthEventsError | None = None

    def descriptor(self) -> FileDescriptorProto:
        """The whole file.

        Raises:
            MissingExtra: it came as text, and nothing here can compile it.
            InvalidSchema: it cannot be compiled, or is not a Protobuf schema.
            RegistryRefused: the registry does not give what it imports.
        """
        if self.incomplete is not None:
            raise self.incomplete.with_traceback(None)  # which would grow with each event that is read
        if self.file is None:
            raise InvalidSchema(f"a schema of type {self.schema_type} has no descriptor")
        return self.file


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
