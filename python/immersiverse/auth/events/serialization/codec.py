"""The one interface of all formats, and the formats by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

from immersiverse.auth.events.errors import ConfigurationError
from immersiverse.auth.events.serialization.avro.codec import AvroCodec
from immersiverse.auth.events.serialization.json.codec import JsonCodec
from immersiverse.auth.events.serialization.protobuf import ProtobufCodec

if TYPE_CHECKING:
    from collections.abc import Callable

    from immersiverse.auth.events.serialization.schemas import SchemaType, WriterSchema
    from immersiverse.auth.events.serialization.unknown import Reader
    from immersiverse.auth.events.v1.events_pb2 import AuthEvent

Format = Literal["protobuf", "json", "avro"]
"""What users call the formats."""


class Codec(Protocol):
    """Turns events into payloads of one format and back, without framing."""

    @property
    def name(self) -> str:
        """What users call the format, such as ``protobuf``."""
        ...

    @property
    def content_type(self) -> str:
        """Its media type."""
        ...

    @property
    def schema_type(self) -> SchemaType | None:
        """Which schemas a registry holds for it; None for a format that is written without one."""
        ...

    @property
    def indexes(self) -> tuple[int, ...] | None:
        """The message indexes of its frames; None if they have none."""
        ...

    @property
    def encode(self) -> Callable[[AuthEvent], bytes]:
        """Writes the payload of an event. Raises InvalidEvent if the format cannot hold it."""
        ...

    def reader(self, writer: WriterSchema | None, schema_id: int | str) -> Reader:
        """A reader of what a writer's schema wrote; None for a writer whose schema is not known.

        Raises:
            WrongSchema: if the schema does not describe authentication events.
        """
        ...


def codec(name: str) -> Codec:
    """The codec of a format.

    Raises:
        ConfigurationError: if there is no such format.
    """
    match name:
        case "protobuf":
            return ProtobufCodec()
        case "json":
            return JsonCodec()
        case "avro":
            return AvroCodec()
    raise ConfigurationError("format", f"no format {name!r}: choose protobuf, json or avro")


def codec_of_schema(schema_type: SchemaType) -> Codec | None:
    """The codec of what a schema of a type wrote; None if it is not read here."""
    match schema_type:
        case "PROTOBUF":
            return ProtobufCodec()
        case "AVRO":
            return AvroCodec()
    return None
