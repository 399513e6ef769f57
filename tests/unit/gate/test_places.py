"""The line of every change is found, in whatever form a file is written."""

from __future__ import annotations

from immersiverse.auth.events.gate.places import line_of, lines
from unit.gate.conftest import OLD


def line_with(text):
    return next(number for number, line in enumerate(OLD.splitlines(), 1) if text in line)


def test_messages_fields_values_and_oneofs_stand_where_they_are_declared():
    known = lines(OLD)
    assert known["#/Envelope"] == line_with("message Envelope")
    assert known["#/Envelope/payload"] == line_with("oneof payload")
    assert known["#/Envelope/payload/17"] == known["#/Envelope/17"] == line_with("Returned returned")
    assert known["#/Sold/2"] == line_with("Currency currency")
    assert known["#/Returned/Reason/1"] == line_with("message Reason")
    assert known["#/Returned/2"] == line_with("Reason reason")
    assert known["#/Currency/1"] == line_with("CURRENCY_EURO")


def test_what_is_gone_is_shown_where_it_was():
    known = lines(OLD)
    assert line_of("#/Sold/9", known) == known["#/Sold"]
    assert line_of("#/Gone/1", known) == line_of("#/", known) == 1


def test_comments_strings_and_options_hide_nothing():
    text = """syntax = "proto3"; // message Not {
    /* message Neither { */ message A { option (x) = { a: "}" b { c: 1 } };
      int32 a = 1 [default = 2, (o) = { message: "B {" }];
      map<string, int32> b = 2; reserved 3, 4; }
    enum E { option allow_alias = true; Z = 0; N = -1; }
    message C {
      extensions 5 to 6;
      group D = 7 { }
    }"""
    known = lines(text)
    assert {path: known[path] for path in known if path != "#/"} == {
        "#/A": 2, "#/A/1": 3, "#/A/2": 4, "#/E": 5, "#/E/0": 5, "#/E/-1": 5, "#/C": 6,
    }  # fmt: skip


def test_a_broken_text_still_has_lines():
    assert lines('}}} message A { int32 a = 1; "unterminated')["#/A/1"] == 1
    assert lines("") == {"#/": 1}
