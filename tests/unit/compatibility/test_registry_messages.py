"""The lines that tools parse out of a registry's answers: every kind, letter by letter, from both sides."""

from __future__ import annotations

import json

import pytest

from immersiverse.auth.events.compatibility import Direction, Rules
from immersiverse.auth.events.compatibility.avro import parse
from immersiverse.auth.events.compatibility.registry_explanations import AVRO as AVRO_KINDS
from immersiverse.auth.events.compatibility.registry_explanations import CONFLUENT
from immersiverse.auth.events.compatibility.registry_messages import avro_messages, protobuf_messages

BOOK, PAGE = "message Book { string title = 1; }", "message Page {}"
PROTO2 = {"syntax": "proto2"}

PROTOBUF = [
    (
        "message Shelf { repeated string row = 1; } " + PAGE,
        PAGE,
        {},
        "MESSAGE_REMOVED",
        "The %s schema is missing a MESSAGE type at path '#/Shelf' in the %s schema",
    ),
    (
        PAGE + "message Book { string author = 1; }",
        PAGE + "message Book { Page author = 1; }",
        {},
        "FIELD_KIND_CHANGED",
        "The type of a field at path '#/Book/1' in the %s schema does not match the %s schema",
    ),
    (
        "message Book { string pages = 4; }",
        "message Book { int32 pages = 4; }",
        {},
        "FIELD_SCALAR_KIND_CHANGED",
        (
            "The kind of a SCALAR field at path '#/Book/4' in the %s schema does not match its kind in "
            "the %s schema"
        ),
    ),
    (
        PAGE + "message Leaf {} message Book { Page first = 1; }",
        PAGE + "message Leaf {} message Book { Leaf first = 1; }",
        {},
        "FIELD_NAMED_TYPE_CHANGED",
        (
            "The type of a MESSAGE field at path '#/Book/1' in the %s schema does not match its type in "
            "the %s schema"
        ),
    ),
    (
        "message Book { optional int32 pages = 4; }",
        "message Book { repeated int32 pages = 4; }",
        {},
        "FIELD_NUMERIC_LABEL_CHANGED",
        (
            "The label for a NUMERIC field at path '#/Book/4' in the %s schema does not match its label "
            "in the %s schema"
        ),
    ),
    (
        "message Book {}",
        "message Book { required int32 pages = 4; }",
        PROTO2,
        "REQUIRED_FIELD_ADDED",
        "A required field  at path '#/Book/4' in the %s schema is missing in the %s schema",
    ),
    (
        "message Book { required int32 pages = 4; }",
        "message Book {}",
        PROTO2,
        "REQUIRED_FIELD_REMOVED",
        "The %s schema is missing a required field at path: '#/Book/4' in the %s schema",
    ),
    (
        "message Book { oneof by { string author = 1; string editor = 2; } }",
        "message Book { oneof by { string author = 1; } }",
        {},
        "ONEOF_FIELD_REMOVED",
        "The %s schema is missing a oneof field at path '#/Book/by/2' in the %s schema",
    ),
    (
        "message Book { string author = 1; string editor = 2; }",
        "message Book { oneof by { string author = 1; string editor = 2; } }",
        {},
        "MULTIPLE_FIELDS_MOVED_TO_ONEOF",
        (
            "Multiple fields in the oneof at path '#/Book/by' in the %s schema are outside a oneof in "
            "the %s schema"
        ),
    ),
    (
        "message Book { oneof by { string author = 1; } string editor = 2; }",
        "message Book { oneof by { string author = 1; string editor = 2; } }",
        {},
        "FIELD_MOVED_TO_EXISTING_ONEOF",
        (
            "A field in the oneof at path '#/Book/by' in the %s schema is outside an existing oneof in "
            "the %s schema"
        ),
    ),
]
SIDES = {Direction.BACKWARD: ("new", "old"), Direction.FORWARD: ("old", "new")}


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("case", PROTOBUF)
def test_each_kind_of_protobuf_change_has_its_line(schema, direction, case):
    written, read, options, kind, description = case
    found = protobuf_messages(schema(read, **options), schema(written, **options), direction)
    assert found == [f'{{errorType:"{kind}", description:"{description % SIDES[direction]}"}}']


def test_a_package_has_its_line_and_so_has_each_further_change(schema):
    moved = schema(BOOK, package="archive"), schema(BOOK + PAGE)
    package, message = protobuf_messages(*moved, Direction.BACKWARD)
    text = "The package at '#/' in the new schema does not match the package in the old schema"
    assert package == f'{{errorType:"PACKAGE_CHANGED", description:"{text}"}}'
    assert "MESSAGE_REMOVED" in message


def test_every_refused_kind_has_its_line(schema):
    proven = {case[2] for case in AVRO} | {case[3] for case in PROTOBUF} | {"PACKAGE_CHANGED"}
    assert proven == {kind.value for kind in CONFLUENT | AVRO_KINDS if Rules.CONFLUENT.breaks(kind)}
    assert protobuf_messages(schema(BOOK + PAGE), schema(BOOK), Direction.BACKWARD) == []


def book(*fields, name="Book", **more):
    return {
        "type": "record",
        "name": name,
        "namespace": "library",
        "fields": [{"name": f"f{number}", "type": kind} for number, kind in enumerate(fields)],
        **more,
    }


def sign(kind, **more):
    return {"type": kind, "name": "Sign", **more}


AVRO = [
    (
        book(),
        book(name="Tome"),
        "NAME_MISMATCH",
        "The name of the schema has changed (path '/name')",
        "expected: library.Book",
    ),
    (
        book("int", {"type": "array", "items": sign("fixed", size=4)}),
        book("int", {"type": "array", "items": sign("fixed", size=8)}),
        "FIXED_SIZE_MISMATCH",
        (
            "The size of FIXED type field at path '/fields/1/type/items/size' in the %s schema does not "
            "match with the %s schema"
        ),
        "expected: 4, found: 8",
    ),
    (
        book({"type": "map", "values": sign("enum", symbols=["C", "A", "B"])}),
        book({"type": "map", "values": sign("enum", symbols=["A"])}),
        "MISSING_ENUM_SYMBOLS",
        (
            "The %s schema is missing enum symbols '[B, C]' at path '/fields/0/type/values/symbols' in "
            "the %s schema"
        ),
        "[B, C]",
    ),
    (
        book("int"),
        book("string"),
        "TYPE_MISMATCH",
        ("The type (path '/fields/0/type') of a field in the %s schema does not match with the %s schema"),
        "reader type: STRING not compatible with writer type: INT",
    ),
    (
        book(["null", "string"]),
        book(["null", "long"]),
        "MISSING_UNION_BRANCH",
        ("The %s schema is missing a type inside a union field at path '/fields/0/type/1' in the %s schema"),
        "reader union lacking writer type: STRING",
    ),
    (
        book("int"),
        book("int", "long"),
        "READER_FIELD_MISSING_DEFAULT_VALUE",
        (
            "The field 'f1' at path '/fields/1' in the %s schema has no default value and is missing in "
            "the %s schema"
        ),
        "f1",
    ),
]


def said(writer, reader, direction=Direction.BACKWARD):
    return avro_messages(parse(json.dumps(reader)), parse(json.dumps(writer)), direction)


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("case", AVRO)
def test_each_kind_of_avro_change_has_its_line(direction, case):
    written, read, kind, description, detail = case
    if "%s" in description:
        description %= SIDES[direction]
    line = f"{{errorType:'{kind}', description:'{description}', additionalInfo:'{detail}'}}"
    assert said(written, read, direction) == [line]


def pointers(writer, reader):
    return [line.split("path '")[1].split("'")[0] for line in said(writer, reader)]


def test_the_root_and_the_branches_of_unions_are_pointed_to_as_avro_does():
    assert pointers("int", "string") == ["/"]
    assert pointers(["int", "long"], "int") == ["/1"]
    assert pointers("int", ["null", "string"]) == ["/"]
    assert pointers(["null", "int"], ["null", "string"]) == ["/1"]


def test_a_type_that_is_met_twice_is_pointed_to_where_it_was_met_first():
    written = book(sign("fixed", size=4), "library.Sign")
    read = book(sign("fixed", size=8), "library.Sign")
    assert pointers(written, read) == ["/fields/0/type/size"]


def test_an_enum_that_nobody_wrote_is_no_reader_of_a_record_whatever_its_default():
    (line,) = said(book(), book(sign("enum", symbols=["A"], default="A")))
    assert "TYPE_MISMATCH" in line
    assert "(path '/fields/0/type')" in line
    assert "reader type: ENUM not compatible with writer type: RECORD" in line
