"""The interface to a registry: what a serializer asks before it writes, a deserializer before it reads.

``PinnedSchemas`` implements it without a registry.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, Protocol

from immersiverse.auth.events.catalog import CONTRACT_FILE
from immersiverse.auth.events.errors import (
    ConfigurationError,
    InvalidSchema,
    RegistryRefused,
    UnknownSchemaId,
)
from immersiverse.auth.events.serialization.avro.schema import schema_text

if TYPE_CHECKING:
    import uuid

    from google.protobuf.descriptor_pb2 import FileDescriptorProto

    from immersiverse.auth.events.errors import AuthEventsError

SchemaType = Literal["PROTOBUF", "AVRO", "JSON"]
"""Schema types by the names that registries use."""

MAX_SCHEMA_ID: Final = 0xFFFF_FFFF
"""A frame has four bytes for the id."""


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
        assumed: whether the schema was assumed, not fetched: the bytes may be of a later version, with
            payload fields that this one does not declare.
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
        """The id for frames on a topic. Raises RegistryError if it cannot be had."""
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


@dataclass(frozen=True, slots=True)
class PinnedSchemas:
    """Schema ids that are set in configuration, for programs without a registry.

    Protobuf frames may be of a later version of the contract: event types that it added arrive as unknown
    events, named by their numbers. Avro frames are of this version: they are read by its schema only.

    Attributes:
        protobuf: the id of Protobuf frames.
        avro: the id of Avro frames; None if there are none.

    Raises:
        ConfigurationError: if an id does not fit into a frame's 32 bits.
    """

    protobuf: int
    avro: int | None = None

    def __post_init__(self) -> None:
        for name, number in (("protobuf", self.protobuf), ("avro", self.avro)):
            if number is None and name == "avro":
                continue
            if type(number) is not int or not 0 <= number <= MAX_SCHEMA_ID:
                raise ConfigurationError(
                    name, f"a schema id is a number from 0 to {MAX_SCHEMA_ID}, not {number!r}"
                )

    def schema_id(self, topic: str, schema_type: SchemaType) -> SchemaId:  # noqa: ARG002 - one for all topics
        """The pinned id, whatever the topic. Raises RegistryRefused if none is pinned for the type."""
        number = self.protobuf if schema_type == "PROTOBUF" else self.avro if schema_type == "AVRO" else None
        if number is None:
            raise RegistryRefused(f"PinnedSchemas has no id for {schema_type}: give it one", 0)
        return SchemaId(number)

    def writer_schema(self, schema_id: int | uuid.UUID) -> WriterSchema:
        """The contract, for the pinned ids; UnknownSchemaId for every other."""
        if schema_id == self.protobuf:
            return WriterSchema("PROTOBUF", CONTRACT_FILE, assumed=True)
        if self.avro is not None and schema_id == self.avro:
            return WriterSchema("AVRO", text=schema_text())
        raise UnknownSchemaId(schema_id if isinstance(schema_id, int) else str(schema_id))
