"""Whether JSON is a JSON Schema, as far as its comparison relies on it.

Source: JSON Schema 2020-12, and the drafts 4 to 2019-09 where they write the same otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TYPES: Final = ("array", "boolean", "integer", "null", "number", "object", "string")
"""The names of types."""

SCHEMAS: Final = (
    "additionalItems",
    "additionalProperties",
    "contains",
    "else",
    "if",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
)
"""The keywords that hold a schema."""

LISTS: Final = ("allOf", "anyOf", "oneOf", "prefixItems")
"""Those that hold a list of schemas."""

MAPS: Final = ("$defs", "definitions", "dependentSchemas", "patternProperties", "properties")
"""Those that hold schemas by names."""

COUNTS: Final = ("maxItems", "maxLength", "maxProperties", "minItems", "minLength", "minProperties")
NUMBERS: Final = ("maximum", "minimum", "multipleOf")
EXCLUSIVE: Final = ("exclusiveMaximum", "exclusiveMinimum")


def fault(value: Any, path: str) -> str:
    """What is wrong with a schema, and where; empty if nothing is.

    Its time grows with the size of the schema alone; RecursionError if it is nested too deeply.
    """
    if isinstance(value, bool):
        return ""
    if not isinstance(value, dict):
        return f"{path} is neither an object nor true nor false"
    for keyword, (is_right, wanted) in _RULES.items():
        if keyword in value and not is_right(value[keyword]):
            return f"{path.rstrip('/')}/{keyword} is not {wanted}"
    found = (fault(schema, f"{path.rstrip('/')}/{name}") for name, schema in held(value))
    return next((text for text in found if text), "")


def held(value: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The schemas directly within a schema, each with its place."""
    for keyword, content in value.items():
        if keyword in SCHEMAS or (keyword == "items" and not isinstance(content, list)):
            yield keyword, content
        elif keyword in LISTS or keyword == "items":
            yield from ((f"{keyword}/{place}", schema) for place, schema in enumerate(content))
        elif keyword in MAPS:
            yield from ((f"{keyword}/{name}", schema) for name, schema in content.items())
        elif keyword == "dependencies":
            names = ((name, schema) for name, schema in content.items() if not isinstance(schema, list))
            yield from ((f"{keyword}/{name}", schema) for name, schema in names)


def within(value: Any) -> Iterator[dict[str, Any]]:
    """A schema and every schema within it, at any depth; those that are true or false are left out."""
    todo = [value]
    while todo:
        schema = todo.pop()
        if isinstance(schema, dict):
            yield schema
            todo += [inner for _, inner in held(schema)]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return _is_number(value) and value >= 0 and value == int(value)


def _are_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _is_type(value: Any) -> bool:
    names = value if isinstance(value, list) else [value]
    return bool(names) and all(isinstance(name, str) and name in TYPES for name in names)


def _are_dependencies(value: Any) -> bool:
    return isinstance(value, dict) and all(
        _are_names(needed) if isinstance(needed, list) else True for needed in value.values()
    )


def _are_needs(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_are_names, value.values()))


_RULES: Final[dict[str, tuple[Callable[[Any], bool], str]]] = {
    "type": (_is_type, f"one or several of {', '.join(TYPES)}"),
    "enum": (lambda value: isinstance(value, list), "a list of values"),
    "required": (_are_names, "a list of names"),
    "pattern": (lambda value: isinstance(value, str), "a string"),
    "$ref": (lambda value: isinstance(value, str), "a string"),
    "uniqueItems": (lambda value: isinstance(value, bool), "true or false"),
    "dependencies": (_are_dependencies, "an object of schemas and lists of names"),
    "dependentRequired": (_are_needs, "an object of lists of names"),
    **dict.fromkeys(COUNTS, (_is_count, "a whole number from 0")),
    **dict.fromkeys(NUMBERS, (_is_number, "a number")),
    **dict.fromkeys(EXCLUSIVE, (lambda value: isinstance(value, bool) or _is_number(value), "a number")),
    **dict.fromkeys(LISTS, (lambda value: isinstance(value, list) and bool(value), "a list of schemas")),
    **dict.fromkeys(MAPS, (lambda value: isinstance(value, dict), "an object of schemas")),
}
