"""The one interface of all formats."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from immersiverse.auth.events.serialization.unknown import UnknownEvent
from immersiverse.auth.events.v1.events_pb2 import AuthEvent

if TYPE_CHECKING:
    from immersiverse.auth.events.serialization.schemas import SchemaType, WriterSchema

Decoded = AuthEvent | UnknownEvent
"""What reading gives: an event of the contract, or one whose type it does not know."""

Reader = Callable[[bytes], Decoded]
"""Reads payloads of one writer's schema. Raises DecodeError and nothing else."""


class Codec(Protocol):
    """Turns events into payloads of one format and back; framing is not its business."""

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
