"""What Confluent's rules say about a field: its type, its label, its name, its oneof."""

from __future__ import annotations

from itertools import combinations

import pytest

from immersiverse.auth.events.schema_checks.protobuf.comparison import compare

GROUPS = [
    ["int32", "uint32", "int64", "uint64", "bool", "Genre"],
    ["sint32", "sint64"],
    ["string", "bytes"],
    ["fixed32", "sfixed32"],
    ["fixed64", "sfixed64"],
    ["float"],
    ["double"],
]
GENRE = "enum Genre { GENRE_UNSPECIFIED = 0; GENRE_POETRY = 1; } "


@pytest.fixture(scope="module")
def one_field(schema):
    """The same book with a field of every scalar type and of an enum."""
    return {
        name: schema(GENRE + f"message Book {{ {name} mark = 4; }}") for group in GROUPS for name in group
    }


def test_scalars_of_one_group_read_each_other(one_field):
    for group in GROUPS:
        for old, new in combinations(group, 2):
            assert compare(one_field[old], one_field[new]) == [], (old, new)
            assert compare(one_field[new], one_field[old]) == [], (new, old)


def test_scalars_of_different_groups_do_not(one_field):
    for one, other in combinations(GROUPS, 2):
        for old in one:
            for new in other:
                (change,) = compare(one_field[old], one_field[new])
                found = (change.kind, change.path, change.compatible)
                assert found == ("FIELD_SCALAR_KIND_CHANGED", "#/Book/4", False), (old, new)


@pytest.mark.parametrize("syntax", ["proto2", "proto3"])
def test_an_optional_field_may_come_and_go(verdict, syntax):
    with_one = "message Book { optional string title = 1; }"
    with_two = "message Book { optional string title = 1; optional int32 pages = 2; }"
    assert verdict(with_one, with_two, syntax=syntax) == (True, {"FIELD_ADDED #/Book/2"})
    assert verdict(with_two, with_one, syntax=syntax) == (True, {"FIELD_REMOVED #/Book/2"})


def test_a_required_field_may_neither_come_nor_go(verdict):
    without = "message Book { optional string title = 1; }"
    having = "message Book { optional string title = 1; required int32 pages = 2; }"
    assert verdict(without, having, syntax="proto2") == (False, {"REQUIRED_FIELD_ADDED #/Book/2"})
    assert verdict(having, without, syntax="proto2") == (False, {"REQUIRED_FIELD_REMOVED #/Book/2"})


def test_a_new_name_is_no_harm_and_a_new_number_is_a_removal_and_an_addition(verdict):
    old = "message Book { string title = 1; }"
    assert verdict(old, "message Book { string name = 1; }") == (True, {"FIELD_NAME_CHANGED #/Book/1"})
    assert verdict(old, "message Book { string title = 2; }") == (
        True,
        {"FIELD_REMOVED #/Book/1", "FIELD_ADDED #/Book/2"},
    )


def test_a_scalar_a_message_and_a_map_are_of_different_kinds(verdict):
    bodies = [
        "message Page {} message Book { string part = 3; }",
        "message Page {} message Book { Page part = 3; }",
        "message Page {} message Book { map<string, Page> part = 3; }",
    ]
    for old, new in combinations(bodies, 2):
        assert verdict(old, new) == (False, {"FIELD_KIND_CHANGED #/Book/3"})
        assert verdict(new, old) == (False, {"FIELD_KIND_CHANGED #/Book/3"})


def test_a_field_may_not_change_to_another_message(verdict):
    types = "message Page {} message Cover {} "
    assert verdict(types + "message Book { Page part = 3; }", types + "message Book { Cover part = 3; }") == (
        False,
        {"FIELD_NAMED_TYPE_CHANGED #/Book/3"},
    )


def test_a_field_may_change_to_another_enum(verdict):
    types = "enum Size { SMALL = 0; } enum Color { RED = 0; } "
    assert verdict(types + "message Book { Size mark = 3; }", types + "message Book { Color mark = 3; }") == (
        True,
        set(),
    )


def test_labels_of_numbers_may_not_change(verdict):
    for one, other in combinations(["optional", "required", "repeated"], 2):
        for number in ("int32", "sint64", "fixed32", "sfixed64", "float", "double", "bool"):
            old = f"message Book {{ {one} {number} mark = 1; }}"
            new = f"message Book {{ {other} {number} mark = 1; }}"
            assert verdict(old, new, syntax="proto2") == (False, {"FIELD_NUMERIC_LABEL_CHANGED #/Book/1"})


def test_labels_of_enums_are_labels_of_numbers(verdict):
    old, new = (GENRE + f"message Book {{ {label} Genre genre = 1; }}" for label in ("optional", "repeated"))
    assert verdict(old, new, syntax="proto2") == (False, {"FIELD_NUMERIC_LABEL_CHANGED #/Book/1"})


def test_labels_of_strings_and_bytes_may_change(verdict):
    for text in ("string", "bytes"):
        old, new = (f"message Book {{ {label} {text} mark = 1; }}" for label in ("optional", "repeated"))
        assert verdict(old, new) == (True, {"FIELD_STRING_OR_BYTES_LABEL_CHANGED #/Book/1"})


def test_labels_of_messages_are_not_looked_at(verdict):
    old = "message Page {} message Book { optional Page page = 1; }"
    new = "message Page {} message Book { repeated Page page = 1; }"
    assert verdict(old, new) == (True, set())


def test_a_label_that_is_not_written_differs_from_none(verdict):
    for label in ("optional", "repeated"):
        old, new = "message Book { int32 mark = 1; }", f"message Book {{ {label} int32 mark = 1; }}"
        assert verdict(old, new) == (True, set())


def test_a_changed_type_is_reported_instead_of_a_changed_label(verdict):
    old, new = "message Book { optional int32 m = 1; }", "message Book { repeated string m = 1; }"
    assert verdict(old, new) == (False, {"FIELD_SCALAR_KIND_CHANGED #/Book/1"})


def test_maps_are_compared_by_their_keys_and_values(verdict):
    def book(kind):
        return f"message Page {{}} message Cover {{}} message Book {{ {kind} parts = 5; }}"

    old = book("map<int32, Page>")
    assert verdict(old, book("map<int64, Page>")) == (True, set())
    assert verdict(old, book("map<string, Page>")) == (False, {"FIELD_SCALAR_KIND_CHANGED #/Book/5"})
    assert verdict(old, book("map<int32, Cover>")) == (False, {"FIELD_NAMED_TYPE_CHANGED #/Book/5"})
    assert verdict(old, book("map<int32, string>")) == (False, {"FIELD_KIND_CHANGED #/Book/5"})


def test_a_renamed_map_is_a_renamed_field_and_its_hidden_message_is_not_mentioned(verdict):
    old, new = "message Book { map<string, int32> a = 1; }", "message Book { map<string, int32> b = 1; }"
    assert verdict(old, new) == (True, {"FIELD_NAME_CHANGED #/Book/1"})
    assert verdict(old, "message Book {}") == (True, {"FIELD_REMOVED #/Book/1"})


# Oneofs: fields that could be set together must stay so.


def test_a_oneof_may_get_a_new_member_but_not_lose_one(verdict):
    two = "message Post { oneof to { string street = 1; string box = 2; } }"
    three = "message Post { oneof to { string street = 1; string box = 2; string counter = 3; } }"
    assert verdict(two, three) == (True, {"ONEOF_FIELD_ADDED #/Post/to/3"})
    assert verdict(three, two) == (False, {"ONEOF_FIELD_REMOVED #/Post/to/3"})


def test_one_lone_field_may_go_into_a_new_oneof(verdict):
    old = "message Post { string street = 1; string note = 2; }"
    new = "message Post { oneof to { string street = 1; } string note = 2; }"
    assert verdict(old, new) == (True, {"ONEOF_ADDED #/Post/to"})


def test_a_new_oneof_may_join_a_lone_field_with_new_ones(verdict):
    old = "message Post { string street = 1; }"
    new = "message Post { oneof to { string street = 1; string box = 2; } }"
    assert verdict(old, new) == (True, {"ONEOF_ADDED #/Post/to", "ONEOF_FIELD_ADDED #/Post/to/2"})


def test_two_lone_fields_may_not_go_into_one_oneof(verdict):
    old = "message Post { string street = 1; string box = 2; }"
    new = "message Post { oneof to { string street = 1; string box = 2; } }"
    assert verdict(old, new) == (False, {"MULTIPLE_FIELDS_MOVED_TO_ONEOF #/Post/to", "ONEOF_ADDED #/Post/to"})


def test_a_lone_field_may_not_join_members_that_were_there(verdict):
    old = "message Post { oneof to { string street = 1; } string box = 2; }"
    new = "message Post { oneof to { string street = 1; string box = 2; } }"
    assert verdict(old, new) == (False, {"FIELD_MOVED_TO_EXISTING_ONEOF #/Post/to"})


def test_members_of_two_oneofs_may_not_come_together(verdict):
    old = "message Post { oneof to { string street = 1; } oneof by { string van = 2; string bike = 3; } }"
    new = "message Post { oneof to { string street = 1; string van = 2; } oneof by { string bike = 3; } }"
    assert verdict(old, new) == (False, {"FIELD_MOVED_TO_EXISTING_ONEOF #/Post/to"})


def test_a_member_may_leave_its_oneof(verdict):
    old = "message Post { oneof to { string street = 1; string box = 2; } }"
    new = "message Post { oneof to { string street = 1; } string box = 2; }"
    assert verdict(old, new) == (True, {"ONEOF_FIELD_MOVED_TO_TOP_LEVEL #/Post/2"})


def test_a_oneof_may_be_renamed_as_long_as_its_members_stay(verdict):
    old = "message Post { oneof to { string street = 1; string box = 2; } }"
    renamed = "message Post { oneof target { string street = 1; string box = 2; } }"
    short = "message Post { oneof target { string street = 1; } }"
    assert verdict(old, renamed) == (True, {"ONEOF_REMOVED #/Post/to", "ONEOF_ADDED #/Post/target"})
    assert verdict(old, short) == (
        False,
        {"ONEOF_REMOVED #/Post/to", "ONEOF_ADDED #/Post/target", "ONEOF_FIELD_REMOVED #/Post/to/2"},
    )


def test_a_oneof_may_go_with_all_its_members(verdict):
    old = "message Post { oneof to { string street = 1; string box = 2; } }"
    assert verdict(old, "message Post {}") == (True, {"ONEOF_REMOVED #/Post/to"})


def test_a_type_that_changes_is_found_wherever_its_field_moved(verdict):
    member = "message Post { oneof to { string street = 1; } }"
    assert verdict(member, "message Post { int32 street = 1; }") == (
        False,
        {
            "ONEOF_REMOVED #/Post/to",
            "ONEOF_FIELD_MOVED_TO_TOP_LEVEL #/Post/1",
            "FIELD_SCALAR_KIND_CHANGED #/Post/1",
        },
    )
    assert verdict("message Post { int32 street = 1; }", member) == (
        False,
        {"ONEOF_ADDED #/Post/to", "FIELD_SCALAR_KIND_CHANGED #/Post/to/1"},
    )


def test_a_proto3_optional_is_not_a_oneof(verdict):
    old, new = "message Post { string note = 1; }", "message Post { optional string note = 1; }"
    assert verdict(old, new) == (True, set())


def test_an_optional_that_becomes_a_member_does_not_change_its_label(verdict):
    old, new = "message Post { optional int32 a = 1; }", "message Post { oneof to { int32 a = 1; } }"
    assert verdict(old, new, syntax="proto2") == (True, {"ONEOF_ADDED #/Post/to"})
