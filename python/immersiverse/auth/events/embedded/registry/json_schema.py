"""JSON Schemas in the registry: any JSON object, compared by its content. They are not judged."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from immersiverse.auth.events.embedded.registry.nesting import shallow_json
from immersiverse.auth.events.embedded.registry.refusals import invalid_schema

if TYPE_CHECKING:
    from collections.abc import Mapping


def read(schema: str, imports: Mapping[str, str]) -> tuple[str, bytes]:  # noqa: ARG001 - as every form
    """The schema as stored, and its identity, in which the order of keys does not count.

    Raises:
        Refusal: 42201, if it is not a JSON object.
    """
    try:
        document = shallow_json(schema)
        identity = json.dumps(document, sort_keys=True).encode()
    except ValueError as error:
        raise invalid_schema(f"not JSON: {error}") from error
    if not isinstance(document, dict):
        raise invalid_schema("not a JSON object")
    return schema, identity


def write(stored: str, imports: Mapping[str, str], *, serialized: bool) -> str:  # noqa: ARG001 - as every form
    """The schema as it was registered."""
    return stored
