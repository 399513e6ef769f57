"""JSON schemas in the registry: kept, not understood."""

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
        Refusal: 42201.
    """
    try:
        return schema, json.dumps(shallow_json(schema), sort_keys=True).encode()
    except ValueError as error:
        raise invalid_schema(f"it is not JSON: {error}") from error


def write(stored: str, imports: Mapping[str, str], *, serialized: bool) -> str:  # noqa: ARG001 - as every form
    """The schema as it was registered."""
    return stored
