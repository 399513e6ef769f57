from __future__ import annotations

import subprocess
import sys

import pytest
from google.protobuf.descriptor_pb2 import FieldDescriptorProto

from immersiverse.auth.events.errors import InvalidSchema
from immersiverse.auth.events.protofile import canonical, parse_file, print_file

P3 = 'syntax = "proto3"; '

SAME = {
    "the file's name": ("message M {}", "message M {}"),
    "comments and space": ("message M{/* a */}", "// b\n message M { }"),
    "proto2 said or implied": ("message M {}", 'syntax = "proto2"; message M {}'),
    "a JSON name that is the default": (
        P3 + "message M { string a_b = 1; }",
        P3 + 'message M { string a_b = 1 [json_name = "aB"]; }',
    ),
    "the order of imports": (
        P3 + 'import "google/protobuf/any.proto"; import public "google/protobuf/api.proto";',
        P3 + 'import public "google/protobuf/api.proto"; import "google/protobuf/any.proto";',
    ),
    "the order of what is reserved": (
        P3 + 'message M { reserved "b", "a"; reserved 5, 1 to 2; }',
        P3 + 'message M { reserved 1 to 2; reserved 5; reserved "a"; reserved "b"; }',
    ),
    "a method with empty braces": (
        P3 + "message M {} service S { rpc R(M) returns (M); }",
        P3 + "message M {} service S { rpc R(M) returns (M) {} }",
    ),
    "ways to write a number": (
        "message M { optional float f = 1 [default = 100]; }",
        "message M { optional float f = 0x1 [default = 1e2]; }",
    ),
    "relative and absolute names": (
        P3 + "package p; message M { M m = 1; }",
        P3 + "package p; message M { .p.M m = 1; }",
    ),
}
DIFFERENT = {
    "the order of messages, which indexes count": ("message A {} message B {}", "message B {} message A {}"),
    "a number": (P3 + "message M { string a = 1; }", P3 + "message M { string a = 2; }"),
    "presence": (P3 + "message M { string a = 1; }", P3 + "message M { optional string a = 1; }"),
    "a JSON name": (P3 + "message M { string a = 1; }", P3 + 'message M { string a = 1 [json_name = "b"]; }'),
    "an option": (P3 + "message M { string a = 1; }", P3 + "message M { string a = 1 [deprecated = true]; }"),
    "what is reserved": (P3 + "message M { reserved 1; }", P3 + "message M { reserved 2; }"),
    "the syntax": (P3, 'syntax = "proto2";'),
}


@pytest.mark.parametrize("case", SAME)
def test_passes_over(case):
    one, other = SAME[case]
    assert canonical(parse_file(one, name="a.proto")) == canonical(parse_file(other, name="b.proto"))


@pytest.mark.parametrize("case", DIFFERENT)
def test_tells_apart(case):
    one, other = DIFFERENT[case]
    assert canonical(parse_file(one)) != canonical(parse_file(other))


def test_does_not_change_the_descriptor():
    file = parse_file(P3 + "message M { string a_b = 1; }", name="a.proto")
    before = file.SerializeToString()
    canonical(file)
    assert file.SerializeToString() == before


def test_an_option_in_parts_equals_the_whole_when_its_definition_is_given():
    options = parse_file(
        P3 + 'import "google/protobuf/descriptor.proto"; message R { int32 a = 1; int32 b = 2; }'
        "extend google.protobuf.MessageOptions { R r = 50001; }",
        name="o.proto",
    )
    parts = parse_file(
        P3 + 'import "o.proto"; message M { option (r).b = 2; option (r).a = 1; }',
        dependencies={"o.proto": options},
    )
    # As protoc writes it when it knows the option from the text only: one occurrence a statement.
    raw = bytes.fromhex("8ab5180210028ab518020801")
    written = parse_file(P3 + 'import "o.proto"; message M {}', dependencies={"o.proto": options})
    written.message_type[0].options.MergeFromString(raw)
    assert canonical(parts, extensions=[options]) == canonical(written, extensions=[options])


def test_fields_of_a_oneof_may_lie_apart():
    file = parse_file(P3 + "message M { oneof b { int32 x = 1; int32 y = 2; } oneof a { int32 z = 3; } }")
    fields = [FieldDescriptorProto.FromString(f.SerializeToString()) for f in file.message_type[0].field]
    apart = type(file).FromString(file.SerializeToString())
    del apart.message_type[0].field[:]
    apart.message_type[0].field.extend([fields[0], fields[2], fields[1]])
    assert canonical(apart) == canonical(file)
    assert canonical(parse_file(print_file(apart))) == canonical(apart)


def test_does_not_depend_on_which_options_the_process_has_imported():
    script = (
        "import sys\n"
        "from google.protobuf.descriptor_pb2 import FileDescriptorProto\n"
        "if sys.argv[1] == 'imported':\n"
        "    import google.api.annotations_pb2, google.api.client_pb2\n"
        "from immersiverse.auth.events.protofile import canonical\n"
        "file = FileDescriptorProto()\n"
        "method = file.service.add(name='S').method.add(name='M', input_type='.A', output_type='.A')\n"
        "method.options.MergeFromString(bytes.fromhex('9a41016182d3e493020312016282b8190178'))\n"
        "print(canonical(file).hex())\n"
    )
    answers = {
        subprocess.run([sys.executable, "-c", script, how], capture_output=True, text=True, check=True).stdout
        for how in ("imported", "not")
    }
    assert len(answers) == 1


def test_refuses_a_damaged_descriptor():
    file = parse_file(P3 + "message M {}")
    damaged = type(file).FromString(file.SerializeToString().replace(b"\x0a\x01M", b"\x0a\x01\xff"))
    with pytest.raises(InvalidSchema):
        print_file(damaged)
