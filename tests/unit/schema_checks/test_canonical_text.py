"""The text of the contract that registries get."""

import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[2]
ROOT = TESTS.parent
SAMPLES = {path.name: path.read_text() for path in sorted((TESTS / "proto_samples").glob("*.proto"))}
sys.path.append(str(ROOT / "scripts"))

from contract.canonical_text import canonical_text  # noqa: E402 - a script's

SOURCE = r"""
syntax = "proto3"; // said /* of */ it
/* a
   "comment" */ message A { // one
  string url = 1 [
    (o) = {
      link: "http://a/*b*/" 'it\'s // {no}; "'
    },
    deprecated = true
  ];
  map< string , B > c = 2 ; oneof d { B e = 3; }
  option (o) = { a: [ 1, 2 ] };
  message Empty { }
}
"""


def test_comments_go_and_a_statement_has_a_line():
    assert canonical_text(SOURCE).splitlines() == [
        'syntax = "proto3";',
        "message A {",
        r"""  string url = 1 [(o) = {link: "http://a/*b*/" 'it\'s // {no}; "'}, deprecated = true];""",
        "  map<string, B> c = 2;",
        "  oneof d {",
        "    B e = 3;",
        "  }",
        "  option (o) = {a: [1, 2]};",
        "  message Empty {",
        "  }",
        "}",
    ]


@pytest.mark.parametrize("name", SAMPLES)
def test_a_canonical_text_is_its_own(name):
    text = canonical_text(SAMPLES[name])
    assert canonical_text(text) == text


def test_line_breaks_and_comments_of_the_source_make_no_difference():
    path = ROOT / "proto/immersiverse/auth/events/v1/events.proto"
    source = path.read_text()
    edited = (
        source.replace("\n", "\n\n")
        .replace("  ", "\t ")
        .replace("= {required: true}", "= {\n required: true // so\n }")
    )
    assert edited != source
    assert canonical_text(edited) == canonical_text(source)
