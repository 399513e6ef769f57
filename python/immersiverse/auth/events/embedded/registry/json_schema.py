"""JSON schemas in the registry: told apart by what they say, given back as they were written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from immersiverse.auth.events.compatibility.json_schema import parse
from immersiverse.auth.events.embedded.registry.nesting import shallow_json
from immersiverse.auth.events.embedded.registry.refusals import invalid_schema
from immersiverse.auth.events.errors import InvalidSchema

if TYPE_CHECKING:
    from collections.abc import Mapping


def read(schema: str, imports: Mapping[str, str]) -> tuple[str, bytes]:
    """The schema as stored, and its identity, in which the order of keys does not count.

    Args:
        schema: JSON.
        imports: schemas that it may refer to, by reference name.

    Raises:
        Refusal: 42201.
    """
    try:
        identity = json.dumps(shallow_json(schema), sort_keys=True).encode()
        parse(schema, imports)
    except ValueError as error:
        raise invalid_schema(f"it is not JSON: {error}") from error
    except InvalidSchema as error:
        raise invalid_schema(str(error)) from error
    return schema, identity


def write(stored: str, imports: Mapping[str, str], *, serialized: bool) -> str:  # noqa: ARG001 - as every form
    """The schema as it was registered."""
    return stored
