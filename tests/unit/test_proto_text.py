"""Outlines of .proto text, read without protoc."""

from __future__ import annotations

import random
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from immersiverse.auth.events.catalog import CONTRACT_FILE
from immersiverse.auth.events.errors import InvalidSchema
from immersiverse.auth.events.proto_text import outline
from outlines import SAMPLES, outlined

TESTS = Path(__file__).parents[1]
PROTO = TESTS.parent / "proto"
PIECES = [
    *'{}[]()<>;:,.=-+"\\/@#\0\n',
    *("package", "message", "oneof", "extend", "option", "option x = {", "group G = 1 {", "reserved", "map<"),
    *("0x", "07", "9" * 5000, "/*", "*/", "//", "\ud800", "é"),
]


def test_the_outline_of_the_contract_has_every_event_type():
    assert outlined(outline((PROTO / CONTRACT_FILE.name).read_text())) == outlined(CONTRACT_FILE)


ODD = """
/* message Hidden {} */ package p . // message Hidden {}
q;
option (o) = { message: "{" inner { a: [1] } };
extend google.protobuf.FileOptions { optional group Grouped = 50001 { optional int32 a = 1; } }
message First {
  message Inner { oneof payload { int32 hidden = 9; } }
  oneof payload {
    option (o) = { a: 1 };
    A a = 1; .p.q.B b = 0x10 [(o) = {x: "}"}]; p . C c = 010; string d = 4; }
  oneof other { group G = 20 { optional int32 a = 1; } }
  ;
};
enum message { ZERO = 0; }
message message { oneof payload { int32 hidden = 9; } }
"""


def test_comments_strings_options_and_what_is_nested_do_not_count():
    found = outline(ODD.replace("extend google", "// extend google"))
    assert outlined(found) == (
        "p.q",
        ["First", "message"],
        [
            ("payload", 1, "a", "A"),
            ("payload", 16, "b", "B"),
            ("payload", 8, "c", "C"),
            ("payload", 4, "d", ""),
        ],
    )
    assert [oneof.name for oneof in found.message_type[0].oneof_decl] == ["payload", "other"]


def test_a_group_that_extends_from_the_top_is_a_message_of_the_file():
    assert outlined(outline(ODD)) == ("p.q", ["Grouped", "First", "message"], [])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("message A { message B {}", "never closed"),
        ("\n}", "line 2: this '}' closes nothing"),
        ("package a; package b;", "a package already"),
        ("package 1;", "full name"),
        ("package;", "full name"),
        ("message 1 {}", "line 1: expected a name"),
        ("message A.B {}", "expected a name"),
        ('message A { oneof payload { B "b" = 1; } }', "expected a name"),
        ("message A { oneof payload { B b = b; } }", "expected the number"),
        ("message A { oneof payload { B b = 0; } }", "no field has such a number"),
        ("message A { oneof payload { B b = 536870912; } }", "no field has such a number"),
        ("message A { oneof payload { b = 1; } }", "full name"),
        (f"message A {{ oneof payload {{ B b = {'9' * 5000}; }} }}", "expected the number"),
    ],
)
def test_a_declaration_that_cannot_be_read_is_refused(text, said):
    with pytest.raises(InvalidSchema) as caught:
        outline(text)
    assert said in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("name", SAMPLES)
def test_a_mutated_text_gets_an_outline_or_is_refused(name):
    chance = random.Random(name)
    for _ in range(400):
        text = SAMPLES[name]
        for _ in range(chance.randint(1, 4)):
            start = chance.randrange(len(text) + 1)
            end = start + chance.choice([0, 0, 1, 3, 30])
            text = text[:start] + chance.choice(PIECES) + text[end:]
        with suppress(InvalidSchema):
            outline(text).SerializeToString()


@given(st.text())
def test_any_text_gets_an_outline_or_is_refused(text):
    with suppress(InvalidSchema):
        outline(text)


@pytest.mark.parametrize(
    "piece",
    [
        "message A { oneof b { C c = 1; } }",
        "{",
        "message A {",
        "/*",
        "/* *",
        '"',
        "'\\",
        "[",
        "option a = {",
        "a ",
        ";",
        "//",
    ],
)
def test_cost_grows_with_the_text_and_no_faster(piece):
    def seconds(size):
        text = piece * (size // len(piece))
        start = time.process_time()
        with suppress(InvalidSchema):
            outline(text)
        return time.process_time() - start

    seconds(1_000)
    assert seconds(800_000) < 8 * 3 * max(seconds(100_000), 0.02)
