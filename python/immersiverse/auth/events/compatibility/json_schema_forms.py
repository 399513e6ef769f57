"""What a JSON Schema demands, sorted: one form for each kind of value, and forms that combine others.

Several demands of one schema are an ``allOf`` of their forms, several types an ``anyOf``, as the registry
takes them apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from immersiverse.auth.events.compatibility.json_schema_documents import Place
from immersiverse.auth.events.compatibility.json_schema_unjudged import KEYWORDS
from immersiverse.auth.events.errors import InvalidSchema

if TYPE_CHECKING:
    from collections.abc import Iterator

COMBINED: Final = ("allOf", "anyOf", "oneOf")
"""The forms that combine others."""

ANYTHING, NOTHING = "anything", "nothing"
"""The forms of ``true`` and ``false``."""

_KEYWORDS: Final = {
    "string": ("maxLength", "minLength", "pattern"),
    "number": ("exclusiveMaximum", "exclusiveMinimum", "maximum", "minimum", "multipleOf"),
    "array": (
        "additionalItems",
        "items",
        "maxItems",
        "minItems",
        "prefixItems",
        "unevaluatedItems",
        "uniqueItems",
    ),
    "object": (
        "additionalProperties",
        "dependencies",
        "dependentRequired",
        "dependentSchemas",
        "maxProperties",
        "minProperties",
        "patternProperties",
        "properties",
        "required",
        "unevaluatedProperties",
    ),
}


@dataclass(frozen=True, slots=True)
class Form:
    """One demand on a value.

    Attributes:
        kind: a type (integers are numbers), ``enum``, ``const``, ``not``, one of `COMBINED`, `ANYTHING` or
            `NOTHING`.
        place: where its keywords stand.
        typed: whether the schema demands the type; without, only values of the type are held to the keywords.
        integer: whether a number must be whole.
        parts: what a combined form combines, and what ``not`` forbids.
    """

    kind: str
    place: Place
    typed: bool = True
    integer: bool = False
    parts: tuple[Part, ...] = ()

    def keyword(self, name: str) -> Any:
        """A keyword's value; None if it is absent."""
        return self.place.value.get(name)


Part = Place | Form


def followed(part: Part) -> Part:
    """What a schema that is but a reference leads to, if that is at hand; else the schema.

    Raises:
        InvalidSchema: it leads back to itself.
    """
    if isinstance(part, Form):
        return part
    place, seen = part, set()
    while isinstance(place.value, dict) and "$ref" in place.value and not any(_demands(place)):
        if id(place.value) in seen:
            raise InvalidSchema(f"the reference {place.value['$ref']!r} leads back to itself")
        seen.add(id(place.value))
        target = place.target(place.value["$ref"])
        if target is None:
            return place
        place = target
    return place


def form_of(part: Part) -> Form:
    """The form of a schema that was followed."""
    if isinstance(part, Form):
        return part
    if isinstance(part.value, bool):
        return Form(ANYTHING if part.value else NOTHING, part)
    forms = list(_demands(part))
    target = part.target(part.value["$ref"]) if "$ref" in part.value else None
    parts: tuple[Part, ...] = (*forms, *([target] if target else []))
    if len(parts) > 1:
        return Form("allOf", part, parts=parts)
    return forms[0] if forms else Form(ANYTHING, part)


def is_empty(place: Place) -> bool:
    """Whether a schema demands nothing."""
    if isinstance(place.value, bool):
        return place.value
    demanded = any(_demands(place)) or any(keyword in place.value for keyword in ("$ref", *KEYWORDS))
    return not demanded


def _demands(place: Place) -> Iterator[Form]:
    """The demands that a schema makes itself, all but those of what it refers to."""
    raw = place.value
    yield from _types(place)
    if "enum" in raw:
        yield Form("enum", place)
    if "const" in raw:
        yield Form("const", place)
    if "not" in raw:
        yield Form("not", place, parts=(place.child(raw["not"]),))
    for kind in COMBINED:
        if kind in raw:
            yield Form(kind, place, parts=tuple(place.child(schema) for schema in raw[kind]))


def _types(place: Place) -> Iterator[Form]:
    names = place.value.get("type")
    if names is None:
        for kind, keywords in _KEYWORDS.items():
            if any(keyword in place.value for keyword in keywords):
                yield Form(kind, place, typed=False)
        return
    several = dict.fromkeys(names) if isinstance(names, list) else {names: None}
    if "number" in several:
        several.pop("integer", None)
    forms = tuple(Form(_kind(name), place, integer=name == "integer") for name in several)
    yield forms[0] if len(forms) == 1 else Form("anyOf", place, parts=forms)


def _kind(name: str) -> str:
    return "number" if name == "integer" else name
