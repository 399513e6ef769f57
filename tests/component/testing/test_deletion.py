from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from component.testing.schemas import body, record

if TYPE_CHECKING:
    from component.testing.caller import Caller


@pytest.fixture
def two(ask: Caller) -> Caller:
    ask.register("s", record("a"))
    ask.register("s", record("a", "b"))
    return ask


def test_a_softly_deleted_version_is_hidden_but_still_answers_by_id(two: Caller) -> None:
    assert two.ok("DELETE", "/subjects/s/versions/1") == 1
    assert two.ok("GET", "/subjects/s/versions") == [2]
    assert two.code("GET", "/subjects/s/versions/1") == 40402
    assert two.ok("GET", "/subjects/s/versions/1?deleted=true")["deleted"] is True
    assert two.ok("GET", "/schemas/ids/1")["schema"] == record("a")["schema"]
    assert two.code("POST", "/subjects/s", record("a")) == 40403
    assert two.ok("POST", "/subjects/s?deleted=true", record("a"))["version"] == 1


def test_what_is_deleted_for_good_is_deleted_softly_first(two: Caller) -> None:
    assert two.code("DELETE", "/subjects/s/versions/1?permanent=true") == 40407
    two.ok("DELETE", "/subjects/s/versions/1")
    assert two.code("DELETE", "/subjects/s/versions/1") == 40406
    assert two.ok("DELETE", "/subjects/s/versions/1?permanent=true") == 1
    assert two.code("GET", "/schemas/ids/1") == 40403
    assert two.code("DELETE", "/subjects/s/versions/1") == 40402


def test_a_subject_is_deleted_softly_and_then_for_good(two: Caller) -> None:
    assert two.code("DELETE", "/subjects/s?permanent=true") == 40405
    assert two.ok("DELETE", "/subjects/s") == [1, 2]
    assert two.code("DELETE", "/subjects/s") == 40404
    assert two.ok("DELETE", "/subjects/s?permanent=true") == [1, 2]
    assert two.code("DELETE", "/subjects/s?permanent=true") == 40401
    assert two.ok("GET", "/subjects?deleted=true") == []


def test_ids_are_never_given_twice(two: Caller) -> None:
    two.ok("DELETE", "/subjects/s")
    two.ok("DELETE", "/subjects/s?permanent=true")
    assert two.register("s", record("a")) == 3
    assert two.ok("GET", "/subjects/s/versions") == [1]


def test_a_schema_registered_again_after_a_soft_delete_is_a_new_version_of_the_same_id(two: Caller) -> None:
    two.ok("DELETE", "/subjects/s/versions/2")
    again = two.ok("POST", "/subjects/s/versions", record("a", "b"))
    assert (again["id"], again["version"]) == (2, 3)


def test_the_latest_version_is_never_a_deleted_one(two: Caller) -> None:
    assert two.ok("DELETE", "/subjects/s/versions/latest") == 2
    assert two.ok("GET", "/subjects/s/versions/latest?deleted=true")["version"] == 1
    assert two.ok("DELETE", "/subjects/s/versions/latest") == 1
    for method, query in (("GET", "?deleted=true"), ("DELETE", ""), ("DELETE", "?permanent=true")):
        assert two.code(method, f"/subjects/s/versions/latest{query}") == 40402


def test_a_schema_stays_while_another_subject_holds_it(two: Caller) -> None:
    two.register("t", record("a"))
    two.ok("DELETE", "/subjects/s")
    two.ok("DELETE", "/subjects/s?permanent=true")
    assert two.ok("GET", "/schemas/ids/1/subjects") == ["t"]


def test_what_others_import_cannot_be_deleted(ask: Caller) -> None:
    ask.register("kind", body({"type": "enum", "name": "Kind", "symbols": ["A"]}))
    ask.register("r", body(["null", "Kind"], [{"name": "Kind", "subject": "kind", "version": 1}]))
    assert ask.code("DELETE", "/subjects/kind") == 42206
    assert ask.code("DELETE", "/subjects/kind/versions/1") == 42206
    ask.ok("DELETE", "/subjects/r")
    assert ask.ok("DELETE", "/subjects/kind") == [1]
    assert ask.code("DELETE", "/subjects/kind?permanent=true") == 42206
    ask.ok("DELETE", "/subjects/r?permanent=true")
    assert ask.ok("DELETE", "/subjects/kind?permanent=true") == [1]


def test_a_subject_whose_versions_import_each_other_is_deleted_as_a_whole(ask: Caller) -> None:
    ask.ok("PUT", "/config", {"compatibility": "NONE"})
    ask.register("s", body({"type": "enum", "name": "Kind", "symbols": ["A"]}))
    ask.register("s", body(["null", "Kind"], [{"name": "Kind", "subject": "s", "version": 1}]))
    assert ask.code("DELETE", "/subjects/s/versions/1") == 42206
    assert ask.ok("DELETE", "/subjects/s") == [1, 2]
    assert ask.ok("DELETE", "/subjects/s?permanent=true") == [1, 2]


def test_a_subject_deleted_for_good_loses_its_level(two: Caller) -> None:
    two.ok("PUT", "/config/s", {"compatibility": "FULL"})
    two.ok("DELETE", "/subjects/s")
    assert two.ok("GET", "/config/s") == {"compatibilityLevel": "FULL"}
    two.ok("DELETE", "/subjects/s?permanent=true")
    assert two.code("GET", "/config/s") == 40408
