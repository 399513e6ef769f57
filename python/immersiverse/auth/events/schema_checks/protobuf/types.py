"""Two versions of a message's fields and oneofs, and of enums, by the registry's rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from immersiverse.auth.events.schema_checks.kinds import ChangeKind as Kind
from immersiverse.auth.events.schema_checks.protobuf.model import STRING_OR_BYTES, Finding, Label, MessagePair

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from immersiverse.auth.events.schema_checks.protobuf.model import (
        Declarations,
        EnumType,
        FieldType,
        ProtoField,
        ProtoFields,
        Step,
    )


def compare_fields(
    path: str, old_fields: ProtoFields, new_fields: ProtoFields, old: Declarations, new: Declarations
) -> Iterator[Step]:
    """Compare two messages' fields by number, wherever in the message a field stands."""
    yield from _compare_oneofs(path, old_fields, new_fields)
    emptied = _emptied_oneofs(old_fields, new_fields)
    for number in sorted(old_fields.keys() | new_fields.keys()):
        before, after = old_fields.get(number), new_fields.get(number)
        if before and after:
            yield from _compare_field(path, before, after, old, new)
        elif before and before.oneof not in emptied:
            kind = _kind(before, Kind.FIELD_REMOVED, Kind.ONEOF_FIELD_REMOVED, Kind.REQUIRED_FIELD_REMOVED)
            yield Finding(kind, before.path(path), old=before.text)
        elif after:
            kind = _kind(after, Kind.FIELD_ADDED, Kind.ONEOF_FIELD_ADDED, Kind.REQUIRED_FIELD_ADDED)
            yield Finding(kind, after.path(path), new=after.text)


def compare_enums(prefix: str, old: Mapping[str, EnumType], new: Mapping[str, EnumType]) -> Iterator[Finding]:
    """Compare the enums that two files, or two messages, declare by the same names."""
    for name, before in old.items():
        if (after := new.get(name)) is None:
            yield Finding(Kind.ENUM_REMOVED, prefix + name, old=f"enum {name}")
        else:
            yield from compare_values(before, after)
    for name in new:
        if name not in old:
            yield Finding(Kind.ENUM_ADDED, prefix + name, new=f"enum {name}")


def compare_values(old: EnumType, new: EnumType) -> Iterator[Finding]:
    """Compare two enums' values. Of aliases, the last named counts, as for the registry."""
    before = {value.number: value.name for value in old.proto.value}
    after = {value.number: value.name for value in new.proto.value}
    for number in sorted(before.keys() | after.keys()):
        path, was, now = f"{old.path}/{number}", before.get(number), after.get(number)
        if now is None:
            yield Finding(Kind.ENUM_CONST_REMOVED, path, old=f"{was} = {number}")
        elif was is None:
            yield Finding(Kind.ENUM_CONST_ADDED, path, new=f"{now} = {number}")
        elif was != now:
            yield Finding(Kind.ENUM_CONST_CHANGED, path, f"{was} = {number}", f"{now} = {number}")


def _kind(field: ProtoField, plain: Kind, in_oneof: Kind, required: Kind) -> Kind:
    if field.oneof:
        return in_oneof
    return required if field.label is Label.REQUIRED else plain


# One field.


def _compare_field(
    message: str, old: ProtoField, new: ProtoField, olds: Declarations, news: Declarations
) -> Iterator[Step]:
    path = new.path(message)
    if old.oneof and not new.oneof:
        yield Finding(Kind.ONEOF_FIELD_MOVED_TO_TOP_LEVEL, path, f"oneof {old.oneof}", new.text)
    if old.name != new.name:
        yield Finding(Kind.FIELD_NAME_CHANGED, path, old.text, new.text)
    if kind := _changed_label(old, new):
        yield Finding(kind, path, old.text, new.text)
    for before, after in _type_pairs(old.type, new.type):
        if kind := _changed_type(before, after):
            yield Finding(kind, path, old.text, new.text)
        elif before.shape == "message":
            yield from _compare_named(path, before, after, olds, news)


def _changed_label(old: ProtoField, new: ProtoField) -> Kind | None:
    """Labels count only where both are written, and only on scalars, as for the registry."""
    if not old.type.group or old.type.group != new.type.group:
        return None
    if old.label is None or new.label is None or old.label is new.label:
        return None
    if old.type.group == STRING_OR_BYTES:
        return Kind.FIELD_STRING_OR_BYTES_LABEL_CHANGED
    return Kind.FIELD_NUMERIC_LABEL_CHANGED


def _type_pairs(old: FieldType, new: FieldType) -> Iterable[tuple[FieldType, FieldType]]:
    if old.shape == new.shape == "map":
        return zip(old.parts, new.parts, strict=True)
    return [(old, new)]


def _changed_type(old: FieldType, new: FieldType) -> Kind | None:
    if old.shape != new.shape:
        return Kind.FIELD_KIND_CHANGED
    return None if old.group == new.group else Kind.FIELD_SCALAR_KIND_CHANGED


def _compare_named(
    path: str, old: FieldType, new: FieldType, olds: Declarations, news: Declarations
) -> Iterator[Step]:
    """Types count as the same by their names within their packages; imported ones are then compared too."""
    before, after = olds.messages.get(old.name), news.messages.get(new.name)
    same = before.local_name == after.local_name if before and after else old.name == new.name
    if not same:
        yield Finding(Kind.FIELD_NAMED_TYPE_CHANGED, path, old.name, new.name)
    elif before and after and not (before.in_root and after.in_root):
        yield MessagePair(before, after, path)


# Oneofs.


def _compare_oneofs(path: str, old: ProtoFields, new: ProtoFields) -> Iterator[Finding]:
    """Compare two messages' oneofs by name, and what each new one brings together."""
    before, after = _members(old), _members(new)
    for name, members in after.items():
        yield from _brought_together(f"{path}/{name}", members, old)
    for name in sorted(before.keys() - after.keys()):
        yield Finding(Kind.ONEOF_REMOVED, f"{path}/{name}", old=_text(before[name]))
    for name in sorted(after.keys() - before.keys()):
        yield Finding(Kind.ONEOF_ADDED, f"{path}/{name}", new=_text(after[name]))


def _emptied_oneofs(old: ProtoFields, new: ProtoFields) -> set[str]:
    """The oneofs that went with all their members, which is no more than removing optional fields."""
    kept = {field.oneof for field in new.values()} | {old[number].oneof for number in old.keys() & new.keys()}
    return {field.oneof for field in old.values() if field.oneof} - kept


def _brought_together(path: str, members: list[ProtoField], old: ProtoFields) -> Iterator[Finding]:
    """Report fields that could be set together before: data that sets both loses one.

    Members of one old oneof already excluded each other; a field outside was on its own.
    """
    origins = [old[member.number] for member in members if member.number in old]
    lone = [field for field in origins if not field.oneof]
    groups = len(lone) + len({field.oneof for field in origins if field.oneof})
    if groups <= 1:
        return
    kind = Kind.MULTIPLE_FIELDS_MOVED_TO_ONEOF if len(lone) > 1 else Kind.FIELD_MOVED_TO_EXISTING_ONEOF
    names = ", ".join(field.name for field in lone or origins)
    yield Finding(kind, path, f"outside the oneof or in another: {names}", _text(members))


def _members(fields: ProtoFields) -> dict[str, list[ProtoField]]:
    oneofs: dict[str, list[ProtoField]] = {}
    for field in fields.values():
        if field.oneof:
            oneofs.setdefault(field.oneof, []).append(field)
    return oneofs


def _text(members: list[ProtoField]) -> str:
    return f"oneof {members[0].oneof} {{ {', '.join(member.name for member in members)} }}"
