"""What only the strict rules report: JSON names, presence, generated code, enums, reserved numbers."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

from google.protobuf.descriptor_pb2 import DescriptorProto, Edition, FieldDescriptorProto

from immersiverse.auth.events.schema_checks.kinds import ChangeKind as Kind
from immersiverse.auth.events.schema_checks.protobuf import contract_options
from immersiverse.auth.events.schema_checks.protobuf.beyond_proto3 import compare_beyond_proto3
from immersiverse.auth.events.schema_checks.protobuf.model import EnumPair, Finding, Label
from immersiverse.auth.events.schema_checks.protobuf.types import compare_values

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from google.protobuf.descriptor_pb2 import EnumDescriptorProto

    from immersiverse.auth.events.schema_checks.protobuf.model import (
        Declarations,
        EnumType,
        FieldType,
        MessagePair,
        ProtoField,
        ProtoFields,
        Scope,
        Step,
    )

# They decide into which package and class code is generated.
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
    first, now_first = next(iter(old.top.messages), ""), next(iter(new.top.messages), "")
    if first and first != now_first:
        yield Finding(Kind.FIRST_MESSAGE_CHANGED, f"#/{first}", first, now_first)
    yield from compare_beyond_proto3(old.file, new.file)
    yield from contract_options.compare_files(old, new)
    yield from _enums_without_zero(old, new)
    yield from _compare_enums(old.top, new.top)


def compare_messages(
    pair: MessagePair, old_fields: ProtoFields, new_fields: ProtoFields, old: Declarations, new: Declarations
) -> Iterator[Step]:
    """Compare what two messages promise about themselves, their fields and their own enums."""
    path = pair.old.path
    for number in sorted(old_fields.keys() & new_fields.keys()):
        before, after = old_fields[number], new_fields[number]
        for kind, was, now in _differences(before, after):
            if was != now:
                yield Finding(kind, after.path(path), was, now)
        yield from _imported_enums(before.type, after.type, old, new)
    yield from contract_options.compare_messages(path, pair, old_fields, new_fields)
    yield from _compare_reserved(path, pair.old.proto, pair.new.proto)
    yield from _compare_enums(pair.old.nested, pair.new.nested)


def compare_imported_enums(pair: EnumPair) -> Iterator[Finding]:
    """Compare two enums of other files that a field leads to."""
    yield from compare_values(pair.old, pair.new)
    yield from _compare_enum(pair.old, pair.new)


def _syntax(known: Declarations) -> str:
    edition = known.file.edition
    return Edition.Name(edition) if edition else known.file.syntax or "proto2"


# Fields: everything that does not change their bytes.


def _differences(old: ProtoField, new: ProtoField) -> Iterator[tuple[Kind, str, str]]:
    yield Kind.FIELD_TYPE_CHANGED, _written_type(old), _written_type(new)
    yield Kind.FIELD_CARDINALITY_CHANGED, _cardinality(old), _cardinality(new)
    yield Kind.FIELD_JSON_NAME_CHANGED, old.json_name, new.json_name
    yield Kind.FIELD_DEFAULT_CHANGED, old.proto.default_value, new.proto.default_value
    yield Kind.FIELD_ONEOF_CHANGED, old.oneof, new.oneof
    if old.oneof == new.oneof and _cardinality(old) == _cardinality(new) == "single":
        yield Kind.FIELD_PRESENCE_CHANGED, _presence(old), _presence(new)


def _written_type(field: ProtoField) -> str:
    """Its type; a group is another type than a message, since its bytes are."""
    return (
        f"group {field.type.name}" if field.proto.type == FieldDescriptorProto.TYPE_GROUP else field.type.name
    )


def _cardinality(field: ProtoField) -> str:
    if field.type.shape == "map":
        return "map"
    return field.label if field.label in (Label.REPEATED, Label.REQUIRED) else "single"


def _presence(field: ProtoField) -> str:
    tracked = field.label is Label.OPTIONAL or field.oneof or field.type.shape == "message"
    return "explicit presence" if tracked else "implicit presence"


# Enums.


def _imported_enums(
    old: FieldType, new: FieldType, olds: Declarations, news: Declarations
) -> Iterator[EnumPair]:
    """Enums that both files declare are compared there; an imported one is compared for the field's sake."""
    before, after = olds.enums.get(old.name), news.enums.get(new.name)
    if before and after and before.local_name == after.local_name and not (before.in_root and after.in_root):
        yield EnumPair(before, after)
    for old_part, new_part in zip(old.parts, new.parts, strict=False):
        yield from _imported_enums(old_part, new_part, olds, news)


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
    first, now_first = (next(iter(enum.proto.value), None) for enum in (old, new))
    if first and now_first and first.number != now_first.number:
        yield Finding(Kind.ENUM_DEFAULT_CHANGED, old.path, first.name, now_first.name)
    yield from _compare_reserved(old.path, old.proto, new.proto)


def _lost_aliases(old: EnumType, new: EnumType) -> Iterator[Finding]:
    """Names that JSON may hold, lost beside the one that the comparison by number looks at."""
    last = {value.number: value.name for value in old.proto.value}
    kept = {value.name for value in new.proto.value}
    for value in old.proto.value:
        if value.name not in kept and last[value.number] != value.name:
            text = f"{value.name} = {value.number}"
            yield Finding(Kind.ENUM_CONST_REMOVED, f"{old.path}/{value.number}", text)


# Reserved numbers and names, so that none comes back with another meaning.

_Range = tuple[int, int]  # both ends included


class _Numbers(NamedTuple):
    """What a message or an enum uses and what it reserves.

    Attributes:
        used: names by number; an enum's aliases count by the last.
        names: every name in use.
        reserved: reserved ranges in order, apart from each other.
        reserved_names: reserved names.
    """

    used: dict[int, str]
    names: frozenset[str]
    reserved: list[_Range]
    reserved_names: frozenset[str]


def _numbers(declared: DescriptorProto | EnumDescriptorProto) -> _Numbers:
    if isinstance(declared, DescriptorProto):
        used = [(field.number, field.name) for field in declared.field]
        ranges = [(item.start, item.end - 1) for item in declared.reserved_range]  # the end is exclusive
    else:
        used = [(value.number, value.name) for value in declared.value]
        ranges = [(item.start, item.end) for item in declared.reserved_range]
    names = frozenset(name for _, name in used)
    return _Numbers(dict(used), names, _merged(ranges), frozenset(declared.reserved_name))


def _compare_reserved(
    path: str, old: DescriptorProto | EnumDescriptorProto, new: DescriptorProto | EnumDescriptorProto
) -> Iterator[Finding]:
    """Report what was removed without being reserved, and what was reserved and no longer is."""
    before, after = _numbers(old), _numbers(new)
    yield from _not_reserved(path, before, after)
    yield from _reused(path, before, after)
    yield from _no_longer_reserved(path, before, after)


def _not_reserved(path: str, old: _Numbers, new: _Numbers) -> Iterator[Finding]:
    for number, name in old.used.items():
        if number in new.used:
            continue
        if not _covers(new.reserved, number, number):
            yield Finding(Kind.NUMBER_NOT_RESERVED, f"{path}/{number}", f"{name} = {number}")
        if name not in new.names | new.reserved_names:
            yield Finding(Kind.NAME_NOT_RESERVED, f"{path}/{number}", f"{name} = {number}")


def _reused(path: str, old: _Numbers, new: _Numbers) -> Iterator[Finding]:
    for number, name in new.used.items():
        if number not in old.used and _covers(old.reserved, number, number):
            yield Finding(Kind.RESERVED_NUMBER_REUSED, f"{path}/{number}", "reserved", f"{name} = {number}")
        if name in old.reserved_names:
            yield Finding(Kind.RESERVED_NAME_REUSED, f"{path}/{number}", "reserved", f"{name} = {number}")


def _no_longer_reserved(path: str, old: _Numbers, new: _Numbers) -> Iterator[Finding]:
    # A number that is in use again is reported as reused, not a second time as dropped.
    covered = _merged((*new.reserved, *((number, number) for number in new.used)))
    for low, high in old.reserved:
        if _covers(covered, low, high):
            continue
        text = f"reserved {low}" if low == high else f"reserved {low} to {high}"
        yield Finding(Kind.RESERVED_NUMBER_DROPPED, path, text)
    for name in sorted(old.reserved_names - new.reserved_names - new.names):
        yield Finding(Kind.RESERVED_NAME_DROPPED, path, f'reserved "{name}"')


def _merged(ranges: Iterable[_Range]) -> list[_Range]:
    merged: list[_Range] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = merged[-1][0], max(high, merged[-1][1])
        else:
            merged.append((low, high))
    return merged


def _covers(ranges: list[_Range], low: int, high: int) -> bool:
    """Whether one of some merged ranges holds a range."""
    index = bisect_right(ranges, low, key=lambda item: item[0]) - 1
    return index >= 0 and high <= ranges[index][1]
