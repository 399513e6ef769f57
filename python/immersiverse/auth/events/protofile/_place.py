"""Where fields are being declared."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto
    from google.protobuf.internal.containers import RepeatedCompositeFieldContainer

    from immersiverse.auth.events.protofile._cursor import Cursor
    from immersiverse.auth.events.protofile._draft import Draft


class ReadBody(Protocol):
    """Reads a message from its opening to its closing brace."""

    def __call__(
        self, cursor: Cursor, draft: Draft, message: DescriptorProto, scope: str, depth: int
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class Place:
    """A message, one of its oneofs, or an extend block.

    Attributes:
        fields: the list that fields join.
        nested: the list that the messages of maps and groups join.
        scope: full name of what encloses the fields, from which names are resolved.
        depth: how deep the scope is nested, in messages.
        read_body: reads a group.
        oneof: index of the oneof, if it is one.
        extendee: the extended message as written, and where, if it is an extend block.
    """

    fields: RepeatedCompositeFieldContainer[FieldDescriptorProto]
    nested: RepeatedCompositeFieldContainer[DescriptorProto]
    scope: str
    depth: int
    read_body: ReadBody
    oneof: int | None = None
    extendee: tuple[str, int] | None = None

    def within_oneof(self, index: int) -> Place:
        """The same message inside one of its oneofs."""
        return replace(self, oneof=index)
