"""The formats by name and by the type of their schemas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from immersiverse.auth.events.errors import ConfigurationError
from immersiverse.auth.events.serialization import avro, protobuf
from immersiverse.auth.events.serialization.json import framed
from immersiverse.auth.events.serialization.json.codec import write_json
from immersiverse.auth.events.serialization.wire import FIRST_MESSAGE
from immersiverse.auth.events.v1.events_pb2 import AuthEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from immersiverse.auth.events.serialization.schemas import SchemaType, WriterSchema
    from immersiverse.auth.events.serialization.unknown import Reader

    Encode = Callable[[AuthEvent], bytes]
    MakeReader = Callable[[WriterSchema | None, int | str], Reader]

Format = Literal["protobuf", "json", "avro"]
"""What users call the formats."""


@dataclass(frozen=True, slots=True)
class Codec:
    """Turns events into payloads of one format and back, without framing.

    Attributes:
        name: what users call the format.
        content_type: its media type.
        encoder: gives what writes an event's payload, and raises InvalidEvent if the format cannot hold it.
        schema_type: which schemas a registry holds for it; None for a format that is written without one.
        indexes: the message indexes of its frames; None if they have none.
    """

    name: Format
    content_type: str
    encoder: Callable[[], Encode]
    schema_type: SchemaType | None = None
    indexes: tuple[int, ...] | None = None


_CODECS: Final[Mapping[str, Codec]] = {
    codec.name: codec
    for codec in (
        # Protobuf's own method, since the envelope is the whole payload.
        Codec(
            "protobuf", "application/protobuf", lambda: AuthEvent.SerializeToString, "PROTOBUF", FIRST_MESSAGE
        ),
        Codec("json", "application/json", lambda: write_json),
        Codec("avro", "application/avro", avro.encoder, "AVRO"),
    )
}

READERS: Final[Mapping[SchemaType, MakeReader]] = {
    "PROTOBUF": protobuf.reader,
    "AVRO": avro.reader,
    "JSON": framed.reader,
}
"""What makes a reader of what a schema wrote, by the schema's type."""


def codec(name: str) -> Codec:
    """The codec of a format.

    Raises:
        ConfigurationError: if there is no such format.
    """
    found = _CODECS.get(name) if isinstance(name, str) else None  # type: ignore[redundant-expr]  # callers may be untyped
    if found is None:
        raise ConfigurationError("format", f"no format {name!r}: choose {', '.join(_CODECS)}")
    return found
