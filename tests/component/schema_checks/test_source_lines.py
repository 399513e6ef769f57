"""The line of every change is found, however a file is laid out."""

from __future__ import annotations

import sys

import pytest

from component.schema_checks.conftest import CONTRACT, OLD, ROOT

sys.path.append(str(ROOT / "scripts"))

from contract.source_lines import line_of, lines


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    """The lines of the small contract."""
    return lines_of(tmp_path_factory.mktemp("lines"), OLD)


def lines_of(folder, text):
    options = "immersiverse/auth/events/v1/options.proto"
    (folder / options).parent.mkdir(parents=True)
    (folder / options).write_text((CONTRACT / options).read_text())
    (folder / "shop.proto").write_text(text)
    return lines(folder, "shop.proto")


def line_with(text):
    return next(number for number, line in enumerate(OLD.splitlines(), 1) if text in line)


def test_messages_fields_values_and_oneofs_are_found_where_they_are_declared(known):
    assert known["#/Envelope"] == line_with("message Envelope")
    assert known["#/Envelope/payload"] == line_with("oneof payload")
    assert known["#/Envelope/payload/17"] == known["#/Envelope/17"] == line_with("Returned returned")
    assert known["#/Sold/2"] == line_with("Currency currency")
    assert known["#/Returned/Reason/1"] == line_with("message Reason")
    assert known["#/Returned/2"] == line_with("Reason reason")
    assert known["#/Currency/1"] == line_with("CURRENCY_EURO")


def test_what_was_removed_is_shown_where_it_was(known):
    assert line_of("#/Sold/9", known) == known["#/Sold"]
    assert line_of("#/Gone/1", known) == line_of("#/", known) == 1


def test_comments_strings_and_options_hide_nothing(tmp_path):
    known = lines_of(
        tmp_path,
        """syntax = "proto2"; // message Not {
    /* message Neither { */ message A { option deprecated = true;
      optional string a = 1 [default = "} message B {"];
      map<string, int32> b = 2; reserved 3, 4; }
    enum E { option deprecated = true; Z = 0; N = -1; }
    message C { extensions 5 to 6; }""",
    )
    assert known == {
        "#/": 1, "#/A": 2, "#/A/1": 3, "#/A/2": 4, "#/E": 5, "#/E/0": 5, "#/E/-1": 5, "#/C": 6,
    }  # fmt: skip
