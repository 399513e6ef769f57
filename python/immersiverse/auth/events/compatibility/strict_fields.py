"""What the strict rules see in a field beyond the registry's: JSON, presence, defaults, generated code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from immersiverse.auth.events.compatibility.fields import Field, FieldType, Label, Shape
from immersiverse.auth.events.compatibility.findings import EnumPair, Finding, Step
from immersiverse.auth.events.compatibility.kinds import ChangeKind as Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from immersiverse.auth.events.compatibility.declarations import Declarations


def compare_field(
    path: str, old: Field, new: Field, olds: Declarations, news: Declarations
) -> Iterator[Step]:
    """Compare two fields of one number by all that does not change their bytes."""
    for kind, before, after in _differences(old, new):
        if before != after:
            yield Finding(kind, path, before, after)
    yield from _imported_enums(old.type, new.type, olds, news)


def _differences(old: Field, new: Field) -> Iterator[tuple[Kind, str, str]]:
    yield Kind.FIELD_TYPE_CHANGED, old.type.name, new.type.name
    yield Kind.FIELD_CARDINALITY_CHANGED, _cardinality(old), _cardinality(new)
    yield Kind.FIELD_JSON_NAME_CHANGED, json_name(old), json_name(new)
    yield Kind.FIELD_DEFAULT_CHANGED, old.proto.default_value, new.proto.default_value
    yield Kind.FIELD_ONEOF_CHANGED, old.oneof, new.oneof
    if old.oneof == new.oneof and _cardinality(old) == _cardinality(new) == "single":
        yield Kind.FIELD_PRESENCE_CHANGED, _presence(old), _presence(new)


def json_name(field: Field) -> str:
    """The field's name in JSON; a descriptor without one means the camel case of its name."""
    if field.proto.json_name:
        return field.proto.json_name
    first, *rest = field.name.split("_")
    return "".join((first, *(word[:1].upper() + word[1:] for word in rest)))


def _cardinality(field: Field) -> str:
    if field.type.shape is Shape.MAP:
        return "map"
    if field.label in (Label.REPEATED, Label.REQUIRED):
        return field.label
    return "single"


def _presence(field: Field) -> str:
    tracked = field.label is Label.OPTIONAL or field.oneof or field.type.shape is Shape.MESSAGE
    return "explicit presence" if tracked else "implicit presence"


def _imported_enums(
    old: FieldType, new: FieldType, olds: Declarations, news: Declarations
) -> Iterator[EnumPair]:
    """Enums that both files declare are compared there; an imported one is compared for the field's sake."""
    before, after = olds.enums.get(old.name), news.enums.get(new.name)
    if before and after and before.local_name == after.local_name and not (before.in_root and after.in_root):
        yield EnumPair(before, after)
    for old_part, new_part in zip(old.parts, new.parts, strict=False):
        yield from _imported_enums(old_part, new_part, olds, news)
