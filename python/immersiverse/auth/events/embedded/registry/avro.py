"""Avro schemas in the registry: told apart by what they mean, given back as they were written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from immersiverse.auth.events.embedded.registry.nesting import shallow_json
from immersiverse.auth.events.embedded.registry.refusals import invalid_schema

if TYPE_CHECKING:
    from collections.abc import Mapping

_TYPED = {"type", "items", "values", "fields"}
"""The keys of an Avro schema under which types stand."""

_WIDEST = 200
"""Branches of a schema's only union; several may have so many less that comparing them takes no longer."""

_NAMED = ("record", "error", "enum", "fixed")


def read(schema: str, imports: Mapping[str, str]) -> tuple[str, bytes]:
    """The schema as stored, and its identity: names in full, keys in order; documentation counts.

    Args:
        schema: JSON.
        imports: schemas it may name, by reference name, those they need first.

    Raises:
        Refusal: 42201.
    """
    value = _value(schema)
    _refuse_wide(value)
    parsed = _parsed(value, [_value(text) for text in imports.values()], {})
    return schema, json.dumps(parsed, sort_keys=True).encode()


def write(stored: str, imports: Mapping[str, str], *, serialized: bool) -> str:  # noqa: ARG001 - as every form
    """The schema as it was registered; Avro has no other form."""
    return stored


def whole(stored: str, imports: Mapping[str, str]) -> str:
    """The schema with what it imports written out where it is first named, to be judged alone.

    Raises:
        Refusal: 42201.
    """
    named: dict[str, Any] = {}
    parsed = _parsed(_value(stored), [_value(text) for text in imports.values()], named)
    try:
        return json.dumps(_written_out(parsed, named, set()))
    except RecursionError as error:
        raise invalid_schema("with its imports it is nested too deeply") from error


def _written_out(schema: Any, named: Mapping[str, Any], seen: set[str]) -> Any:
    if isinstance(schema, list):
        return [_written_out(branch, named, seen) for branch in schema]
    if isinstance(schema, str) and schema in named and schema not in seen:
        return _written_out(named[schema], named, seen)
    if not isinstance(schema, dict):
        return schema
    if schema.get("type") in _NAMED:
        seen.add(schema["name"])
    # In the order of the text, since a name is written out where it comes first.
    return {
        key: _written_out(value, named, seen) if key in _TYPED else value for key, value in schema.items()
    }


def _refuse_wide(schema: Any) -> None:
    """Unions are compared branch by branch with those of the other version, while everyone else waits.

    Raises:
        Refusal: 42201.
    """
    comparisons, pending = 0, [schema]
    while pending:
        one = pending.pop()
        if isinstance(one, list):
            comparisons += len(one) ** 2
            pending += one
        elif isinstance(one, dict):
            fields = one.get("fields")
            pending += [one.get(key) for key in ("type", "items", "values")]
            pending += [
                field.get("type")
                for field in (fields if isinstance(fields, list) else ())
                if isinstance(field, dict)
            ]
    if comparisons > _WIDEST**2:
        raise invalid_schema(
            f"its unions have too many branches: more than {_WIDEST} in one, or too many in several"
        )


def _value(schema: str) -> Any:
    try:
        return _without_marks(shallow_json(schema))
    except ValueError as error:
        if schema.isidentifier():
            # Registries read the bare name of a primitive type, such as string, as a schema.
            return schema
        raise invalid_schema(f"it is not JSON: {error}") from error


def _without_marks(value: Any) -> Any:
    """The value without what fastavro adds to a schema that it has parsed, and would trust."""
    if isinstance(value, list):
        return [_without_marks(item) for item in value]
    if isinstance(value, dict):
        return {key: _without_marks(item) for key, item in value.items() if not key.startswith("__")}
    return value


def _parsed(schema: Any, imports: list[Any], named: dict[str, Any]) -> Any:
    try:
        from fastavro.schema import parse_schema  # noqa: PLC0415 - an extra; Protobuf goes without it
    except ImportError:
        return schema
    try:
        for imported in imports:
            parse_schema(imported, named)
        return _without_marks(parse_schema(schema, named))
    except Exception as error:  # fastavro raises whatever a wrong type leads to
        raise invalid_schema(str(error)) from error
