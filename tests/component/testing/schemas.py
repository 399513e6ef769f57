from __future__ import annotations

import json
from typing import Any


def record(*fields: str, name: str = "Login", **more: Any) -> dict[str, Any]:
    """A registration of a record, each of whose fields is an optional string."""
    listed = [{"name": field, "type": ["null", "string"], "default": None} for field in fields]
    return body({"type": "record", "name": name, "namespace": "test", "fields": listed} | more)


def body(schema: Any, references: list[Any] | None = None) -> dict[str, Any]:
    return {"schema": json.dumps(schema)} | ({"references": references} if references else {})
