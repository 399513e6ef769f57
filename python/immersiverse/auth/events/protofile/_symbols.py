"""What files declare, by full name, and how a name is looked up from a scope."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from functools import cache
from typing import TYPE_CHECKING

from immersiverse.auth.events.protofile._names import join
from immersiverse.auth.events.protofile._wellknown import well_known

if TYPE_CHECKING:
    from collections.abc import Collection

    from google.protobuf.descriptor_pb2 import (
        DescriptorProto,
        EnumDescriptorProto,
        FieldDescriptorProto,
        FileDescriptorProto,
    )


class Kind(Enum):
    """What a full name stands for, as far as looking names up is concerned."""

    PACKAGE = auto()
    SERVICE = auto()
    MESSAGE = auto()
    ENUM = auto()
    EXTENSION = auto()


MESSAGES = frozenset({Kind.MESSAGE})
TYPES = frozenset({Kind.MESSAGE, Kind.ENUM})
EXTENSIONS = frozenset({Kind.EXTENSION})
_ENCLOSING = frozenset({Kind.PACKAGE, Kind.SERVICE, Kind.MESSAGE, Kind.ENUM})


@dataclass(frozen=True, slots=True)
class Symbols:
    """The declarations of one file, or of several together.

    Attributes:
        kinds: every full name that can be looked up.
        messages, enums: their declarations by full name.
        extensions: by full name.
        packed: the messages and extensions whose repeated numbers are packed unless they say otherwise.
    """

    kinds: dict[str, Kind] = field(default_factory=dict)
    messages: dict[str, DescriptorProto] = field(default_factory=dict)
    enums: dict[str, EnumDescriptorProto] = field(default_factory=dict)
    extensions: dict[str, FieldDescriptorProto] = field(default_factory=dict)
    packed: set[str] = field(default_factory=set)

    def include(self, other: Symbols) -> None:
        """Add another file's declarations."""
        self.kinds.update(other.kinds)
        self.messages.update(other.messages)
        self.enums.update(other.enums)
        self.extensions.update(other.extensions)
        self.packed.update(other.packed)

    def resolve(self, name: str, scope: str, wanted: Collection[Kind]) -> str | None:
        """The full name that a name means in a scope; None if it means nothing of the kinds wanted.

        The first part of the name is looked for from the innermost scope outwards; the first that encloses
        something decides (protobuf.dev, "Name Resolution").
        """
        if name.startswith("."):
            return name[1:] if self.kinds.get(name[1:]) in wanted else None
        first, _, rest = name.partition(".")
        while True:
            candidate = join(scope, first)
            kind = self.kinds.get(candidate)
            if not rest and kind in wanted:
                return candidate
            if rest and kind in _ENCLOSING:
                full_name = f"{candidate}.{rest}"
                return full_name if self.kinds.get(full_name) in wanted else None
            if not scope:
                return None
            scope = scope.rpartition(".")[0]


def symbols_of(file: FileDescriptorProto) -> Symbols:
    """The declarations of one file."""
    symbols = Symbols()
    package = file.package
    while package:
        symbols.kinds[package] = Kind.PACKAGE
        package = package.rpartition(".")[0]
    packs = file.syntax in {"proto3", "editions"}
    for message in file.message_type:
        _add_message(symbols, message, file.package, packs=packs)
    for enum in file.enum_type:
        _add_enum(symbols, enum, file.package)
    for extension in file.extension:
        _add_extension(symbols, extension, file.package, packs=packs)
    for service in file.service:
        symbols.kinds[join(file.package, service.name)] = Kind.SERVICE
    return symbols


@cache
def well_known_symbols(name: str) -> Symbols:
    """The declarations of a file that the runtime ships; the caller must not change them."""
    file = well_known(name)
    return Symbols() if file is None else symbols_of(file)


def _add_message(symbols: Symbols, message: DescriptorProto, scope: str, *, packs: bool) -> None:
    full_name = join(scope, message.name)
    symbols.kinds[full_name] = Kind.MESSAGE
    symbols.messages[full_name] = message
    if packs:
        symbols.packed.add(full_name)
    for nested in message.nested_type:
        _add_message(symbols, nested, full_name, packs=packs)
    for enum in message.enum_type:
        _add_enum(symbols, enum, full_name)
    for extension in message.extension:
        _add_extension(symbols, extension, full_name, packs=packs)


def _add_enum(symbols: Symbols, enum: EnumDescriptorProto, scope: str) -> None:
    full_name = join(scope, enum.name)
    symbols.kinds[full_name] = Kind.ENUM
    symbols.enums[full_name] = enum


def _add_extension(symbols: Symbols, extension: FieldDescriptorProto, scope: str, *, packs: bool) -> None:
    full_name = join(scope, extension.name)
    symbols.kinds[full_name] = Kind.EXTENSION
    symbols.extensions[full_name] = extension
    if packs:
        symbols.packed.add(full_name)
