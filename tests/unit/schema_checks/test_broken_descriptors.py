"""Descriptors that no compiler writes."""

from __future__ import annotations

import pytest
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto

from immersiverse.auth.events.errors import InvalidSchema
from immersiverse.auth.events.schema_checks.kinds import ChangeKind, Rules
from immersiverse.auth.events.schema_checks.protobuf.comparison import compare
from immersiverse.auth.events.schema_checks.version import ProtoSchema


@pytest.fixture
def book():
    file = FileDescriptorProto(name="b.proto", syntax="proto3")
    file.message_type.add(name="Book").field.add(name="title", number=1, label=1, type=9)
    return file


def compared_with_nothing(file):
    empty = FileDescriptorProto(name="b.proto", syntax="proto3")
    empty.message_type.add(name="Book")
    return compare(ProtoSchema(empty), ProtoSchema(file))


def test_a_field_without_its_type_is_an_invalid_schema(book):
    book.message_type[0].field[0].type = FieldDescriptorProto.TYPE_MESSAGE
    with pytest.raises(InvalidSchema, match="title of Book"):
        compared_with_nothing(book)


def test_a_member_of_an_undeclared_oneof_is_an_invalid_schema(book):
    book.message_type[0].field[0].oneof_index = 0
    with pytest.raises(InvalidSchema, match="title of Book"):
        compared_with_nothing(book)


def test_a_map_without_a_value_is_an_invalid_schema(book):
    entry = book.message_type[0].nested_type.add(name="PartsEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, label=1, type=9)
    book.message_type[0].field.add(name="parts", number=2, label=3, type=11, type_name=".Book.PartsEntry")
    with pytest.raises(InvalidSchema, match=r"Book\.PartsEntry"):
        compared_with_nothing(book)


def test_an_empty_file_is_a_schema(book):
    nothing = ProtoSchema(FileDescriptorProto())
    assert compare(nothing, nothing, rules=Rules.STRICT) == []
    assert [change.kind for change in compare(nothing, ProtoSchema(book))] == [ChangeKind.MESSAGE_ADDED]


def test_a_group_is_a_message_field(schema):
    old = schema("message Book { optional int32 n = 2; }", syntax="proto2")
    new = schema("message Book { optional group Part = 2 { optional int32 a = 1; } }", syntax="proto2")
    assert [f"{change.kind} {change.path}" for change in compare(old, new)] == [
        "FIELD_NAME_CHANGED #/Book/2",
        "FIELD_KIND_CHANGED #/Book/2",
        "MESSAGE_ADDED #/Book/Part",
    ]


def test_an_edition_is_judged_like_proto3(schema):
    old, new = (
        schema(f"message Book {{ {label} int32 n = 1; }}", syntax="proto3") for label in ("", "repeated")
    )
    for side in (old, new):
        side.root.syntax = "editions"
    assert compare(old, new) == []
    assert [change.kind for change in compare(old, new, rules=Rules.STRICT)] == ["FIELD_CARDINALITY_CHANGED"]
