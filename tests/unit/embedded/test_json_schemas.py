"""JSON Schemas in the embedded registry: understood, resolved, judged."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from immersiverse.auth.events import catalog
from immersiverse.auth.events.serialization.json_schema import schema_text

if TYPE_CHECKING:
    from unit.embedded.caller import Caller


def body(schema: Any, references: Any = ()) -> dict[str, Any]:
    return {"schemaType": "JSON", "schema": json.dumps(schema), "references": list(references)}


@pytest.mark.parametrize("schema", [17, "text", [], {"type": "text"}, {"$ref": "#/$defs/Missing"}])
def test_what_is_no_json_schema_is_refused(ask: Caller, schema: Any) -> None:
    assert ask.code("POST", "/subjects/s/versions", body(schema)) == 42201


def test_the_order_of_keys_makes_no_new_version(ask: Caller) -> None:
    first = {"type": "object", "properties": {"a": {"type": "string"}}}
    assert ask.register("s", body(first)) == ask.register("s", body(dict(reversed(first.items()))))


def test_a_limit_that_came_is_refused_by_its_place(ask: Caller) -> None:
    ask.register("s", body({"properties": {"a": {"type": "string"}}, "additionalProperties": False}))
    tighter = {"properties": {"a": {"type": "string", "maxLength": 5}}, "additionalProperties": False}
    status, refusal = ask("POST", "/subjects/s/versions", body(tighter))
    assert status == 409
    assert "MAX_LENGTH_ADDED" in refusal["message"]
    assert "#/properties/a/maxLength" in refusal["message"]


def test_a_keyword_without_a_rule_is_refused_and_named(ask: Caller) -> None:
    ask.register("s", body({"type": "object"}))
    status, refusal = ask("POST", "/subjects/s/versions", body({"type": "object", "if": {"required": ["a"]}}))
    assert status == 409
    assert "NOT_JUDGED" in refusal["message"]
    assert "#/if" in refusal["message"]


def test_json_schemas_are_judged_with_what_they_import(ask: Caller) -> None:
    ask.ok("PUT", "/config/name", {"compatibility": "NONE"})
    ask.register("name", body({"type": "string"}))
    ask.register("name", body({"type": "string", "minLength": 9}))
    schema = {"properties": {"author": {"$ref": "name.json"}}, "required": ["author"]}
    old, new = ([{"name": "name.json", "subject": "name", "version": number}] for number in (1, 2))
    ask.register("book", body(schema, old))
    assert ask.code("POST", "/subjects/book/versions", body(schema, new)) == 409
    assert ask.register("book", body({**schema, "required": []}, old))


def test_the_contracts_own_schemas_are_taken_and_do_not_change(ask: Caller) -> None:
    for name in catalog.EVENT_TYPES:
        schema = json.loads(schema_text(name))
        assert ask.register(name, body(schema)) == ask.register(name, body(schema))
        looser = {**schema, "required": []}
        assert ask.ok("POST", f"/compatibility/subjects/{name}/versions", body(looser))["is_compatible"]
        assert not ask.ok("POST", f"/compatibility/subjects/{name}/versions", body({"type": "string"}))[
            "is_compatible"
        ]
