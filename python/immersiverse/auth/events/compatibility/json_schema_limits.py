"""Limits of numbers, strings and sizes, and lists of values, in two JSON Schemas."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from immersiverse.auth.events.compatibility.findings import Finding
from immersiverse.auth.events.compatibility.json_schema_documents import canonical
from immersiverse.auth.events.compatibility.kinds import ChangeKind as Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from immersiverse.auth.events.compatibility.json_schema_forms import Form

SIZES: Final = {
    "string": ("maxLength", "minLength"),
    "array": ("maxItems", "minItems"),
    "object": ("maxProperties", "minProperties"),
}
"""The keywords that limit how large a value may be."""

_BOUNDS = ("maximum", "minimum", "exclusiveMaximum", "exclusiveMinimum")


def compare_limits(keywords: Iterable[str], old: Form, new: Form, path: str) -> Iterator[Finding]:
    """Compare limits that are numbers."""
    for keyword in keywords:
        yield from _limit(keyword, old.keyword(keyword), new.keyword(keyword), path)


def compare_numbers(old: Form, new: Form, path: str) -> Iterator[Finding]:
    """Compare what two schemas demand of a number."""
    before, after = _bounds(old), _bounds(new)
    for keyword in _BOUNDS:
        yield from _limit(keyword, before.get(keyword), after.get(keyword), path)
    yield from _multiples(old.keyword("multipleOf"), new.keyword("multipleOf"), f"{path}/multipleOf")
    if old.typed and new.typed and old.integer != new.integer:
        kind = Kind.TYPE_EXTENDED if old.integer else Kind.TYPE_NARROWED
        yield Finding(kind, path, _number(old), _number(new))


def compare_strings(old: Form, new: Form, path: str) -> Iterator[Finding]:
    """Compare what two schemas demand of a string."""
    yield from compare_limits(SIZES["string"], old, new, path)
    before, after = old.keyword("pattern"), new.keyword("pattern")
    if before != after:
        kind = _presence("PATTERN", before, after) or Kind.PATTERN_CHANGED
        yield Finding(kind, f"{path}/pattern", before or "", after or "")


def compare_enums(old: Form, new: Form, path: str) -> Iterator[Finding]:
    """Compare two lists of values, in which the order does not count."""
    before, after = (dict.fromkeys(map(canonical, form.keyword("enum"))) for form in (old, new))
    if before.keys() == after.keys():
        return
    kind = Kind.ENUM_ARRAY_CHANGED
    if before.keys() < after.keys():
        kind = Kind.ENUM_ARRAY_EXTENDED
    elif before.keys() > after.keys():
        kind = Kind.ENUM_ARRAY_NARROWED
    yield Finding(kind, f"{path}/enum", ", ".join(before), ", ".join(after))


def compare_constants(old: Form, new: Form, path: str) -> Iterator[Finding]:
    """Compare two single values."""
    before, after = (canonical(form.place.value["const"]) for form in (old, new))
    if before != after:
        yield Finding(Kind.ENUM_ARRAY_CHANGED, f"{path}/const", before, after)


def _limit(keyword: str, old: Any, new: Any, path: str) -> Iterator[Finding]:
    if old != new:
        name = re.sub("(?=[A-Z])", "_", keyword).upper()
        kind = _presence(name, old, new) or Kind[f"{name}_INCREASED" if old < new else f"{name}_DECREASED"]
        yield Finding(kind, f"{path}/{keyword}", _text(old), _text(new))


def _bounds(form: Form) -> dict[str, Any]:
    """The bounds, where draft 4 says of a bound that it is exclusive, as later drafts say it."""
    bounds = {keyword: form.keyword(keyword) for keyword in _BOUNDS}
    for bound, exclusive in (("maximum", "exclusiveMaximum"), ("minimum", "exclusiveMinimum")):
        if isinstance(bounds[exclusive], bool):
            bounds[exclusive] = bounds.pop(bound) if bounds[exclusive] else None
    return bounds


def _multiples(old: Any, new: Any, path: str) -> Iterator[Finding]:
    if old == new:
        return
    kind = _presence("MULTIPLE_OF", old, new) or Kind.MULTIPLE_OF_CHANGED
    if old and new:
        before, after = Fraction(str(old)), Fraction(str(new))
        if after % before == 0:
            kind = Kind.MULTIPLE_OF_EXPANDED
        elif before % after == 0:
            kind = Kind.MULTIPLE_OF_REDUCED
    yield Finding(kind, path, _text(old), _text(new))


def _presence(name: str, old: Any, new: Any) -> Kind | None:
    if old is None:
        return Kind[f"{name}_ADDED"]
    return Kind[f"{name}_REMOVED"] if new is None else None


def _number(form: Form) -> str:
    return "integer" if form.integer else "number"


def _text(value: Any) -> str:
    return "" if value is None else f"{value}"
