"""JSON Schemas in the embedded registry: stored and served, and not judged."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from immersiverse.auth.events import catalog
from immersiverse.auth.events.serialization.json.schema import schema_text

if TYPE_CHECKING:
    from unit.embedded.caller import Caller


def body(schema: Any) -> dict[str, Any]:
    return {"schemaType": "JSON", "schema": json.dumps(schema)}


@pytest.mark.parametrize("schema", [17, "text", []])
def test_what_is_not_a_json_object_is_refused(ask: Caller, schema: Any) -> None:
    assert ask.code("POST", "/subjects/s/versions", body(schema)) == 42201


def test_the_order_of_keys_makes_no_new_version(ask: Caller) -> None:
    first = {"type": "object", "properties": {"a": {"type": "string"}}}
    assert ask.register("s", body(first)) == ask.register("s", body(dict(reversed(first.items()))))


def test_the_contracts_own_schemas_are_stored_as_they_are(ask: Caller) -> None:
    for name in catalog.EVENT_TYPES:
        schema_id = ask.register(name, {"schemaType": "JSON", "schema": schema_text(name)})
        assert ask.ok("GET", f"/schemas/ids/{schema_id}")["schema"] == schema_text(name)
