"""Two versions of one field: its name, its label and its type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from immersiverse.auth.events.compatibility.fields import Field, FieldType, ScalarGroup, Shape
from immersiverse.auth.events.compatibility.findings import Finding, MessagePair, Step
from immersiverse.auth.events.compatibility.kinds import ChangeKind as Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from immersiverse.auth.events.compatibility.declarations import Declarations


def compare_field(
    path: str, old: Field, new: Field, olds: Declarations, news: Declarations
) -> Iterator[Step]:
    """Compare two fields of one number."""
    if old.name != new.name:
        yield Finding(Kind.FIELD_NAME_CHANGED, path, old.text, new.text)
    if kind := _changed_label(old, new):
        yield Finding(kind, path, old.text, new.text)
    for before, after in _type_pairs(old.type, new.type):
        if kind := _changed_type(before, after):
            yield Finding(kind, path, old.text, new.text)
        elif before.shape is Shape.MESSAGE:
            yield from _compare_named(path, before, after, olds, news)


def _changed_label(old: Field, new: Field) -> Kind | None:
    """Labels count only where both are written, and only on scalars: so the registry judges."""
    if old.type.group is None or old.type.group is not new.type.group:
        return None
    if old.label is None or new.label is None or old.label is new.label:
        return None
    if old.type.group is ScalarGroup.STRING_OR_BYTES:
        return Kind.FIELD_STRING_OR_BYTES_LABEL_CHANGED
    return Kind.FIELD_NUMERIC_LABEL_CHANGED


def _type_pairs(old: FieldType, new: FieldType) -> Iterator[tuple[FieldType, FieldType]]:
    if old.shape is new.shape is Shape.MAP:
        yield from zip(old.parts, new.parts, strict=True)
    else:
        yield old, new


def _changed_type(old: FieldType, new: FieldType) -> Kind | None:
    if old.shape is not new.shape:
        return Kind.FIELD_KIND_CHANGED
    if old.group is not new.group:
        return Kind.FIELD_SCALAR_KIND_CHANGED
    return None


def _compare_named(
    path: str, old: FieldType, new: FieldType, olds: Declarations, news: Declarations
) -> Iterator[Step]:
    """Types count as the same by their names within their packages; imported ones are then compared too."""
    before, after = olds.messages.get(old.name), news.messages.get(new.name)
    if before is None or after is None:
        if old.name != new.name:
            yield Finding(Kind.FIELD_NAMED_TYPE_CHANGED, path, old.name, new.name)
    elif before.local_name != after.local_name:
        yield Finding(Kind.FIELD_NAMED_TYPE_CHANGED, path, old.name, new.name)
    elif not (before.in_root and after.in_root):
        yield MessagePair(before, after, path)
