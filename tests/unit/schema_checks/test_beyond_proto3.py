"""Groups, features of editions, extension fields and methods: no change of them is "nothing changed"."""

from __future__ import annotations

import pytest

EDITION = "2023"


@pytest.fixture
def both_ways(refused):
    """What is refused of a change, and that something is of its reverse."""

    def judged(old, new, **options):
        assert refused(new, old, **options)
        assert refused(old, old, **options) == set()
        return refused(old, new, **options)

    return judged


def test_a_group_is_no_message(both_ways):
    old = "message Book { optional group Page = 1 { optional int32 n = 1; } }"
    new = "message Book { message Page { optional int32 n = 1; } optional Page page = 1; }"
    assert both_ways(old, new, syntax="proto2") == {"FIELD_TYPE_CHANGED #/Book/1"}


@pytest.mark.parametrize(
    "feature",
    [
        "message_encoding = DELIMITED",
        "field_presence = LEGACY_REQUIRED",
        "field_presence = IMPLICIT",
    ],
)
def test_a_feature_of_a_field_is_part_of_it(both_ways, feature):
    kind = "Page" if "message" in feature else "int32"
    old = f"message Page {{}} message Book {{ {kind} page = 1; }}"
    new = f"message Page {{}} message Book {{ {kind} page = 1 [features.{feature}]; }}"
    assert "FEATURES_CHANGED #/Book/1" in both_ways(old, new, syntax=EDITION)


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("", "option features.message_encoding = DELIMITED;", "#/"),
        ("", "option features.json_format = LEGACY_BEST_EFFORT;", "#/"),
        ("message B {}", "message B { option features.json_format = LEGACY_BEST_EFFORT; }", "#/B"),
        ("enum E { A = 0; }", "enum E { option features.enum_type = CLOSED; A = 0; }", "#/E"),
    ],
)
def test_a_feature_of_a_file_a_message_or_an_enum_is_part_of_it(both_ways, old, new, path):
    assert f"FEATURES_CHANGED {path}" in both_ways(old, new, syntax=EDITION)


def test_an_added_field_that_is_required_is_refused(refused):
    new = "message Book { int32 page = 1 [features.field_presence = LEGACY_REQUIRED]; }"
    assert "REQUIRED_FIELD_ADDED #/Book/1" in refused("message Book {}", new, syntax=EDITION)


EXTENDED = "message Book { extensions 100 to 200; } "


@pytest.mark.parametrize(
    "new",
    [
        "extend Book { optional int64 mark = 100; }",
        "extend Book { optional int32 label = 100; }",
        "extend Book { repeated int32 mark = 100; }",
        "extend Book { optional int32 mark = 100 [default = 2]; }",
    ],
)
def test_an_extension_field_keeps_type_name_cardinality_and_default(both_ways, new):
    old = f"{EXTENDED} extend Book {{ optional int32 mark = 100; }}"
    assert both_ways(old, EXTENDED + new, syntax="proto2") == {"EXTENSION_CHANGED #/library.Book/100"}


def test_an_extension_field_is_not_removed_and_may_be_added(refused):
    with_it = EXTENDED + "message Page { extend Book { optional int32 mark = 100; } }"
    without = EXTENDED + "message Page {}"
    assert refused(with_it, without, syntax="proto2") == {"EXTENSION_CHANGED #/library.Book/100"}
    assert refused(without, with_it, syntax="proto2") == set()


METHOD = "message A {} message B {} service S { rpc M (A) returns (A); }"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("(A) returns", "(B) returns"),
        ("returns (A)", "returns (B)"),
        ("(A) returns", "(stream A) returns"),
        ("returns (A)", "returns (stream A)"),
        ("(A);", "(A) { option idempotency_level = IDEMPOTENT; }"),
        ("rpc M ", "rpc N "),
    ],
)
def test_a_method_keeps_its_signature(both_ways, old, new):
    assert both_ways(METHOD, METHOD.replace(old, new)) == {"RPC_CHANGED #/S/M"}


def test_the_first_value_of_an_enum_stays_first(both_ways):
    old, new = "enum Size { SMALL = 1; LARGE = 2; }", "enum Size { LARGE = 2; SMALL = 1; }"
    assert both_ways(old, new, syntax="proto2") == {"ENUM_DEFAULT_CHANGED #/Size"}


def test_another_edition_is_another_syntax(refused):
    versions = {"old_options": {"syntax": "proto3"}, "new_options": {"syntax": EDITION}}
    assert "SYNTAX_CHANGED #/" in refused("message Book {}", "message Book {}", **versions)
