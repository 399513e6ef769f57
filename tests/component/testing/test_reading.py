from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from component.testing.schemas import record

if TYPE_CHECKING:
    from component.testing.caller import Caller


@pytest.fixture
def filled(ask: Caller) -> Caller:
    for subject, fields in (("a-value", "x"), ("a-value", "xy"), ("b-value", "z"), ("c", "x")):
        ask.register(subject, record(*fields))
    ask.ok("DELETE", "/subjects/c")
    return ask


def test_subjects_are_listed_by_prefix_and_deletion(filled: Caller) -> None:
    assert filled.ok("GET", "/subjects") == ["a-value", "b-value"]
    assert filled.ok("GET", "/subjects?deleted=true") == ["a-value", "b-value", "c"]
    for prefix in (":*:b", "b"):
        assert filled.ok("GET", f"/subjects?subjectPrefix={prefix}") == ["b-value"]
    assert filled.ok("GET", "/subjects?subjectPrefix=:*:") == ["a-value", "b-value"]


def test_versions_are_listed_in_order(filled: Caller) -> None:
    assert filled.ok("GET", "/subjects/a-value/versions") == [1, 2]
    assert filled.code("GET", "/subjects/c/versions") == 40401
    assert filled.ok("GET", "/subjects/c/versions?deleted=true") == [1]
    filled.ok("DELETE", "/subjects/a-value/versions/1")
    assert filled.ok("GET", "/subjects/a-value/versions") == [2]


def test_a_version_is_found_by_number_and_as_the_latest(filled: Caller) -> None:
    by_number = filled.ok("GET", "/subjects/a-value/versions/2")
    assert by_number == filled.ok("GET", "/subjects/a-value/versions/latest")
    assert by_number == filled.ok("GET", "/subjects/a-value/versions/-1")


def test_a_malformed_version_and_a_missing_one_have_different_codes(filled: Caller) -> None:
    assert filled.code("GET", "/subjects/a-value/versions/3") == 40402
    assert filled.code("GET", "/subjects/none/versions/1") == 40401
    for nonsense in ("0", "-2", "first", "1.0", "9" * 5000, "2147483648", "%D9%A1"):
        assert filled.code("GET", f"/subjects/a-value/versions/{nonsense}") == 42202


def test_a_schema_is_found_by_id_whatever_subject_is_named(filled: Caller) -> None:
    plain = filled.ok("GET", "/schemas/ids/1")
    assert plain.keys() == {"schema", "id", "guid"}
    for subject in ("a-value", "", "elsewhere"):
        named = filled.ok("GET", f"/schemas/ids/1?subject={subject}")
        assert named.items() > plain.items()
    assert filled.ok("GET", "/schemas/ids/1?subject=a-value")["subject"] == "a-value"
    assert filled.ok("GET", "/schemas/ids/1?subject=c")["subject"] == "c"
    assert filled.code("GET", "/schemas/ids/99") == 40403
    assert filled.code("GET", "/schemas/ids/one") == 404
    assert filled.code("GET", "/schemas/guids/none") == 40403
    for holders in ("subjects", "versions"):
        assert filled.code("GET", f"/schemas/ids/99/{holders}") == 40403


def test_it_has_no_associations_so_that_clients_use_the_topics_name(ask: Caller) -> None:
    assert ask.ok("GET", "/associations/resources/-/login?resourceType=topic&associationType=value") == []


def test_it_names_the_types_of_schemas(ask: Caller) -> None:
    assert set(ask.ok("GET", "/schemas/types")) == {"AVRO", "PROTOBUF", "JSON"}
    assert ask.ok("GET", "/") == {}
