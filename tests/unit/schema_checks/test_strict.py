"""What the strict rules refuse beyond Confluent's: JSON, generated code, stored events, reserved numbers."""

from __future__ import annotations

import pytest

from immersiverse.auth.events.schema_checks.kinds import Rules
from immersiverse.auth.events.schema_checks.protobuf.comparison import compare


def test_what_confluent_refuses_is_refused(refused):
    old, new = "message Book { string title = 1; }", "message Book { int32 title = 1; }"
    assert "FIELD_SCALAR_KIND_CHANGED #/Book/1" in refused(old, new)


def test_additions_are_welcome(refused):
    old = "message Book { string title = 1; oneof form { string paper = 2; } enum Size { SMALL = 0; } }"
    new = (
        "message Book { string title = 1; oneof form { string paper = 2; string screen = 3; } int32 n = 4;"
        " enum Size { SMALL = 0; LARGE = 1; } } message Page {} enum Genre { NONE = 0; }"
    )
    assert refused(old, new) == set()


def test_messages_may_be_reordered_below_the_first(refused):
    old = "message Book {} message Page {} message Cover {}"
    assert refused(old, "message Book {} message Cover {} message Page {}") == set()
    assert refused(old, "message Page {} message Book {} message Cover {}") == {
        "FIRST_MESSAGE_CHANGED #/Book"
    }


def test_names_are_kept_for_json_and_for_code(refused):
    old = "message Book { string page_count = 1; }"
    assert refused(old, "message Book { string pages = 1; }") == {
        "FIELD_NAME_CHANGED #/Book/1",
        "FIELD_JSON_NAME_CHANGED #/Book/1",
    }
    assert refused(old, 'message Book { string page_count = 1 [json_name = "n"]; }') == {
        "FIELD_JSON_NAME_CHANGED #/Book/1"
    }


def test_a_json_name_that_is_not_written_is_the_camel_case_of_the_name(schema):
    written = schema("message Book { string page_count = 1; }")
    bare = schema("message Book { string page_count = 1; }")
    bare.root.message_type[0].field[0].ClearField("json_name")
    assert compare(written, bare, rules=Rules.STRICT) == []


@pytest.mark.parametrize(
    ("old", "new"), [("int32", "int64"), ("string", "bytes"), ("int32", "bool"), ("int32", "Genre")]
)
def test_types_that_share_their_bytes_are_still_other_types(refused, old, new):
    def book(kind):
        return f"enum Genre {{ NONE = 0; }} message Book {{ {kind} mark = 1; }}"

    assert refused(book(old), book(new)) == {"FIELD_TYPE_CHANGED #/Book/1"}
    assert refused(book(new), book(old)) == {"FIELD_TYPE_CHANGED #/Book/1"}


def test_one_value_does_not_become_many(refused):
    for kind in ("string", "int32", "Page"):
        old = f"message Page {{}} message Book {{ {kind} page = 1; }}"
        new = f"message Page {{}} message Book {{ repeated {kind} page = 1; }}"
        assert refused(old, new) == {"FIELD_CARDINALITY_CHANGED #/Book/1"}


def test_a_required_field_does_not_become_optional(refused):
    old, new = (f"message Book {{ {label} string title = 1; }}" for label in ("required", "optional"))
    assert refused(old, new, syntax="proto2") == {
        "FIELD_CARDINALITY_CHANGED #/Book/1",
        "FIELD_STRING_OR_BYTES_LABEL_CHANGED #/Book/1",
    }


def test_presence_is_part_of_the_meaning_except_where_it_was_there_already(refused):
    def book(kind):
        return f"message Page {{}} message Book {{ {kind} page = 1; }}"

    assert refused(book("string"), book("optional string")) == {"FIELD_PRESENCE_CHANGED #/Book/1"}
    assert refused(book("Page"), book("optional Page")) == set()


def test_a_default_is_part_of_the_meaning(refused):
    old, new = (f"message Book {{ optional int32 pages = 1 [default = {n}]; }}" for n in (1, 2))
    assert refused(old, new, syntax="proto2") == {"FIELD_DEFAULT_CHANGED #/Book/1"}


def test_fields_stay_in_their_oneof(refused):
    old = "message Post { oneof to { string street = 1; string box = 2; } }"
    new = "message Post { oneof to { string street = 1; } string box = 2; }"
    assert refused(old, new) == {"FIELD_ONEOF_CHANGED #/Post/2", "ONEOF_FIELD_MOVED_TO_TOP_LEVEL #/Post/2"}


def test_a_removed_field_leaves_its_number_and_name_reserved(refused):
    old = "message Book { string title = 1; int32 pages = 2; }"
    assert refused(old, "message Book { string title = 1; }") == {
        "NUMBER_NOT_RESERVED #/Book/2",
        "NAME_NOT_RESERVED #/Book/2",
    }
    assert refused(old, "message Book { reserved 2; string title = 1; }") == {"NAME_NOT_RESERVED #/Book/2"}
    assert refused(old, 'message Book { reserved 2 to 9; reserved "pages"; string title = 1; }') == set()


def test_a_name_that_goes_on_under_another_number_need_not_be_reserved(refused):
    old, new = "message Book { int32 pages = 2; }", "message Book { reserved 2; int32 pages = 3; }"
    assert refused(old, new) == set()


def test_what_is_reserved_stays_reserved(refused):
    old = 'message Book { reserved 5 to 9, 12; reserved "isbn", "shelf"; }'
    assert refused(old, 'message Book { reserved 5, 7 to 8, 12 to max; reserved "isbn"; }') == {
        "RESERVED_NUMBER_DROPPED #/Book",
        "RESERVED_NAME_DROPPED #/Book",
    }
    assert refused(old, 'message Book { reserved 1 to 20; reserved "isbn", "shelf", "room"; }') == set()


def test_what_is_no_longer_reserved_as_a_whole_is_named(schema):
    old = schema("message Book { reserved 5 to 9, 12, 20 to 21; }")
    new = schema("message Book { reserved 5, 7 to 8, 20 to max; }")
    dropped = [change.old for change in compare(old, new, rules=Rules.STRICT)]
    assert dropped == ["reserved 5 to 9", "reserved 12"]


def test_what_is_reserved_does_not_come_back(refused):
    old = 'message Book { reserved 5 to 9; reserved "isbn"; }'
    new = "message Book { reserved 5 to 6, 8 to 9; string isbn = 7; }"
    assert refused(old, new) == {"RESERVED_NUMBER_REUSED #/Book/7", "RESERVED_NAME_REUSED #/Book/7"}


def test_enum_values_stay_and_keep_their_names(refused):
    old = "enum Genre { NONE = 0; POETRY = 1; PROSE = 2; }"
    assert refused(old, "enum Genre { NONE = 0; VERSE = 1; PROSE = 2; }") == {"ENUM_CONST_CHANGED #/Genre/1"}
    new = 'enum Genre { reserved 2; reserved "PROSE"; NONE = 0; POETRY = 1; }'
    assert refused(old, new) == {"ENUM_CONST_REMOVED #/Genre/2"}
    assert refused(old, "enum Genre { NONE = 0; POETRY = 1; }") == {
        "ENUM_CONST_REMOVED #/Genre/2",
        "NUMBER_NOT_RESERVED #/Genre/2",
        "NAME_NOT_RESERVED #/Genre/2",
    }
    assert refused(old + " message Book {}", "message Book {}") == {"ENUM_REMOVED #/Genre"}


def test_an_alias_of_an_enum_value_stays_too(refused):
    old = "enum Genre { option allow_alias = true; NONE = 0; POETRY = 1; VERSE = 1; LYRIC = 1; }"
    new = "enum Genre { option allow_alias = true; NONE = 0; VERSE = 1; LYRIC = 1; }"
    assert refused(old, new) == {"ENUM_CONST_REMOVED #/Genre/1"}


def test_a_new_enum_has_a_zero_wherever_it_is_nested(refused):
    old, new = "message Book {}", "message Book { message Page { enum Size { SMALL = 1; } } }"
    assert refused(old, new, syntax="proto2") == {"ENUM_WITHOUT_ZERO #/Book/Page/Size"}


def test_an_old_enum_without_a_zero_and_one_of_another_file_are_let_be(refused):
    old = "message Book {} enum Size { SMALL = 1; }"
    shelf = {"shelf.proto": 'syntax = "proto2"; package shelf; enum Width { NARROW = 1; }'}
    assert refused(old, old + " message Page {}", syntax="proto2", new_options={"files": shelf}) == set()


def test_enums_of_other_files_are_judged_where_a_field_leads_to_them(refused):
    def shelf(values):
        return {"files": {"shelf.proto": f'syntax = "proto3"; package shelf; enum Size {{ {values} }}'}}

    versions = {"old_options": shelf("S = 0; M = 1;"), "new_options": shelf("S = 0; N = 1;")}
    for kind in ("shelf.Size", "map<string, shelf.Size>"):
        body = f"message Book {{ {kind} size = 1; }}"
        assert refused(body, body, **versions) == {"ENUM_CONST_CHANGED #/Size/1"}
    assert refused("message Book {}", "message Book {}", **versions) == set()


def test_generated_code_stays_where_it_is(refused):
    old, new = (f'option java_package = "org.{name}"; message Book {{}}' for name in ("one", "two"))
    assert refused(old, new) == {"FILE_OPTION_CHANGED #/"}


def test_the_syntax_stays(refused):
    versions = {"old_options": {"syntax": "proto2"}, "new_options": {"syntax": "proto3"}}
    body = "message Book { optional string title = 1; }"
    assert refused(body, body, **versions) == {"SYNTAX_CHANGED #/"}


def test_another_syntax_means_another_presence(refused):
    old, new = "message Book { string title = 1; }", "message Book { optional string title = 1; }"
    versions = {"old_options": {"syntax": "proto3"}, "new_options": {"syntax": "proto2"}}
    assert refused(old, new, **versions) == {"SYNTAX_CHANGED #/", "FIELD_PRESENCE_CHANGED #/Book/1"}


def test_none_of_it_is_mentioned_by_confluents_rules(verdict):
    old = "message Book { reserved 5; int32 pages = 2; string page_count = 3; enum Size { S = 0; M = 1; } }"
    new = (
        'message Book { int64 pages = 2; repeated string page_count = 3 [json_name="n"]; enum Size { S=0; }}'
    )
    assert verdict(old, new) == (True, {"ENUM_CONST_REMOVED #/Book/Size/1"})
