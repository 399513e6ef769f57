"""What Confluent's rules say about packages, messages and enums, and about types of other files."""

from __future__ import annotations

import pytest

from immersiverse.auth.events.schema_checks.protobuf.comparison import compare
from immersiverse.auth.events.schema_checks.protobuf.model import well_known_files
from immersiverse.auth.events.schema_checks.version import ProtoSchema


def imported(body, package="shelf"):
    """Options of the `verdict` fixture: one imported file."""
    return {"files": {"shelf.proto": f'syntax = "proto3"; package {package};\n{body}'}}


def test_the_package_may_not_change(verdict):
    body = "message Book { Page page = 1; } message Page {}"
    options = {"old_options": {"package": "library"}, "new_options": {"package": "archive"}}
    assert verdict(body, body, **options) == (False, {"PACKAGE_CHANGED #/"})


def test_a_message_may_come_and_move_but_not_go(verdict):
    one, two = "message Book {}", "message Page {} message Book {}"
    assert verdict(one, two) == (True, {"MESSAGE_ADDED #/Page", "MESSAGE_MOVED #/Book"})
    assert verdict(two, one) == (False, {"MESSAGE_REMOVED #/Page", "MESSAGE_MOVED #/Book"})


def test_nested_messages_follow_the_same_rules(verdict):
    old = "message Book { message Page { message Line { int32 ink = 1; } } }"
    changed = "message Book { message Page { message Line { string ink = 1; } } }"
    assert verdict(old, changed) == (False, {"FIELD_SCALAR_KIND_CHANGED #/Book/Page/Line/1"})
    gone = "message Book { message Page {} }"
    assert verdict(old, gone) == (False, {"MESSAGE_REMOVED #/Book/Page/Line"})


def test_moving_a_nested_message_to_the_top_removes_it_where_it_was(verdict):
    old = "message Book { message Page {} Page page = 1; }"
    new = "message Book { Page page = 1; } message Page {}"
    assert verdict(old, new) == (
        False,
        {"MESSAGE_REMOVED #/Book/Page", "MESSAGE_ADDED #/Page", "FIELD_NAMED_TYPE_CHANGED #/Book/1"},
    )


@pytest.mark.parametrize("syntax", ["proto2", "proto3"])
def test_enums_and_their_values_may_come_go_and_be_renamed(verdict, syntax):
    old = "message Book {} enum Genre { NONE = 0; POETRY = 1; PROSE = 2; }"
    new = "message Book {} enum Genre { NONE = 0; VERSE = 1; DRAMA = 3; } enum Size { SMALL = 0; }"
    kinds = {
        "ENUM_CONST_CHANGED #/Genre/1",
        "ENUM_CONST_REMOVED #/Genre/2",
        "ENUM_CONST_ADDED #/Genre/3",
        "ENUM_ADDED #/Size",
    }
    assert verdict(old, new, syntax=syntax) == (True, kinds)
    assert verdict("enum Genre { NONE = 0; } message Book {}", "message Book {}") == (
        True,
        {"ENUM_REMOVED #/Genre"},
    )


def test_a_message_that_takes_an_enums_name_is_another_kind_of_type(verdict):
    old = "message Book { Mark mark = 1; } enum Mark { NONE = 0; }"
    new = "message Book { Mark mark = 1; } message Mark {}"
    assert verdict(old, new) == (
        False,
        {"FIELD_KIND_CHANGED #/Book/1", "ENUM_REMOVED #/Mark", "MESSAGE_ADDED #/Mark"},
    )


def test_a_type_is_the_same_however_far_its_name_is_qualified(verdict):
    bodies = [
        f"message Book {{ message Page {{}} {name} page = 1; map<string, {name}> more = 2; }}"
        for name in ("Page", "Book.Page", "library.Book.Page", ".library.Book.Page")
    ]
    for body in bodies[1:]:
        assert verdict(bodies[0], body) == (True, set())


def test_names_that_no_compiler_resolved_are_resolved_from_the_innermost_scope(schema):
    resolved = schema("message Page {} message Book { message Page {} Page a = 1; library.Page b = 2; }")
    written = ProtoSchema(type(resolved.root).FromString(resolved.root.SerializeToString()))
    for field, name in zip(written.root.message_type[1].field, ("Page", "library.Page"), strict=True):
        field.type_name = name
        field.ClearField("type")
    assert compare(resolved, written) == []
    written.root.message_type[1].field[0].type_name = "library.Page"
    assert [change.kind for change in compare(resolved, written)] == ["FIELD_NAMED_TYPE_CHANGED"]


def test_a_name_that_no_compiler_resolved_is_looked_up_in_every_scope_around_it(schema):
    resolved = schema("message Book { message Page {} message Line { message Word { Page page = 1; } } }")
    written = ProtoSchema(type(resolved.root).FromString(resolved.root.SerializeToString()))
    written.root.message_type[0].nested_type[1].nested_type[0].field[0].type_name = "Page"
    assert compare(resolved, written) == []


def test_an_equal_message_may_still_mean_another_type(schema):
    sides = [
        schema(f"message Book {{ Page page = 1; }} {page}")
        for page in ("message Page {}", "enum Page { P = 0; }")
    ]
    for side in sides:
        field = side.root.message_type[0].field[0]
        field.type_name = "Page"
        field.ClearField("type")
    assert "FIELD_KIND_CHANGED" in [change.kind for change in compare(*sides)]


def test_an_imported_message_is_compared_where_a_field_leads_to_it(verdict):
    body = "message Book { shelf.Board board = 1; }"
    options = {
        "old_options": imported("message Board { int32 width = 1; }"),
        "new_options": imported("message Board { string width = 1; }"),
    }
    assert verdict(body, body, **options) == (
        False,
        {"FIELD_SCALAR_KIND_CHANGED #/Board/1", "FIELD_NAMED_TYPE_CHANGED #/Book/1"},
    )


def test_harmless_changes_of_an_imported_message_leave_its_field_alone(verdict):
    body = "message Book { shelf.Board board = 1; }"
    options = {
        "old_options": imported("message Board { int32 width = 1; }"),
        "new_options": imported("message Board { int32 width = 1; int32 depth = 2; }"),
    }
    assert verdict(body, body, **options) == (True, {"FIELD_ADDED #/Board/2"})


def test_an_imported_message_that_nothing_leads_to_does_not_matter(verdict):
    body = "message Book { shelf.Board board = 1; }"
    options = {
        "old_options": imported("message Board {} message Nail { int32 length = 1; }"),
        "new_options": imported("message Board {} message Nail { string length = 1; }"),
    }
    assert verdict(body, body, **options) == (True, set())


def test_what_an_imported_message_leads_to_breaks_every_field_on_the_way(verdict):
    body = "message Book { map<string, shelf.Board> boards = 1; }"
    board = "message Board {{ Nail nail = 2; Board above = 3; }} message Nail {{ {} length = 1; }}"
    options = {
        "old_options": imported(board.format("int32")),
        "new_options": imported(board.format("string")),
    }
    assert verdict(body, body, **options) == (
        False,
        {
            "FIELD_SCALAR_KIND_CHANGED #/Nail/1",
            "FIELD_NAMED_TYPE_CHANGED #/Board/2",
            "FIELD_NAMED_TYPE_CHANGED #/Board/3",
            "FIELD_NAMED_TYPE_CHANGED #/Book/1",
        },
    )


def test_an_imported_file_may_change_its_package(verdict):
    options = {
        "old_options": imported("message Outer { message Board { int32 width = 1; } }"),
        "new_options": imported("message Outer { message Board { int32 width = 1; } }", package="rack"),
    }
    old, new = (f"message Book {{ {package}.Outer.Board board = 1; }}" for package in ("shelf", "rack"))
    assert verdict(old, new, **options) == (True, set())


def test_a_message_may_move_in_from_an_import_but_not_out(verdict):
    board = "message Board { int32 width = 1; }"
    local = "message Book { Board board = 1; } " + board
    remote = "message Book { shelf.Board board = 1; }"
    assert verdict(remote, local, old_options=imported(board)) == (True, {"MESSAGE_ADDED #/Board"})
    assert verdict(local, remote, new_options=imported(board)) == (False, {"MESSAGE_REMOVED #/Board"})


def test_a_message_that_moves_in_is_compared_with_what_it_was(verdict):
    local = "message Book { Board board = 1; } message Board { string width = 1; }"
    remote = "message Book { shelf.Board board = 1; }"
    assert verdict(remote, local, old_options=imported("message Board { int32 width = 1; }")) == (
        False,
        {
            "MESSAGE_ADDED #/Board",
            "FIELD_SCALAR_KIND_CHANGED #/Board/1",
            "FIELD_NAMED_TYPE_CHANGED #/Book/1",
        },
    )


def test_well_known_files_bring_what_they_import():
    found = {
        file.name for file in well_known_files(["google/protobuf/type.proto", "google/protobuf/no.proto"])
    }
    assert found == {f"google/protobuf/{name}.proto" for name in ("type", "any", "source_context")}


def test_well_known_types_need_not_be_carried_along(schema):
    body = 'import "google/protobuf/timestamp.proto"; message Book { google.protobuf.Timestamp at = 1; }'
    local = "message Book { Timestamp at = 1; } message Timestamp { int64 seconds = 1; int32 nanos = 2; }"
    bare = ProtoSchema(schema(body).root)
    assert compare(bare, schema(body)) == []
    assert [(change.kind, change.compatible) for change in compare(bare, schema(local))] == [
        ("MESSAGE_ADDED", True)
    ]


def test_a_type_whose_file_is_missing_is_compared_by_its_name(schema):
    board = imported("message Board { int32 width = 1; }")
    old = schema("message Book { shelf.Board board = 1; }", **board)
    assert compare(ProtoSchema(old.root), old) == []
    renamed = type(old.root).FromString(old.root.SerializeToString())
    renamed.message_type[0].field[0].type_name = ".shelf.Plank"
    assert [change.kind for change in compare(ProtoSchema(old.root), ProtoSchema(renamed))] == [
        "FIELD_NAMED_TYPE_CHANGED"
    ]


def test_both_sides_are_given_as_text(schema):
    old = schema("message Book { repeated string title = 1; Page page = 2; } message Page {}")
    new = schema("message Book { map<string, int32> title = 1; }")
    assert [(change.kind, change.old, change.new) for change in compare(old, new)] == [
        ("MESSAGE_REMOVED", "message Page", ""),
        ("FIELD_KIND_CHANGED", "repeated string title = 1", "map<string, int32> title = 1"),
        ("FIELD_REMOVED", "library.Page page = 2", ""),
    ]
