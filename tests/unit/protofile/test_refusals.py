from __future__ import annotations

import subprocess
import sys

import pytest

from immersiverse.auth.events.errors import InvalidSchema
from immersiverse.auth.events.protofile import parse_file, well_known

P3, P2 = 'syntax = "proto3"; ', 'syntax = "proto2"; '
DESCRIPTOR = 'import "google/protobuf/descriptor.proto"; '

# What protoc refuses as well, with what our message must say.
REFUSED = {
    "an unknown syntax": ('syntax = "proto4";', "expected syntax"),
    "an unknown statement": (P3 + "massage M {}", "expected a declaration"),
    "a missing semicolon": (P3 + "message M { string a = 1 }", 'expected ";", not }'),
    "a missing brace": (P3 + "message M {", "the end of the file"),
    "a missing number": (P3 + "message M { string a; }", 'expected "="'),
    "a number that is none": (P3 + "message M { string a = 08; }", "expected a field number"),
    "field number zero": (P3 + "message M { string a = 0; }", "expected a field number"),
    "a field number past the limit": (P3 + "message M { string a = 536870912; }", "expected a number up to"),
    "a field number of protobuf's own": (P3 + "message M { string a = 19500; }", "19000"),
    "a huge number": (P3 + f"message M {{ string a = {'9' * 6000}; }}", "expected a field number"),
    "a number glued to a name": (P3 + "message M { string a = 1x; }", "expected a number"),
    "a string without end": (P3 + 'option java_package = "abc\n";', "expected the string to end"),
    "a bad escape": (P3 + r'option java_package = "\q";', "there is no escape"),
    "a comment without end": (P3 + "/* never", "expected the comment to end"),
    "a control character": (P3 + "message M { \x01 }", "expected a token"),
    "a type that is not defined": (P3 + "message M { Missing a = 1; }", '"Missing" is not defined'),
    "a type hidden by a nearer name": (
        P3 + "package a; message M { message a {} a.N n = 1; } message N {}",
        '"a.N" is not defined',
    ),
    "a package as a type": (P3 + "package a.b; message M { a.b x = 1; }", "is not defined"),
    "a service's argument that is an enum": (
        P3 + "enum E { A = 0; } service S { rpc R(E) returns (E); }",
        "expected a message",
    ),
    "a duplicate message": (P3 + "message M {} message M {}", "M is declared already"),
    "a duplicate field": (P3 + "message M { string a = 1; string a = 2; }", "M.a is declared already"),
    "a duplicate number": (P3 + "message M { string a = 1; string b = 1; }", "a has 1"),
    "enum values that clash with a sibling": (
        P3 + "enum E { A = 0; } enum F { A = 0; }",
        "A is declared already",
    ),
    "a map entry that clashes": (
        P3 + "message M { map<string, string> a = 1; message AEntry {} }",
        "declared",
    ),
    "JSON names that clash": (
        P3 + "message M { string a_b = 1; string aB = 2; }",
        "expected another JSON name",
    ),
    "a JSON name with a NUL": (P3 + r"message M { string a = 1 [json_name = 'a\0']; }", "without NUL"),
    "a JSON name of an extension": (
        P3 + "message M { string a = 1 [json_name = '[a]']; }",
        "not in brackets",
    ),
    "a reserved number in use": (
        P3 + "message M { reserved 1 to 5; string a = 3; }",
        "1 to 5 is not for fields",
    ),
    "a reserved name in use": (P3 + 'message M { reserved "a"; string a = 3; }', "a is reserved"),
    "ranges that overlap": (P3 + "message M { reserved 1 to 5, 5 to 7; }", "do not overlap"),
    "a range that ends before it begins": (P3 + "message M { reserved 5 to 1; }", "expected a range"),
    "extension ranges in proto3": (P3 + "message M { extensions 5; }", "no extension ranges in proto3"),
    "an extension out of range": (
        P2 + "message M { extensions 5; } extend M { optional int32 a = 6; }",
        "leaves",
    ),
    "a required field in proto3": (
        P3 + "message M { required string a = 1; }",
        "expected required in proto2",
    ),
    "a default in proto3": (
        P3 + "message M { string a = 1 [default = ''] ; }",
        "expected no default in proto3",
    ),
    "a group in proto3": (P3 + "message M { group G = 1 {} }", "expected groups in proto2"),
    "a field without label in proto2": (P2 + "message M { string a = 1; }", "expected optional, required"),
    "optional in an edition": (
        'edition = "2023"; message M { optional string a = 1; }',
        "expected no optional",
    ),
    "a default of another type": (P2 + "message M { optional int32 a = 1 [default = 'x']; }", "whole number"),
    "a default past the range": (
        P2 + "message M { optional int32 a = 1 [default = 2147483648]; }",
        "to 2147483647",
    ),
    "a default that is no value of the enum": (
        P2 + "enum E { A = 1; } message M { optional E e = 1 [default = B]; }",
        "B is none",
    ),
    "a default on a message": (
        P2 + "message M { optional M m = 1 [default = x]; }",
        "no default on a message",
    ),
    "a label in a oneof": (P3 + "message M { oneof o { repeated string a = 1; } }", "no label in a oneof"),
    "an empty oneof": (P3 + "message M { oneof o {} }", "to have a field"),
    "a map in a oneof": (P3 + "message M { oneof o { map<string, string> m = 1; } }", "no map in a oneof"),
    "a map with keys of floats": (P3 + "message M { map<float, string> m = 1; }", "expected keys"),
    "an empty enum": (P3 + "enum E {}", "to have a value"),
    "an open enum that does not begin with zero": (P3 + "enum E { A = 1; }", "to be 0"),
    "an alias that is not allowed": (P3 + "enum E { A = 0; B = 0; }", "allow_alias"),
    "an option that does not exist": (P3 + "message M { option missing = true; }", '"missing" is none'),
    "a custom option that does not exist": (P3 + "message M { option (missing) = true; }", "is not defined"),
    "an option of something else": (
        P3
        + DESCRIPTOR
        + "extend google.protobuf.FieldOptions { bool x = 50001; } message M { option (x) = true; }",
        "does not extend google.protobuf.MessageOptions",
    ),
    "an option set twice": (
        P3 + "message M { option deprecated = true; option deprecated = true; }",
        "one value",
    ),
    "an option of the wrong type": (P3 + "message M { option deprecated = 1; }", "which is bool"),
    "an option of an unknown value": (P3 + "option optimize_for = FAST;", "OptimizeMode"),
    "a field that braces do not have": (
        P3 + DESCRIPTOR + "message R {} extend google.protobuf.MessageOptions { R r = 50001; }"
        " message M { option (r) = { a: 1 }; }",
        '"a" is none',
    ),
    "an import twice": (
        P3 + 'import "google/protobuf/any.proto"; import "google/protobuf/any.proto";',
        "once",
    ),
    "a second package": (P3 + "package a; package b;", "expected one package"),
    "messages nested 40 deep": (P3 + "message M {" * 40 + "}" * 40, "nested at most 32 deep"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refuses_with_line_column_and_expectation(case):
    text, expectation = REFUSED[case]
    with pytest.raises(InvalidSchema, match=r"^a\.proto:\d+:\d+: expected ") as refusal:
        parse_file(text, name="a.proto")
    assert expectation in str(refusal.value)


def test_protoc_refuses_all_of_these_as_well(tmp_path):
    for index, (text, _) in enumerate(REFUSED.values()):
        (tmp_path / f"case{index}.proto").write_text(text)
    script = (
        "import sys; from grpc_tools import protoc\n"
        "import grpc_tools, pathlib\n"
        "shipped = pathlib.Path(grpc_tools.__file__).parent / '_proto'\n"
        "for i in range(int(sys.argv[2])):\n"
        "    print(protoc.main(['', f'-I{sys.argv[1]}', f'-I{shipped}', '-o/dev/null', f'case{i}.proto']))\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path), str(len(REFUSED))]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    verdicts = dict(zip(REFUSED, run.stdout.split(), strict=True))
    assert [case for case, verdict in verdicts.items() if verdict == "0"] == []


def test_says_where_by_line_and_column():
    with pytest.raises(InvalidSchema, match=r"^<text>:3:12: expected a field number"):
        parse_file(P3 + "\nmessage M {\n  bool a = -1;\n}")


def test_names_the_import_that_was_not_given():
    text = P3 + 'import "other.proto"; message M { other.Type a = 1; }'
    with pytest.raises(
        InvalidSchema, match=r'"other.Type" is not defined; imported but not given: other.proto'
    ):
        parse_file(text)


def test_an_import_that_nothing_needs_may_be_missing():
    assert parse_file(P3 + 'import "other.proto";').dependency == ["other.proto"]


def test_does_not_see_behind_an_import_that_is_not_public():
    inner = parse_file(P3 + "message Inner {}", name="inner.proto")
    outer = parse_file(P3 + 'import "inner.proto";', name="outer.proto", dependencies={"inner.proto": inner})
    with pytest.raises(InvalidSchema, match='"Inner" is not defined'):
        parse_file(
            P3 + 'import "outer.proto"; message M { Inner i = 1; }',
            dependencies={"inner.proto": inner, "outer.proto": outer},
        )


def test_well_known_types_need_not_be_given():
    file = parse_file(
        P3 + 'import "google/protobuf/timestamp.proto"; message M { google.protobuf.Timestamp t = 1; }'
    )
    assert file.message_type[0].field[0].type_name == ".google.protobuf.Timestamp"
    assert well_known("google/protobuf/timestamp.proto") is not None


@pytest.mark.parametrize(
    "text",
    [
        "{" * 100_000,
        P3 + "option (a) = " + "{ a: " * 5_000,
        P3 + "option (a) = " + "{ a: [" * 5_000,
        P3 + "option (a) = " + "<" * 5_000,
        P3 + "message M { repeated group G = 1 {" * 5_000,
        P3 + "package " + ".".join("a" * 5_000) + ";",
        P3 + "message M { " + ".".join("a" * 50_000) + " f = 1; }",
        "\x00",
        P3 + 'option java_package = "\ud800";',
        P3 + r'option java_package = "\xff";',
        P3 + r'option java_package = "\uD800";',
        P3 + r'option java_package = "\UFFFFFFFF";',
        "/ " * 100_000,
        '"' * 99_999,
        P3 + "message M { string a = 1" + "0" * 1_000_000 + "; }",
        P2 + f"message M {{ optional double d = 1 [default = 0x{'f' * 100_000}g]; }}",
    ],
    ids=range(16),
)
def test_hostile_text_is_refused_like_any_other(text):
    with pytest.raises(InvalidSchema):
        parse_file(text)
