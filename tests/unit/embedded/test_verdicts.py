from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from unit.embedded.avro_schemas import body, record

if TYPE_CHECKING:
    from unit.embedded.caller import Caller

NARROW, WIDE = record("a"), record("a", "b")
MANDATORY = body(
    {"type": "record", "name": "Login", "namespace": "test", "fields": [{"name": "m", "type": "int"}]}
)


def test_what_cannot_read_what_is_there_is_refused_with_the_reason(ask: Caller) -> None:
    ask.register("s", NARROW)
    assert ask.register("s", WIDE) == 2
    status, refusal = ask("POST", "/subjects/s/versions", MANDATORY)
    assert (status, refusal["error_code"]) == (409, 409)
    for part in (
        'subject "s"',
        "READER_FIELD_MISSING_DEFAULT_VALUE at #/Login/m: ",
        "Give the field a default.",
        "compared with version 2 at level BACKWARD",
    ):
        assert part in refusal["message"]
    assert ask.ok("GET", "/subjects/s/versions") == [1, 2]


def test_a_verdict_without_registering_says_why_when_asked(ask: Caller) -> None:
    ask.register("s", NARROW)
    for path in ("/versions", "/versions/1", "/versions/latest"):
        target = f"/compatibility/subjects/s{path}"
        assert ask.ok("POST", target, WIDE) == {"is_compatible": True}
        assert ask.ok("POST", f"{target}?verbose=True", WIDE) == {"is_compatible": True, "messages": []}
        assert ask.ok("POST", target, MANDATORY) == {"is_compatible": False}
        assert ask.ok("POST", f"{target}?verbose=true", MANDATORY)["messages"]
    assert ask.ok("GET", "/subjects/s/versions") == [1]


def test_anything_is_compatible_with_a_subject_that_has_no_version(ask: Caller) -> None:
    assert ask.ok("POST", "/compatibility/subjects/s/versions", NARROW)["is_compatible"]
    assert ask.ok("POST", "/compatibility/subjects/s/versions/latest", NARROW)["is_compatible"]
    assert ask.code("POST", "/compatibility/subjects/s/versions/1", NARROW) == 40402
    assert ask.code("POST", "/compatibility/subjects/s/versions/first", NARROW) == 42202
    ask.register("s", NARROW)
    assert ask.code("POST", "/compatibility/subjects/s/versions/2", NARROW) == 40402
    assert ask.code("POST", "/compatibility/subjects/s/versions", {"schema": "{"}) == 42201


def test_no_level_no_objection(ask: Caller) -> None:
    ask.register("s", NARROW)
    ask.ok("PUT", "/config/s", {"compatibility": "NONE"})
    assert ask.register("s", MANDATORY) == 2


@pytest.mark.parametrize(("level", "allowed"), [("BACKWARD", True), ("BACKWARD_TRANSITIVE", False)])
def test_only_transitive_levels_ask_every_version(ask: Caller, level: str, allowed: bool) -> None:
    ask.ok("PUT", "/config", {"compatibility": "NONE"})
    ask.register("s", body({"type": "record", "name": "A", "fields": [{"name": "x", "type": "string"}]}))
    ask.register("s", body({"type": "record", "name": "A", "fields": []}))
    ask.ok("PUT", "/config", {"compatibility": level})
    third = body({"type": "record", "name": "A", "fields": [{"name": "x", "type": "int", "default": 0}]})
    assert ask.ok("POST", "/compatibility/subjects/s/versions", third)["is_compatible"] is allowed
    assert (ask("POST", "/subjects/s/versions", third)[0] == 200) is allowed


def test_forward_and_backward_are_opposite_directions(ask: Caller) -> None:
    ask.register("s", body({"type": "record", "name": "A", "fields": [{"name": "x", "type": "int"}]}))
    longer = body({"type": "record", "name": "A", "fields": [{"name": "x", "type": "long"}]})
    for level, allowed in (("BACKWARD", True), ("FORWARD", False), ("FULL", False)):
        ask.ok("PUT", "/config/s", {"compatibility": level})
        assert ask.ok("POST", "/compatibility/subjects/s/versions", longer)["is_compatible"] is allowed


def test_deleted_versions_are_not_asked(ask: Caller) -> None:
    ask.register("s", NARROW)
    ask.ok("DELETE", "/subjects/s/versions/1")
    assert ask.register("s", MANDATORY) == 2


def test_another_type_of_schema_is_incompatible(ask: Caller) -> None:
    ask.register("s", NARROW)
    assert ask.code("POST", "/subjects/s/versions", {"schemaType": "JSON", "schema": "{}"}) == 409


def test_json_schemas_are_stored_and_not_judged(ask: Caller) -> None:
    text, number = (
        {"schemaType": "JSON", "schema": json.dumps({"type": kind})} for kind in ("string", "number")
    )
    ask.register("s", text)
    assert ask.ok("POST", "/compatibility/subjects/s/versions?verbose=true", number) == {
        "is_compatible": True,
        "messages": [],
    }
    assert ask.register("s", number) == 2


def test_avro_schemas_are_judged_with_what_they_import(ask: Caller) -> None:
    ask.register("kind", body({"type": "enum", "name": "Kind", "namespace": "n", "symbols": ["A", "B"]}))
    ask.ok("PUT", "/config", {"compatibility": "NONE"})
    ask.register("kind", body({"type": "enum", "name": "Kind", "namespace": "n", "symbols": ["A"]}))
    ask.ok("PUT", "/config", {"compatibility": "BACKWARD"})
    both = {"type": "record", "name": "R", "fields": [{"name": f, "type": "n.Kind"} for f in ("one", "two")]}
    old, new = ([{"name": "n.Kind", "subject": "kind", "version": number}] for number in (1, 2))
    ask.register("r", body(both, old))
    assert ask.code("POST", "/subjects/r/versions", body(both, new)) == 409
    optional = both | {
        "fields": [*both["fields"], {"name": "t", "type": ["null", "n.Kind"], "default": None}]
    }
    assert ask.register("r", body(optional, old))


def test_schemas_that_are_too_deep_to_be_judged_are_refused_not_failed(ask: Caller) -> None:
    for kind, key in (("array", "items"), ("map", "values")):
        for depth in (90, 150, 400, 5_000):
            opening = f'{{"type":"{kind}","{key}":'
            deep = [{"schema": opening * depth + item + "}" * depth} for item in ('"int"', '"long"')]
            statuses = [ask("POST", f"/subjects/{kind}{depth}/versions", schema)[0] for schema in deep]
            assert statuses == ([200, 200] if depth < 100 else [422, 422])
    ask.register("r0", body({"type": "record", "name": "R0", "fields": []}))
    for number in range(1, 250):
        before = {"name": f"R{number - 1}", "subject": f"r{number - 1}", "version": 1}
        field = {"name": "inner", "type": ["null", before["name"]], "default": None}
        schema = {"type": "record", "name": f"R{number}", "fields": [field]}
        ask.register(f"r{number}", body(schema, [before]))
    status, _ = ask("POST", "/subjects/r249/versions", body(schema | {"doc": "said"}, [before]))
    assert status in {200, 422}
    nested = {"schemaType": "JSON", "schema": '{"a":' * 500 + "1" + "}" * 500}
    assert ask.code("POST", "/subjects/json/versions", nested) == 42201
