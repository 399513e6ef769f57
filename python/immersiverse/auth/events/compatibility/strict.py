"""What the strict rules see beyond the registry's, in files, messages and enums."""

from __future__ import annotations

from typing import TYPE_CHECKING

from immersiverse.auth.events.compatibility import contract, reservations
from immersiverse.auth.events.compatibility.enums import compare_values
from immersiverse.auth.events.compatibility.findings import EnumPair, Finding, MessagePair, Step
from immersiverse.auth.events.compatibility.kinds import ChangeKind as Kind
from immersiverse.auth.events.compatibility.messages import location
from immersiverse.auth.events.compatibility.strict_fields import compare_field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from immersiverse.auth.events.compatibility.declarations import Declarations, EnumType, Scope
    from immersiverse.auth.events.compatibility.fields import Field

Fields = dict[int, "Field"]

# Where generated code lands.
_FILE_OPTIONS = (
    "java_package",
    "java_outer_classname",
    "java_multiple_files",
    "go_package",
    "csharp_namespace",
    "objc_class_prefix",
    "php_class_prefix",
    "php_namespace",
    "ruby_package",
    "swift_prefix",
)


def compare_files(old: Declarations, new: Declarations) -> Iterator[Finding]:
    """Compare what holds for two files as a whole, and the enums they declare at their top level."""
    if _syntax(old) != _syntax(new):
        yield Finding(Kind.SYNTAX_CHANGED, "#/", _syntax(old), _syntax(new))
    for option in _FILE_OPTIONS:
        before, after = getattr(old.file.options, option), getattr(new.file.options, option)
        if before != after:
            yield Finding(Kind.FILE_OPTION_CHANGED, "#/", f"{option} = {before}", f"{option} = {after}")
    yield from _compare_first_messages(old.top, new.top)
    yield from contract.compare_files(old, new)
    yield from _enums_without_zero(old, new)
    yield from _compare_enums(old.top, new.top)


def compare_messages(
    pair: MessagePair, old_fields: Fields, new_fields: Fields, old: Declarations, new: Declarations
) -> Iterator[Step]:
    """Compare what two messages promise about themselves, their fields and their own enums."""
    path = pair.old.path
    for number in sorted(old_fields.keys() & new_fields.keys()):
        before, after = old_fields[number], new_fields[number]
        yield from compare_field(location(path, after), before, after, old, new)
    yield from contract.compare_messages(path, pair, old_fields, new_fields)
    yield from reservations.compare(
        path, reservations.of_message(pair.old.proto), reservations.of_message(pair.new.proto)
    )
    yield from _compare_enums(pair.old.nested, pair.new.nested)


def compare_imported_enums(pair: EnumPair) -> Iterator[Finding]:
    """Compare two enums of other files that a field leads to."""
    yield from compare_values(pair.old, pair.new)
    yield from _compare_enum(pair.old, pair.new)


def _syntax(known: Declarations) -> str:
    return known.file.syntax or "proto2"


def _compare_first_messages(old: Scope, new: Scope) -> Iterator[Finding]:
    before, after = next(iter(old.messages), ""), next(iter(new.messages), "")
    if before and before != after:
        yield Finding(Kind.FIRST_MESSAGE_CHANGED, f"#/{before}", before, after)


def _enums_without_zero(old: Declarations, new: Declarations) -> Iterator[Finding]:
    for name, enum in new.enums.items():
        if enum.in_root and name not in old.enums and all(value.number for value in enum.proto.value):
            yield Finding(Kind.ENUM_WITHOUT_ZERO, enum.path, new=f"enum {enum.proto.name}")


def _compare_enums(old: Scope, new: Scope) -> Iterator[Finding]:
    for name, before in old.enums.items():
        if (after := new.enums.get(name)) is not None:
            yield from _compare_enum(before, after)


def _compare_enum(old: EnumType, new: EnumType) -> Iterator[Finding]:
    yield from _lost_aliases(old, new)
    yield from reservations.compare(
        old.path, reservations.of_enum(old.proto), reservations.of_enum(new.proto)
    )


def _lost_aliases(old: EnumType, new: EnumType) -> Iterator[Finding]:
    """Names that JSON may hold, lost beside the one that the comparison by number looks at."""
    last = {value.number: value.name for value in old.proto.value}
    kept = {value.name for value in new.proto.value}
    for value in old.proto.value:
        if value.name not in kept and last[value.number] != value.name:
            yield Finding(
                Kind.ENUM_CONST_REMOVED, f"{old.path}/{value.number}", f"{value.name} = {value.number}"
            )
