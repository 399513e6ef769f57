"""What a schema declares or imports, its fields as the rules see them, and what a comparison yields."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from google.protobuf.descriptor_pb2 import FeatureSet, FileDescriptorProto
from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Proto

from immersiverse.auth.events.descriptors import WELL_KNOWN, default_json_name
from immersiverse.auth.events.errors import InvalidSchema

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from google.protobuf.descriptor_pb2 import DescriptorProto, EnumDescriptorProto

    from immersiverse.auth.events.schema_checks.kinds import ChangeKind
    from immersiverse.auth.events.schema_checks.version import ProtoSchema

STRING_OR_BYTES: Final = "string or bytes"


@dataclass(frozen=True, slots=True)
class Scope:
    """What one file or one message declares, by short name, in the order of the file."""

    messages: dict[str, MessageType] = field(default_factory=dict)
    enums: dict[str, EnumType] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class MessageType:
    """A message: where it is declared, and what it declares.

    Attributes:
        name: full name, without a leading dot.
        local_name: the name within its package.
        in_root: declared in the file to be checked, not imported.
        syntax: of its file.
        proto: its descriptor.
        nested: the types that it declares.
    """

    name: str
    local_name: str
    in_root: bool
    syntax: str
    proto: DescriptorProto
    nested: Scope

    @property
    def path(self) -> str:
        """Where its changes are reported, such as ``#/Outer/Inner``."""
        return "#/" + self.local_name.replace(".", "/")


@dataclass(frozen=True, slots=True, eq=False)
class EnumType:
    """An enum, with the same attributes as a message."""

    name: str
    local_name: str
    in_root: bool
    proto: EnumDescriptorProto

    @property
    def path(self) -> str:
        """Where its changes are reported."""
        return "#/" + self.local_name.replace(".", "/")


@dataclass(frozen=True, slots=True)
class Declarations:
    """Everything that a schema can name.

    Attributes:
        file: the file to be checked.
        top: what that file declares at its top level.
        messages: every message of every file by full name, without map entries.
        enums: every enum of every file by full name.
        map_entries: the synthetic messages behind map fields by full name.
    """

    file: FileDescriptorProto
    top: Scope = field(default_factory=Scope)
    messages: dict[str, MessageType] = field(default_factory=dict)
    enums: dict[str, EnumType] = field(default_factory=dict)
    map_entries: dict[str, DescriptorProto] = field(default_factory=dict)

    def full_name(self, type_name: str, scope: str) -> str:
        """Resolve a type's name as the language does: a leading dot, or the innermost scope outwards.

        Returns:
            The full name without a leading dot; the name as written if there is no such type.
        """
        if type_name.startswith("."):
            return type_name[1:]
        while scope:
            candidate = f"{scope}.{type_name}"
            if candidate in self.messages or candidate in self.enums or candidate in self.map_entries:
                return candidate
            scope = scope.rpartition(".")[0]
        return type_name


def declarations(schema: ProtoSchema) -> Declarations:
    """Index a schema once; the time grows with its size alone."""
    found = Declarations(schema.root)
    files = [*schema.dependencies.values(), schema.root]
    imports = {path for file in files for path in file.dependency} - schema.dependencies.keys()
    for file in (*well_known_files(imports), *schema.dependencies.values()):
        _index(found, file, Scope(), file)
    _index(found, schema.root, found.top, schema.root)
    return found


def well_known_files(imports: Iterable[str]) -> Iterator[FileDescriptorProto]:
    """Those of the imported files that every protobuf runtime has, and what they import in turn."""
    seen: set[str] = set()
    todo = list(imports)
    while todo:
        path = todo.pop()
        if path in WELL_KNOWN and path not in seen:
            seen.add(path)
            module = import_module(f"{path.removesuffix('.proto').replace('/', '.')}_pb2")
            file = FileDescriptorProto.FromString(module.DESCRIPTOR.serialized_pb)
            todo += file.dependency
            yield file


def _index(
    found: Declarations, file: FileDescriptorProto, scope: Scope, declaring: Any, outer: str = ""
) -> None:
    """Index what a file or one of its messages declares; `outer` is the message's name with a dot."""
    in_root = file is found.file
    prefix = f"{file.package}." if file.package else ""
    for enum in declaring.enum_type:
        local = outer + enum.name
        kind = EnumType(prefix + local, local, in_root, enum)
        scope.enums[enum.name] = found.enums[kind.name] = kind
    for message in declaring.nested_type if outer else declaring.message_type:
        local = outer + message.name
        if message.options.map_entry:
            found.map_entries[prefix + local] = message
            continue
        declared = MessageType(prefix + local, local, in_root, file.syntax, message, Scope())
        scope.messages[message.name] = found.messages[prefix + local] = declared
        _index(found, file, declared.nested, message, f"{local}.")


class Label(StrEnum):
    """What is written in front of a field's type: nothing in a oneof, for a map, and often in proto3."""

    OPTIONAL = "optional"
    REQUIRED = "required"
    REPEATED = "repeated"


class FieldType(NamedTuple):
    """A field's type.

    Attributes:
        name: the scalar's keyword, or the full name of the message or enum; "map<K, V>" for a map.
        shape: the coarsest difference between types; an enum is a scalar.
        group: of a scalar or an enum: those of one group read each other's bytes (the language guide,
            "Updating A Message Type").
        parts: a map's key and value.
    """

    name: str
    shape: Literal["scalar", "message", "map"]
    group: str = ""
    parts: tuple[FieldType, ...] = ()


@dataclass(frozen=True, slots=True)
class ProtoField:
    """One field.

    Attributes:
        proto: its descriptor.
        number: its number.
        name: its name.
        type: its type.
        label: its label, if one is written.
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
        label = f"{self.label} " if self.label and self.type.shape != "map" else ""
        return f"{label}{self.type.name} {self.name} = {self.number}"

    @property
    def json_name(self) -> str:
        """The field's name in JSON."""
        return self.proto.json_name or default_json_name(self.name)

    def path(self, message: str) -> str:
        """Where its changes are reported: its number, below its oneof if it is in one."""
        return f"{message}/{self.oneof}/{self.number}" if self.oneof else f"{message}/{self.number}"


ProtoFields = dict[int, ProtoField]


def read_fields(message: MessageType, known: Declarations) -> ProtoFields:
    """A message's fields by number, in the order of the numbers.

    Raises:
        InvalidSchema: the descriptor contradicts itself.
    """
    oneofs = dict(enumerate(oneof.name for oneof in message.proto.oneof_decl))
    fields = [_read_field(proto, message, known, oneofs) for proto in message.proto.field]
    return {field.number: field for field in sorted(fields, key=lambda field: field.number)}


def _read_field(
    proto: Proto, message: MessageType, known: Declarations, oneofs: dict[int, str]
) -> ProtoField:
    in_oneof = proto.HasField("oneof_index") and not proto.proto3_optional
    if in_oneof and proto.oneof_index not in oneofs:
        raise InvalidSchema(f"field {proto.name} of {message.name} is in a oneof that is not declared")
    return ProtoField(
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
    if proto.options.features.field_presence == FeatureSet.LEGACY_REQUIRED:
        return Label.REQUIRED
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
        return FieldType(name, "scalar", "number")
    return FieldType(name, "message")


def _read_map(entry: DescriptorProto, name: str, known: Declarations) -> FieldType:
    by_number = {part.number: part for part in entry.field}
    if not by_number.keys() >= {1, 2}:
        raise InvalidSchema(f"map entry {name} lacks its key or its value")
    parts = tuple(_read_type(by_number[number], name, known) for number in (1, 2))
    return FieldType(f"map<{parts[0].name}, {parts[1].name}>", "map", parts=parts)


_GROUPS = {
    "number": ("int32", "int64", "uint32", "uint64", "bool"),
    "signed number": ("sint32", "sint64"),
    STRING_OR_BYTES: ("string", "bytes"),
    "fixed32": ("fixed32", "sfixed32"),
    "fixed64": ("fixed64", "sfixed64"),
    "float": ("float",),
    "double": ("double",),
}
_SCALARS = {
    Proto.Type.Value(f"TYPE_{name.upper()}"): FieldType(name, "scalar", group)
    for group, names in _GROUPS.items()
    for name in names
}


class Finding(NamedTuple):
    """One difference, without a verdict."""

    kind: ChangeKind
    path: str
    old: str = ""
    new: str = ""


class MessagePair(NamedTuple):
    """Two messages to be compared, and the path of the field that led to them ("" for nesting)."""

    old: MessageType
    new: MessageType
    path: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """Equal for pairs that need to be compared only once."""
        return self.old.name, self.new.name


class EnumPair(NamedTuple):
    """Two imported enums to be compared, because a field is of that type."""

    old: EnumType
    new: EnumType

    @property
    def key(self) -> tuple[str, str]:
        """As of MessagePair."""
        return self.old.name, self.new.name


Step = Finding | MessagePair | EnumPair
