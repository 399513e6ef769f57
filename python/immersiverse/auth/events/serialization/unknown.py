"""What decoding gives: an event of the contract, or one of a type that this version does not know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from immersiverse.auth.events.v1.events_pb2 import AuthEvent


@dataclass(frozen=True, slots=True)
class UnknownEvent:
    """An event whose type is newer than the reader, or foreign to it: not an error.

    Attributes:
        event_type: its short name, such as ``DeviceTrusted``; ``#200``, by the number of its field in the
            envelope, if no registry can name it.
        envelope: what every event has (id, time, source, version, actor), without a payload.
        payload: the payload's own bytes, in the format that it was written in.
        format: that format: ``protobuf``, ``json`` or ``avro``.
    """

    event_type: str
    envelope: AuthEvent
    payload: bytes
    format: str
    _read: Callable[[], dict[str, Any]] = field(repr=False, compare=False)

    def read(self) -> dict[str, Any]:
        """The payload through its writer's schema, in its JSON form.

        Raises:
            DecodeError: if no schema describes it, or it does not fit.
            MissingExtra: if the registry gave the schema as .proto text only, and there is no grpcio-tools to
                compile it.
        """
        return self._read()


Decoded = AuthEvent | UnknownEvent
"""What decoding gives: an event of the contract, or one whose type it does not know."""

Reader = Callable[[bytes], Decoded]
"""Reads payloads of one writer's schema. Raises DecodeError and nothing else."""
