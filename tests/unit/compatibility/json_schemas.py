"""JSON Schemas for tests, and what is found between two of them."""

from __future__ import annotations

import json
from typing import Any

from immersiverse.auth.events.compatibility import json_schema
from immersiverse.auth.events.compatibility.json_schema import Policy

TEXT, NUMBER, NULL = {"type": "string"}, {"type": "number"}, {"type": "null"}


def changes(old: Any, new: Any, policy: Policy = Policy.STRICT) -> set[str]:
    """What changed and where; what is refused has a mark of exclamation."""
    schemas = (json_schema.parse(json.dumps(schema)) for schema in (old, new))
    return {
        f"{change.kind} {change.path}{'' if change.compatible else '!'}"
        for change in json_schema.compare(*schemas, policy=policy)
    }


def book(**properties: Any) -> dict[str, Any]:
    """An object with these properties, and any others."""
    return {"type": "object", "properties": properties}


def closed(**properties: Any) -> dict[str, Any]:
    """An object with these properties alone."""
    return {**book(**properties), "additionalProperties": False}
