from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from component.testing.schemas import body, record

if TYPE_CHECKING:
    from component.testing.caller import Caller

NARROW, WIDE = record("a"), record("a", "b")
MANDATORY = body(
    {"type": "record", "name": "Login", "namespace": "test", "fields": [{"name": "m", "type": "int"}]}
)


def test_an_incompatible_schema_is_refused_with_the_reason(ask: Caller) -> None:
    ask.register("s", NARROW)
    assert ask.register("s", WIDE) == 2
    status, refusal = ask("POST", "/subjects/s/versions", MANDATORY)
    assert (status, refusal["error_code"]) == (409, 409)
    for part in (
        "subject 's'",
        "READER_FIELD_MISSING_DEFAULT_VALUE at #/Login/m: ",
        "Give the field a default; ",
        "compared with version 2 at level BACKWARD",
    ):
        assert part in refusal["message"]
    assert ask.ok("GET", "/subjects/s/versions") == [1, 2]


def test_a_check_registers_nothing_and_gives_the_reasons_if_verbose(ask: Caller) -> None:
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


def test_level_none_allows_everything(ask: Caller) -> None:
    ask.register("s", NARROW)
    ask.ok("PUT", "/config/s", {"compatibility": "NONE"})
    assert ask.register("s", MANDATORY) == 2


@pytest.mark.parametrize(("level", "allowed"), [("BACKWARD", True), ("BACKWARD_TRANSITIVE", False)])
def test_transitive_levels_compare_every_version(ask: Caller, level: str, allowed: bool) -> None:
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


def test_deleted_versions_are_not_compared(ask: Caller) -> None:
    ask.register("s", NARROW)
    ask.ok("DELETE", "/subjects/s/versions/1")
    assert ask.register("s", MANDATORY) == 2


def test_another_type_of_schema_is_incompatible(ask: Caller) -> None:
    ask.register("s", NARROW)
    assert ask.code("POST", "/subjects/s/versions", {"schemaType": "JSON", "schema": "{}"}) == 409


def test_every_json_schema_is_compatible(ask: Caller) -> None:
    text, number = (
        {"schemaType": "JSON", "schema": json.dumps({"type": kind})} for kind in ("string", "number")
    )
    ask.register("s", text)
    assert ask.ok("POST", "/compatibility/subjects/s/versions?verbose=true", number) == {
        "is_compatible": True,
        "messages": [],
    }
    assert ask.register("s", number) == 2


def test_avro_schemas_are_compared_with_what_they_import(ask: Caller) -> None:
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


PROTO = 'syntax = "proto3"; package library; message Book { %s title = 1; }'
LINE = (
    "FIELD_SCALAR_KIND_CHANGED at #/Book/1%s: The two types differ in bytes, so each reads the other's "
    "values wrong or not at all. Add a new field with a new number instead, fill both for a while, and "
    "deprecate the old one."
)
BACKWARD, FORWARD = LINE % "", LINE % " for readers on the old version"


def titled(kind: str) -> dict[str, str]:
    return {"schemaType": "PROTOBUF", "schema": PROTO % kind}


@pytest.mark.parametrize(
    ("level", "lines"),
    [("BACKWARD", [BACKWARD]), ("FORWARD", [FORWARD]), ("FULL_TRANSITIVE", [BACKWARD, FORWARD])],
)
def test_reasons_say_which_readers_a_change_breaks(ask: Caller, level: str, lines: list[str]) -> None:
    ask.register("s", titled("string"))
    ask.ok("PUT", "/config/s", {"compatibility": level})
    for path in ("versions", "versions/1", "versions/latest"):
        answer = ask.ok("POST", f"/compatibility/subjects/s/{path}?verbose=true", titled("int32"))
        last = f"compared with version 1 at level {level}"
        assert answer == {"is_compatible": False, "messages": [*lines, last]}


def test_a_transitive_level_names_the_newest_version_that_refuses(ask: Caller) -> None:
    ask.ok("PUT", "/config", {"compatibility": "NONE"})
    for kind in ("string", "float", "int32"):
        ask.register("s", titled(kind))
    ask.ok("PUT", "/config", {"compatibility": "BACKWARD_TRANSITIVE"})
    answer = ask.ok("POST", "/compatibility/subjects/s/versions?verbose=true", titled("int64"))
    assert answer["messages"] == [BACKWARD, "compared with version 2 at level BACKWARD_TRANSITIVE"]


def test_protobuf_schemas_are_compared_with_what_they_import(ask: Caller) -> None:
    ask.ok("PUT", "/config", {"compatibility": "NONE"})
    for kind in ("string", "int32"):
        ask.register("book", titled(kind))
    ask.ok("PUT", "/config", {"compatibility": "BACKWARD"})
    shelf = 'syntax = "proto3"; import "book.proto"; message Shelf { library.Book first = 1; }'
    old, new = (
        {
            "schemaType": "PROTOBUF",
            "schema": shelf,
            "references": [{"name": "book.proto", "subject": "book", "version": version}],
        }
        for version in (1, 2)
    )
    ask.register("shelf", old)
    assert ask.code("POST", "/subjects/shelf/versions", new) == 409
