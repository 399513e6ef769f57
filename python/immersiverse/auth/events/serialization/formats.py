"""The formats by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from immersiverse.auth.events.serialization.avro import AvroCodec
from immersiverse.auth.events.serialization.json import JsonCodec
from immersiverse.auth.events.serialization.protobuf import ProtobufCodec

if TYPE_CHECKING:
    from immersiverse.auth.events.serialization.codec import Codec
    from immersiverse.auth.events.serialization.schemas import SchemaType

Format = Literal["protobuf", "json", "avro"]
"""What users call the formats."""


def codec(name: Format) -> Codec:
    """The codec of a format.

    Raises:
        ValueError: if there is no such format.
    """
    match name:
        case "protobuf":
            return ProtobufCodec()
        case "json":
            return JsonCodec()
        case "avro":
            return AvroCodec()
    raise ValueError(f"no format {name!r}: choose protobuf, json or avro")


def codec_of_schema(schema_type: SchemaType) -> Codec | None:
    """The codec of what a schema of a type wrote; None if it is not read here."""
    names: dict[SchemaType, Format] = {"PROTOBUF": "protobuf", "AVRO": "avro"}
    name = names.get(schema_type)
    return codec(name) if name else None
