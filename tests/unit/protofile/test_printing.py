from __future__ import annotations

import pytest
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto

from immersiverse.auth.events.errors import InvalidSchema
from immersiverse.auth.events.protofile import canonical, parse_file, print_file

F = FieldDescriptorProto
P3 = 'syntax = "proto3"; '
OPTIONS = parse_file(
    P3 + 'package o; import "google/protobuf/descriptor.proto";'
    "extend google.protobuf.MessageOptions { R r = 50001; }"
    "message R { bool required = 1; repeated string keys = 2; }",
    name="o.proto",
)


def test_prints_one_declaration_a_line_with_names_in_full():
    file = parse_file(
        P3 + 'package p; import "o.proto"; message M { option (o.r) = {keys: "a"}; optional M m = 1; '
        "map<string, M> by_name = 2; oneof x { string y = 3 [deprecated = true]; } reserved 4 to max; }",
        dependencies={"o.proto": OPTIONS},
    )
    assert print_file(file, extensions=[OPTIONS]) == (
        'syntax = "proto3";\n'
        "\n"
        "package p;\n"
        "\n"
        'import "o.proto";\n'
        "\n"
        "message M {\n"
        '  option (o.r) = {keys: ["a"]};\n'
        "  optional .p.M m = 1;\n"
        "  map<string, .p.M> by_name = 2;\n"
        "  oneof x {\n"
        "    string y = 3 [deprecated = true];\n"
        "  }\n"
        "  reserved 4 to max;\n"
        "}\n"
    )


def test_an_option_without_definition_is_an_error_and_not_left_out():
    file = parse_file(
        P3 + 'import "o.proto"; message M { option (o.r) = {}; }', dependencies={"o.proto": OPTIONS}
    )
    with pytest.raises(
        InvalidSchema, match=r"field 50001 of google\.protobuf\.MessageOptions .* not defined"
    ):
        print_file(file)


def test_an_option_of_an_imported_module_needs_no_definition():
    from google.api import annotations_pb2  # noqa: PLC0415 (the import is what the test is about)

    file = FileDescriptorProto(name="s.proto")
    method = file.service.add(name="S").method.add(name="R", input_type=".A", output_type=".A")
    method.options.Extensions[annotations_pb2.http].get = "/a"
    assert 'option (google.api.http) = {get: "/a"};' in print_file(file)


def test_nested_messages_keep_the_index_that_frames_carry():
    text = (
        P3
        + "message M { message A {} map<string, A> m = 1; message B {} map<string, B> n = 2; message C {} }"
    )
    file = parse_file(text)
    names = [nested.name for nested in file.message_type[0].nested_type]
    assert names == ["A", "MEntry", "B", "NEntry", "C"]
    assert [nested.name for nested in parse_file(print_file(file)).message_type[0].nested_type] == names


def test_an_option_name_gets_a_leading_dot_where_a_nearer_name_would_hide_it():
    text = (
        P3 + 'package o.p; import "o.proto"; message M { message o {} '
        "message N { option (.o.r) = {required: true}; } }"
    )
    file = parse_file(text, dependencies={"o.proto": OPTIONS})
    printed = print_file(file, extensions=[OPTIONS])
    assert "option (.o.r) = {required: true};" in printed
    assert canonical(parse_file(printed, dependencies={"o.proto": OPTIONS})) == canonical(file)


def unprintable():
    file = FileDescriptorProto(syntax="proto3")
    message = file.message_type.add(name="M")
    return file, message


@pytest.mark.parametrize(
    "name", ["", "a b", "x; } message Injected {", "1a", "é", "a.b", 'a"'], ids=lambda name: name or "empty"
)
def test_a_name_that_would_change_the_text_is_refused(name):
    file, message = unprintable()
    message.field.add(name=name, number=1, type=F.TYPE_STRING, label=F.LABEL_OPTIONAL)
    with pytest.raises(InvalidSchema, match="is not a name"):
        print_file(file)


def test_a_type_name_that_would_change_the_text_is_refused():
    file, message = unprintable()
    message.field.add(
        name="a", number=1, type=F.TYPE_MESSAGE, type_name=".A b = 1; .B", label=F.LABEL_OPTIONAL
    )
    with pytest.raises(InvalidSchema, match="is not the name of a type"):
        print_file(file)


def test_nested_messages_in_an_order_that_no_text_has_are_refused():
    file = parse_file(P3 + "message M { map<string, string> a = 1; map<string, string> b = 2; }")
    nested = file.message_type[0].nested_type
    nested[0].name, nested[1].name = nested[1].name, nested[0].name
    with pytest.raises(InvalidSchema, match="cannot be written as text"):
        print_file(file)


def test_a_later_edition_is_refused():
    with pytest.raises(InvalidSchema, match="cannot be written as text"):
        print_file(FileDescriptorProto(syntax="editions", edition=1001))


def test_messages_nested_too_deep_are_refused():
    file, message = unprintable()
    for _ in range(50):
        message = message.nested_type.add(name="M")
    with pytest.raises(InvalidSchema, match="nested more than"):
        print_file(file)
