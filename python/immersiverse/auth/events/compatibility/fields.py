"""A message's fields as the rules see them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from typing import TYPE_CHECKING, NamedTuple

from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Proto

from immersiverse.auth.events.errors import InvalidSchema

if TYPE_CHECKING:
    from google.protobuf.descriptor_pb2 import DescriptorProto

    from immersiverse.auth.events.compatibility.declarations import Declarations, MessageType


class Shape(Enum):
    """The coarsest difference between types. An enum is a scalar."""

    SCALAR = auto()
    MESSAGE = auto()
    MAP = auto()


class ScalarGroup(Enum):
    """Scalars of one group read each other's bytes (the language guide, "Updating A Message Type")."""

    GENERAL_NUMBER = auto()
    SIGNED_NUMBER = auto()
    STRING_OR_BYTES = auto()
    FIXED32 = auto()
    FIXED64 = auto()
    FLOAT = auto()
    DOUBLE = auto()


class Label(StrEnum):
    """What is written in front of a field's type: nothing in a oneof, for a map, and often in proto3."""

    OPTIONAL = "optional"
    REQUIRED = "required"
    REPEATED = "repeated"


class FieldType(NamedTuple):
    """A field's type.

    Attributes:
        name: the scalar's keyword, or the full name of the message or enum; "map<K, V>" for a map.
        group: of a scalar or an enum.
        parts: a map's key and value.
    """

    name: str
    shape: Shape
    group: ScalarGroup | None = None
    parts: tuple[FieldType, ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """One field, oneof members like all others.

    Attributes:
        oneof: the name of the oneof it is a member of, "" if none (a proto3 ``optional`` is in none).
    """

    proto: Proto
    number: int
    name: str
    type: FieldType
    label: Label | None
    oneof: str

    @property
    def text(self) -> str:
        """The field as its .proto file would say it, options left out."""
        label = f"{self.label} " if self.label and self.type.shape is not Shape.MAP else ""
        return f"{label}{self.type.name} {self.name} = {self.number}"


def read_fields(message: MessageType, known: Declarations) -> dict[int, Field]:
    """Read a message's fields, by number and in the order of the numbers.

    Raises:
        InvalidSchema: the descriptor contradicts itself.
    """
    oneofs = dict(enumerate(oneof.name for oneof in message.proto.oneof_decl))
    fields = [_read_field(proto, message, known, oneofs) for proto in message.proto.field]
    fields.sort(key=lambda field: field.number)
    return {field.number: field for field in fields}


def _read_field(proto: Proto, message: MessageType, known: Declarations, oneofs: dict[int, str]) -> Field:
    in_oneof = proto.HasField("oneof_index") and not proto.proto3_optional
    if in_oneof and proto.oneof_index not in oneofs:
        raise InvalidSchema(f"field {proto.name} of {message.name} is in a oneof that is not declared")
    return Field(
        proto,
        proto.number,
        proto.name,
        _read_type(proto, message.name, known),
        None if in_oneof else _read_label(proto, message.syntax),
        oneofs[proto.oneof_index] if in_oneof else "",
    )


def _read_label(proto: Proto, syntax: str) -> Label | None:
    if proto.label == Proto.LABEL_REPEATED:
        return Label.REPEATED
    if syntax in ("proto3", "editions"):
        return Label.OPTIONAL if proto.proto3_optional else None
    return Label.REQUIRED if proto.label == Proto.LABEL_REQUIRED else Label.OPTIONAL


def _read_type(proto: Proto, scope: str, known: Declarations) -> FieldType:
    if not proto.type_name:
        if proto.type not in _SCALARS:
            raise InvalidSchema(f"field {proto.name} of {scope} does not name its type")
        return _SCALARS[proto.type]
    name = known.full_name(proto.type_name, scope)
    if (entry := known.map_entries.get(name)) is not None:
        return _read_map(entry, name, known)
    if proto.type == Proto.TYPE_ENUM or name in known.enums:
        return FieldType(name, Shape.SCALAR, ScalarGroup.GENERAL_NUMBER)
    return FieldType(name, Shape.MESSAGE)


def _read_map(entry: DescriptorProto, name: str, known: Declarations) -> FieldType:
    by_number = {part.number: part for part in entry.field}
    if not by_number.keys() >= {1, 2}:
        raise InvalidSchema(f"map entry {name} lacks its key or its value")
    parts = tuple(_read_type(by_number[number], name, known) for number in (1, 2))
    return FieldType(f"map<{parts[0].name}, {parts[1].name}>", Shape.MAP, None, parts)


_GROUPS = {
    ScalarGroup.GENERAL_NUMBER: (
        Proto.TYPE_INT32,
        Proto.TYPE_INT64,
        Proto.TYPE_UINT32,
        Proto.TYPE_UINT64,
        Proto.TYPE_BOOL,
    ),
    ScalarGroup.SIGNED_NUMBER: (Proto.TYPE_SINT32, Proto.TYPE_SINT64),
    ScalarGroup.STRING_OR_BYTES: (Proto.TYPE_STRING, Proto.TYPE_BYTES),
    ScalarGroup.FIXED32: (Proto.TYPE_FIXED32, Proto.TYPE_SFIXED32),
    ScalarGroup.FIXED64: (Proto.TYPE_FIXED64, Proto.TYPE_SFIXED64),
    ScalarGroup.FLOAT: (Proto.TYPE_FLOAT,),
    ScalarGroup.DOUBLE: (Proto.TYPE_DOUBLE,),
}

_SCALARS = {
    number: FieldType(Proto.Type.Name(number).removeprefix("TYPE_").lower(), Shape.SCALAR, group)
    for group, numbers in _GROUPS.items()
    for number in numbers
}
