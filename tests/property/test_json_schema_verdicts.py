"""A verdict on two JSON Schemas is what a validator says: what the old one takes, the new one takes, too."""

from __future__ import annotations

import json
from itertools import combinations, product
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from immersiverse.auth.events.compatibility import json_schema

NAMES = st.sampled_from(["a", "b", "c"])
SCALAR_VALUES = [None, True, False, -1, 0, 1, 2, 3, 4, 0.5, 1.5, "", "a", "b", "ab", "ba", "abc", "abca"]
SCALARS = st.sampled_from(SCALAR_VALUES)
FEW = [None, 1, 4, "a", "bbb"]
VALUES = [
    *SCALAR_VALUES,
    *(list(items) for length in range(4) for items in product(FEW, repeat=length)),
    *(
        dict(zip(names, items, strict=True))
        for length in range(4)
        for names in combinations("abc", length)
        for items in product(FEW[1:], repeat=length)
    ),
    *([value, {"a": value}] for value in FEW),
    *({"a": {"b": value}} for value in FEW),
]
SIZES = st.integers(0, 3)
TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")


def families(inner: st.SearchStrategy[Any]) -> dict[str, dict[str, st.SearchStrategy[Any]]]:
    """The keywords by the kind of value that they are about; `inner` makes the schemas in them.

    `default`, and what is in a `oneOf`, are left out: the registry's rules trust them.
    """
    some = st.lists(inner, min_size=1, max_size=2)
    types = st.sampled_from(TYPES)
    named = st.dictionaries(NAMES, inner, max_size=2)
    numbers = {
        "maximum": SIZES,
        "minimum": SIZES,
        "exclusiveMaximum": SIZES,
        "exclusiveMinimum": SIZES,
        "multipleOf": st.sampled_from([0.5, 1, 2, 4]),
    }
    return {
        "array": {
            "items": inner,
            "prefixItems": some,
            "minItems": SIZES,
            "maxItems": SIZES,
            "uniqueItems": st.booleans(),
            "contains": inner,
            "unevaluatedItems": inner,
        },
        "object": {
            "properties": named,
            "required": st.lists(NAMES, max_size=2, unique=True),
            "additionalProperties": inner,
            "unevaluatedProperties": inner,
            "minProperties": SIZES,
            "maxProperties": SIZES,
            "dependentRequired": st.dictionaries(NAMES, st.lists(NAMES, max_size=2), max_size=1),
            "dependentSchemas": st.dictionaries(NAMES, inner, max_size=1),
            "patternProperties": st.dictionaries(st.sampled_from(["a", "."]), inner, max_size=1),
            "propertyNames": inner,
        },
        "string": {"maxLength": SIZES, "minLength": SIZES, "pattern": st.sampled_from(["a", "^b"])},
        "number": numbers,
        "integer": numbers,
        "any": {
            "type": types | st.lists(types, min_size=1, max_size=3, unique=True),
            "enum": st.lists(SCALARS, min_size=1, max_size=3),
            "const": SCALARS,
            "not": inner,
            "allOf": some,
            "anyOf": some,
            "if": inner,
            "then": inner,
        },
    }


def schemas(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Schemas of one kind of value each, with and without its type."""
    return st.one_of([of_family(kind, inner) for kind in families(inner)])


def of_family(kind: str, inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    keywords = st.fixed_dictionaries({}, optional=families(inner)[kind])
    typed = keywords.map(lambda schema: schema if kind == "any" else {"type": kind, **schema})
    return typed | keywords


SCHEMAS = st.recursive(st.booleans(), schemas, max_leaves=6)


@st.composite
def versions(draw: st.DrawFn) -> tuple[Any, Any]:
    """Two schemas of one kind that agree in most keywords."""
    kind = draw(st.sampled_from(sorted(families(SCHEMAS))))
    old, other = draw(of_family(kind, SCHEMAS)), draw(of_family(kind, SCHEMAS))
    taken = draw(st.sets(st.sampled_from(sorted({*old, *other})), max_size=2)) if {*old, *other} else set()
    new = {name: schema for name, schema in old.items() if name not in taken}
    return old, new | {name: other[name] for name in taken if name in other}


@given(versions())
def test_what_a_compatible_version_took_before_it_takes_still(pair: tuple[Any, Any]) -> None:
    assume(pair[0] != pair[1])
    old, new = (json_schema.parse(json.dumps(schema)) for schema in pair)
    if not all(change.compatible for change in json_schema.compare(old, new)):
        return
    before, after = (Draft202012Validator(schema) for schema in pair)
    assert [value for value in VALUES if before.is_valid(value) and not after.is_valid(value)] == []


@given(SCHEMAS)
def test_a_schema_is_compatible_with_itself(schema: Any) -> None:
    text = json.dumps(schema)
    assert json_schema.compare(json_schema.parse(text), json_schema.parse(text)) == []
