from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from unit.embedded.avro_schemas import record

if TYPE_CHECKING:
    from unit.embedded.caller import Caller


@pytest.fixture
def filled(ask: Caller) -> Caller:
    for subject, fields in (("a-value", "x"), ("a-value", "xy"), ("b-value", "z"), ("c", "x")):
        ask.register(subject, record(*fields))
    ask.ok("DELETE", "/subjects/c")
    return ask


def test_subjects_are_listed_by_prefix_page_and_deletion(filled: Caller) -> None:
    assert filled.ok("GET", "/subjects") == ["a-value", "b-value"]
    assert filled.ok("GET", "/subjects?deleted=true") == ["a-value", "b-value", "c"]
    assert filled.ok("GET", "/subjects?deletedOnly=true") == ["c"]
    filled.ok("DELETE", "/subjects/a-value/versions/1")
    assert filled.ok("GET", "/subjects?deletedOnly=true&deleted=true") == ["c"]
    for prefix in (":*:b", ":.:b", "b"):
        assert filled.ok("GET", f"/subjects?subjectPrefix={prefix}") == ["b-value"]
    assert filled.ok("GET", "/subjects?subjectPrefix=:*:") == ["a-value", "b-value"]
    assert filled.ok("GET", "/subjects/:.:b-value/versions") == [1]
    assert filled.ok("GET", "/subjects?deleted=True&deleted_only=False&offset=1&limit=1") == ["b-value"]
    for none in (-1, 0):
        assert filled.ok("GET", f"/subjects?offset=0&limit={none}") == ["a-value", "b-value"]
    assert filled.code("GET", "/subjects?limit=many") == 400


def test_versions_are_listed_in_order(filled: Caller) -> None:
    assert filled.ok("GET", "/subjects/a-value/versions") == [1, 2]
    assert filled.ok("GET", "/subjects/a-value/versions?offset=1&limit=5") == [2]
    assert filled.code("GET", "/subjects/c/versions") == 40401
    assert filled.ok("GET", "/subjects/c/versions?deleted=true") == [1]
    assert filled.ok("GET", "/subjects/c/versions?deletedOnly=true") == [1]
    assert filled.ok("GET", "/subjects/a-value/versions?deletedOnly=true") == []
    filled.ok("DELETE", "/subjects/a-value/versions/1")
    assert filled.ok("GET", "/subjects/a-value/versions?deletedAsNegative=true") == [-1, 2]


def test_a_version_is_found_by_number_and_as_the_latest(filled: Caller) -> None:
    by_number = filled.ok("GET", "/subjects/a-value/versions/2")
    assert by_number == filled.ok("GET", "/subjects/a-value/versions/latest")
    assert by_number == filled.ok("GET", "/subjects/a-value/versions/-1")
    assert filled.ok("GET", "/subjects/a-value/versions/1/schema") == filled.ok(
        "GET", "/schemas/ids/1/schema"
    )


def test_a_version_that_is_none_is_told_from_one_that_is_missing(filled: Caller) -> None:
    assert filled.code("GET", "/subjects/a-value/versions/3") == 40402
    assert filled.code("GET", "/subjects/none/versions/1") == 40401
    for nonsense in ("0", "-2", "first", "1.0", "9" * 5000, "2147483648", "%D9%A1"):
        assert filled.code("GET", f"/subjects/a-value/versions/{nonsense}") == 42202


def test_a_schema_is_found_by_id_whatever_subject_is_named(filled: Caller) -> None:
    plain = filled.ok("GET", "/schemas/ids/1")
    assert plain.keys() == {"schema", "guid"}
    for subject in ("a-value", "", "elsewhere"):
        named = filled.ok("GET", f"/schemas/ids/1?subject={subject}")
        assert named.items() > plain.items()
    assert filled.ok("GET", "/schemas/ids/1?subject=a-value")["subject"] == "a-value"
    assert filled.ok("GET", "/schemas/ids/1?subject=c")["subject"] == "c"
    assert filled.code("GET", "/schemas/ids/99") == 40403
    assert filled.code("GET", "/schemas/ids/one") == 404
    assert filled.code("GET", "/schemas/guids/none") == 40403
    assert filled.ok("GET", "/schemas/guids/none/ids") == []
    for holders in ("subjects", "versions"):
        assert filled("GET", f"/schemas/ids/99/{holders}")[1]["message"] == "Schema not found"


def test_all_schemas_are_listed(filled: Caller) -> None:
    listed = filled.ok("GET", "/schemas")
    assert [(one["subject"], one["version"]) for one in listed] == [
        ("a-value", 1),
        ("a-value", 2),
        ("b-value", 1),
    ]
    latest = filled.ok("GET", "/schemas?latestOnly=true&subjectPrefix=a")
    assert [one["version"] for one in latest] == [2]
    assert [one["subject"] for one in filled.ok("GET", "/schemas?deleted=true&subjectPrefix=:*:c")] == ["c"]


def test_what_the_registry_is_and_can_is_answered(ask: Caller) -> None:
    assert ask.ok("GET", "/") == {}
    assert set(ask.ok("GET", "/schemas/types")) == {"AVRO", "PROTOBUF", "JSON"}
    assert ask.ok("GET", "/contexts") == ["."]
    assert ask.ok("GET", "/associations/resources/-/login?resourceType=topic&associationType=value") == []
