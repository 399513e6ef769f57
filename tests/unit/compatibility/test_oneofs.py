"""What Confluent's rules say about oneofs: fields that could be set together must stay so."""

from __future__ import annotations


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
