"""Two versions of one message, field by field."""

from __future__ import annotations

from typing import TYPE_CHECKING

from immersiverse.auth.events.compatibility.enums import compare_enums
from immersiverse.auth.events.compatibility.field_changes import compare_field
from immersiverse.auth.events.compatibility.fields import Field, Label
from immersiverse.auth.events.compatibility.findings import Finding, MessagePair, Step
from immersiverse.auth.events.compatibility.kinds import ChangeKind as Kind
from immersiverse.auth.events.compatibility.oneofs import compare_oneofs, emptied_oneofs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from immersiverse.auth.events.compatibility.declarations import Declarations, Scope

Fields = dict[int, Field]


def compare_fields(
    path: str, old_fields: Fields, new_fields: Fields, old: Declarations, new: Declarations
) -> Iterator[Step]:
    """Compare two messages' fields by number, wherever in the message a field stands."""
    yield from compare_oneofs(path, old_fields, new_fields)
    gone = emptied_oneofs(old_fields, new_fields)
    for number in sorted(old_fields.keys() | new_fields.keys()):
        before, after = old_fields.get(number), new_fields.get(number)
        if before and after:
            yield from _both(path, before, after, old, new)
        elif before and before.oneof not in gone:
            yield _removed(path, before)
        elif after:
            yield _added(path, after)


def compare_scopes(prefix: str, old: Scope, new: Scope) -> Iterator[Step]:
    """Compare what two files, or two messages, declare by the same names."""
    places = {name: place for place, name in enumerate(new.messages)}
    for place, (name, before) in enumerate(old.messages.items()):
        if (after := new.messages.get(name)) is None:
            yield Finding(Kind.MESSAGE_REMOVED, prefix + name, old=f"message {name}")
            continue
        if places[name] != place:
            yield Finding(Kind.MESSAGE_MOVED, prefix + name, f"message {place}", f"message {places[name]}")
        yield MessagePair(before, after)
    for name in new.messages:
        if name not in old.messages:
            yield Finding(Kind.MESSAGE_ADDED, prefix + name, new=f"message {name}")
    yield from compare_enums(prefix, old.enums, new.enums)


def location(path: str, field: Field) -> str:
    """Where a field's changes are reported: its number, below its oneof if it is in one."""
    return f"{path}/{field.oneof}/{field.number}" if field.oneof else f"{path}/{field.number}"


def _both(path: str, before: Field, after: Field, old: Declarations, new: Declarations) -> Iterator[Step]:
    where = location(path, after)
    if before.oneof and not after.oneof:
        yield Finding(Kind.ONEOF_FIELD_MOVED_TO_TOP_LEVEL, where, f"oneof {before.oneof}", after.text)
    yield from compare_field(where, before, after, old, new)


def _removed(path: str, field: Field) -> Finding:
    kind = Kind.FIELD_REMOVED
    if field.oneof:
        kind = Kind.ONEOF_FIELD_REMOVED
    elif field.label is Label.REQUIRED:
        kind = Kind.REQUIRED_FIELD_REMOVED
    return Finding(kind, location(path, field), old=field.text)


def _added(path: str, field: Field) -> Finding:
    kind = Kind.FIELD_ADDED
    if field.oneof:
        kind = Kind.ONEOF_FIELD_ADDED
    elif field.label is Label.REQUIRED:
        kind = Kind.REQUIRED_FIELD_ADDED
    return Finding(kind, location(path, field), new=field.text)
