from __future__ import annotations

import uuid

from component.testing.caller import Caller
from component.testing.schemas import body, record
from immersiverse.auth.events.testing.registry import EmbeddedRegistry


def test_a_registered_schema_is_answered_with_id_version_and_guid_but_never_with_itself(ask: Caller) -> None:
    first = ask.ok("POST", "/subjects/login-value/versions?normalize=False", record("user_id"))
    assert first.keys() == {"id", "version", "guid"}
    assert (first["id"], first["version"]) == (1, 1)
    assert str(uuid.UUID(first["guid"])) == first["guid"]


def test_registering_again_changes_nothing(ask: Caller) -> None:
    first = ask.ok("POST", "/subjects/s/versions", record("a"))
    assert ask.ok("POST", "/subjects/s/versions", record("a")) == first
    assert ask.ok("GET", "/subjects/s/versions") == [1]


def test_the_same_schema_has_one_id_under_every_subject(ask: Caller) -> None:
    assert ask.register("one", record("a")) == ask.register("two", record("a"))
    assert ask.register("two", record("a", "b")) == 2
    assert ask.ok("GET", "/schemas/ids/1/subjects") == ["one", "two"]
    assert ask.ok("GET", "/schemas/ids/1/versions") == [
        {"subject": "one", "version": 1},
        {"subject": "two", "version": 1},
    ]
    assert len(ask.ok("GET", "/schemas/ids/1/versions?subject=two")) == 2  # a hint, not a filter


def test_a_guid_depends_on_the_content_alone(ask: Caller) -> None:
    ask.register("first", record("other"))
    guid = ask.ok("POST", "/subjects/s/versions", record("a"))["guid"]
    with EmbeddedRegistry() as another:
        elsewhere = Caller(another.url)
        assert elsewhere.ok("POST", "/subjects/t/versions", record("a"))["guid"] == guid
        elsewhere.connection.close()
    assert ask.ok("GET", f"/schemas/guids/{guid}")["schema"] == record("a")["schema"]
    assert ask.ok("GET", f"/schemas/guids/{guid.upper()}")["id"] == 2


def test_looking_up_finds_only_what_the_subject_holds(ask: Caller) -> None:
    ask.register("s", record("a"))
    ask.register("t", record("b"))
    found = ask.ok("POST", "/subjects/s?normalize=False&deleted=False", record("a"))
    assert (found["subject"], found["id"], found["version"]) == ("s", 1, 1)
    assert found["schema"] == record("a")["schema"]
    assert ask.code("POST", "/subjects/s", record("b")) == 40403
    assert ask.code("POST", "/subjects/u", record("a")) == 40401
    assert ask.code("POST", "/subjects/u", {"schema": "{"}) == 42201
    assert ask.code("POST", "/subjects/s", {}) == 42201


def test_a_subject_may_hold_a_slash_when_it_is_encoded(ask: Caller) -> None:
    ask.register("proto%2Fv1%2Foptions.proto", record("a"))
    assert ask.ok("GET", "/subjects") == ["proto/v1/options.proto"]
    assert ask.ok("GET", "/subjects/proto%2Fv1%2Foptions.proto/versions/1")["subject"] == (
        "proto/v1/options.proto"
    )
    assert ask.code("GET", "/subjects/proto/v1/options.proto/versions") == 404


def test_metadata_and_rules_are_part_of_the_content_and_given_back(ask: Caller) -> None:
    extra = {"metadata": {"properties": {"owner": "auth"}}, "ruleSet": {"domainRules": []}}
    ask.register("s", record("a"))
    assert ask.register("s", record("a") | extra) == 2
    latest = ask.ok("GET", "/subjects/s/versions/latest")
    assert {"metadata": latest["metadata"], "ruleSet": latest["ruleSet"]} == extra


def test_unknown_keys_in_a_request_are_ignored(ask: Caller) -> None:
    assert ask.register("s", record("a") | {"propagateSchemaTags": True, "id": -1, "version": 0}) == 1


def test_references_are_resolved_and_counted(ask: Caller) -> None:
    ask.register("kind", body({"type": "enum", "name": "Kind", "namespace": "test", "symbols": ["A"]}))
    schema = {"type": "record", "name": "R", "fields": [{"name": "k", "type": "test.Kind"}]}
    reference = {"name": "test.Kind", "subject": "kind", "version": 1}
    assert ask.register("r", body(schema, [reference])) == 2
    assert ask.ok("GET", "/subjects/r/versions/latest")["references"] == [reference]
    assert ask.code("POST", "/subjects/r/versions", body(schema)) == 42201


def test_a_reference_to_the_latest_version_is_made_definite(ask: Caller) -> None:
    ask.register("kind", body({"type": "enum", "name": "Kind", "symbols": ["A"]}))
    ask.register("r", body(["null", "Kind"], [{"name": "Kind", "subject": "kind", "version": -1}]))
    assert ask.ok("GET", "/schemas/ids/2")["references"][0]["version"] == 1


def test_a_reference_that_leads_nowhere_makes_a_schema_invalid(ask: Caller) -> None:
    ask.register("kind", body("string"))
    for reference in (
        {"name": "x", "subject": "none", "version": 1},
        {"name": "x", "subject": "kind", "version": 9},
        {"name": "x", "subject": "kind"},
        {"name": "x", "subject": "kind", "version": True},
        "kind",
    ):
        assert ask.code("POST", "/subjects/r/versions", body("int", [reference])) == 42201


def test_a_long_chain_of_references_costs_no_stack(ask: Caller) -> None:
    ask.register("s0", body({"type": "enum", "name": "E0", "symbols": ["A"]}))
    for number in range(1, 300):
        before = {"name": f"E{number - 1}", "subject": f"s{number - 1}", "version": 1}
        ask.register(f"s{number}", body({"type": "enum", "name": f"E{number}", "symbols": ["A"]}, [before]))
    assert ask.ok("GET", "/subjects/s299/versions/1")["id"] == 300


def test_broken_schemas_are_refused_and_leave_nothing_behind(ask: Caller) -> None:
    for broken in (
        {},
        {"schema": ""},
        {"schema": 5},
        {"schema": "{"},
        {"schema": "[" * 100_000},
        {"schema": '{"type":"record"}'},
        {"schema": '{"type":"record","name":"A","fields":[{"name":"x","type":"Unknown"}]}'},
        {"schema": "5"},
        {"schema": "null"} | {"schemaType": "THRIFT"},
        {"schema": '"int"', "schemaType": ["AVRO"]},
        {"schema": '"int"', "references": "none"},
        {"schema": "{", "schemaType": "JSON"},
    ):
        assert ask.code("POST", "/subjects/s/versions", broken) == 42201, broken
    assert ask.ok("GET", "/subjects") == []


def test_avro_schemas_are_the_same_when_they_mean_the_same(ask: Caller) -> None:
    nested = {
        "name": "A",
        "fields": [{"type": {"symbols": ["X"], "name": "E", "type": "enum"}, "name": "e"}],
        "namespace": "n",
        "type": "record",
    }
    flat = {
        "type": "record",
        "name": "n.A",
        "fields": [{"name": "e", "type": {"type": "enum", "name": "n.E", "symbols": ["X"]}}],
    }
    assert ask.register("s", body(nested)) == ask.register("s", body(flat))
    documented = flat | {"doc": "What A is."}
    assert ask.register("s", body(documented)) == 2


def test_json_schemas_are_kept_as_they_are(ask: Caller) -> None:
    first = {"schemaType": "JSON", "schema": '{"type": "object", "title": "T"}'}
    second = {"schemaType": "JSON", "schema": '{"title":"T","type":"object"}'}
    assert ask.register("s", first) == ask.register("s", second)
    shown = ask.ok("GET", "/schemas/ids/1")
    assert (shown["schemaType"], shown["schema"]) == ("JSON", first["schema"])
