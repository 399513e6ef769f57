"""What the grammar leaves behind: a descriptor whose names and options still mean nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from google.protobuf.descriptor_pb2 import FileDescriptorProto

if TYPE_CHECKING:
    from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto
    from google.protobuf.message import Message

    from immersiverse.auth.events.protofile._cursor import Cursor

INT32_MAX = 2**31 - 1
MAX_FIELD_NUMBER = 2**29 - 1


class Scalar(NamedTuple):
    """An option's value of one token: ``kind`` is the token's, ``data`` the bytes of a string."""

    kind: str
    text: str
    data: bytes
    negative: bool
    offset: int


class Aggregate(NamedTuple):
    """An option's value in braces."""

    fields: list[AggregateField]
    offset: int


class AggregateField(NamedTuple):
    """One ``name: value`` in braces, or many values; ``domain`` is what precedes the slash of an Any."""

    name: str
    is_extension: bool
    domain: str
    values: list[Scalar | Aggregate]
    is_list: bool
    offset: int


class NamePart(NamedTuple):
    """One part of an option's dotted name."""

    name: str
    is_extension: bool


class Option(NamedTuple):
    """An option as written."""

    path: list[NamePart]
    value: Scalar | Aggregate
    offset: int


class Reference(NamedTuple):
    """A name in an element's attribute that is to be resolved from a scope."""

    element: Any
    attribute: str
    name: str
    scope: str
    offset: int


class OptionBlock(NamedTuple):
    """The options of one element; extensions are looked up from a scope."""

    element: Message
    scope: str
    options: list[Option]


@dataclass(slots=True)
class Draft:
    """A file that is being read.

    Attributes:
        file: the descriptor, without what the lists below still hold.
        references, blocks: names and options as written.
        maps: map fields and the messages of their entries.
        imports: the paths of the imports.
        places: where each full name is declared.
    """

    file: FileDescriptorProto = field(default_factory=FileDescriptorProto)
    references: list[Reference] = field(default_factory=list)
    blocks: list[OptionBlock] = field(default_factory=list)
    maps: list[tuple[FieldDescriptorProto, DescriptorProto]] = field(default_factory=list)

    imports: set[str] = field(default_factory=set)
    places: dict[str, int] = field(default_factory=dict)

    @property
    def syntax(self) -> str:
        """``proto2``, ``proto3`` or ``editions``."""
        return self.file.syntax or "proto2"

    def declare(self, cursor: Cursor, full_name: str, offset: int | None = None) -> None:
        """Take note of a declaration whose name was just read, or follows from what stands at an offset.

        Raises:
            InvalidSchema: the name is declared already.
        """
        place = cursor.taken_offset if offset is None else offset
        if self.places.setdefault(full_name, place) != place:
            cursor.fail(f"expected another name, {full_name} is declared already", place)
