"""The messages and enums that a schema declares or imports, found by name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from immersiverse.auth.events.compatibility.wellknown import well_known_files

if TYPE_CHECKING:
    from collections.abc import Iterable

    from google.protobuf.descriptor_pb2 import DescriptorProto, EnumDescriptorProto, FileDescriptorProto

    from immersiverse.auth.events.compatibility.schema import Schema


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
        in_root: declared in the file under judgement, not imported.
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
        file: the file under judgement.
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
            The full name without a leading dot; the name as written where it leads nowhere.
        """
        if type_name.startswith("."):
            return type_name[1:]
        while scope:
            if self._declares(candidate := f"{scope}.{type_name}"):
                return candidate
            scope = scope.rpartition(".")[0]
        return type_name

    def _declares(self, name: str) -> bool:
        return name in self.messages or name in self.enums or name in self.map_entries


def declarations(schema: Schema) -> Declarations:
    """Index a schema once; what it costs grows with its size alone."""
    found = Declarations(schema.root)
    files = [*schema.dependencies.values(), schema.root]
    imports = {path for file in files for path in file.dependency} - schema.dependencies.keys()
    for file in (*well_known_files(imports), *schema.dependencies.values()):
        _Reader(found, file, in_root=False).read_file(Scope())
    _Reader(found, schema.root, in_root=True).read_file(found.top)
    return found


class _Reader:
    """Reads one file's declarations into the index."""

    def __init__(self, found: Declarations, file: FileDescriptorProto, *, in_root: bool) -> None:
        self._found = found
        self._file = file
        self._in_root = in_root
        self._prefix = f"{file.package}." if file.package else ""

    def read_file(self, top: Scope) -> None:
        self._read(top, "", self._file.message_type, self._file.enum_type)

    def _read(
        self,
        scope: Scope,
        outer: str,
        messages: Iterable[DescriptorProto],
        enums: Iterable[EnumDescriptorProto],
    ) -> None:
        for enum in enums:
            self._read_enum(scope, outer, enum)
        for message in messages:
            if message.options.map_entry:
                self._found.map_entries[self._prefix + outer + message.name] = message
            else:
                self._read_message(scope, outer, message)

    def _read_enum(self, scope: Scope, outer: str, enum: EnumDescriptorProto) -> None:
        local = outer + enum.name
        declared = EnumType(self._prefix + local, local, self._in_root, enum)
        scope.enums[enum.name] = self._found.enums[declared.name] = declared

    def _read_message(self, scope: Scope, outer: str, message: DescriptorProto) -> None:
        local = outer + message.name
        name = self._prefix + local
        declared = MessageType(name, local, self._in_root, self._file.syntax, message, Scope())
        scope.messages[message.name] = self._found.messages[name] = declared
        self._read(declared.nested, f"{local}.", message.nested_type, message.enum_type)
