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
        (
            '{errorType:"MESSAGE_REMOVED", description:"The %s schema is missing a MESSAGE type at path '
            "'#/Shelf' in the %s schema\"}"
        ),
    ),
    (
        PAGE + "message Book { string author = 1; }",
        PAGE + "message Book { Page author = 1; }",
        {},
        (
            '{errorType:"FIELD_KIND_CHANGED", description:"The type of a field at path \'#/Book/1\' in the %s '
            'schema does not match the %s schema"}'
        ),
    ),
    (
        "message Book { string pages = 4; }",
        "message Book { int32 pages = 4; }",
        {},
        (
            '{errorType:"FIELD_SCALAR_KIND_CHANGED", description:"The kind of a SCALAR field at path '
            "'#/Book/4' in the %s schema does not match its kind in the %s schema\"}"
        ),
    ),
    (
        PAGE + "message Leaf {} message Book { Page first = 1; }",
        PAGE + "message Leaf {} message Book { Leaf first = 1; }",
        {},
        (
            '{errorType:"FIELD_NAMED_TYPE_CHANGED", description:"The type of a MESSAGE field at path '
            "'#/Book/1' in the %s schema does not match its type in the %s schema\"}"
        ),
    ),
    (
        "message Book { optional int32 pages = 4; }",
        "message Book { repeated int32 pages = 4; }",
        {},
        (
            '{errorType:"FIELD_NUMERIC_LABEL_CHANGED", description:"The label for a NUMERIC field at path '
            "'#/Book/4' in the %s schema does not match its label in the %s schema\"}"
        ),
    ),
    (
        "message Book {}",
        "message Book { required int32 pages = 4; }",
        PROTO2,
        (
            '{errorType:"REQUIRED_FIELD_ADDED", description:"A required field  at path \'#/Book/4\' in the %s '
            'schema is missing in the %s schema"}'
        ),
    ),
    (
        "message Book { required int32 pages = 4; }",
        "message Book {}",
        PROTO2,
        (
            '{errorType:"REQUIRED_FIELD_REMOVED", description:"The %s schema is missing a required field at '
            "path: '#/Book/4' in the %s schema\"}"
        ),
    ),
    (
        "message Book { oneof by { string author = 1; string editor = 2; } }",
        "message Book { oneof by { string author = 1; } }",
        {},
        (
            '{errorType:"ONEOF_FIELD_REMOVED", description:"The %s schema is missing a oneof field at path '
            "'#/Book/by/2' in the %s schema\"}"
        ),
    ),
    (
        "message Book { string author = 1; string editor = 2; }",
        "message Book { oneof by { string author = 1; string editor = 2; } }",
        {},
        (
            '{errorType:"MULTIPLE_FIELDS_MOVED_TO_ONEOF", description:"Multiple fields in the oneof at path '
            "'#/Book/by' in the %s schema are outside a oneof in the %s schema\"}"
        ),
    ),
    (
        "message Book { oneof by { string author = 1; } string editor = 2; }",
        "message Book { oneof by { string author = 1; string editor = 2; } }",
        {},
        (
            '{errorType:"FIELD_MOVED_TO_EXISTING_ONEOF", description:"A field in the oneof at path '
            "'#/Book/by' in the %s schema is outside an existing oneof in the %s schema\"}"
        ),
    ),
]
SIDES = {Direction.BACKWARD: ("new", "old"), Direction.FORWARD: ("old", "new")}


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("case", PROTOBUF)
def test_each_kind_of_protobuf_change_has_its_line(schema, direction, case):
    written, read, options, line = case
    found = protobuf_messages(schema(read, **options), schema(written, **options), direction)
    assert found == [line % SIDES[direction]]


def test_a_package_has_its_line_and_so_has_each_further_change(schema):
    moved = schema(BOOK, package="archive"), schema(BOOK + PAGE)
    assert protobuf_messages(*moved, Direction.BACKWARD) == [
        (
            '{errorType:"PACKAGE_CHANGED", description:"The package at \'#/\' in the new schema does not match '
            'the package in the old schema"}'
        ),
        (
            '{errorType:"MESSAGE_REMOVED", description:"The new schema is missing a MESSAGE type at path '
            "'#/Page' in the old schema\"}"
        ),
    ]


def test_every_refused_kind_has_its_line(schema):
    avro = {case[2].split("'")[1] for case in AVRO}
    protobuf = {case[3].split('"')[1] for case in PROTOBUF} | {"PACKAGE_CHANGED"}
    assert avro | protobuf == {kind.value for kind in CONFLUENT | AVRO_KINDS if Rules.CONFLUENT.breaks(kind)}
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
        (
            "{errorType:'NAME_MISMATCH', description:'The name of the schema has changed (path '/name')', "
            "additionalInfo:'expected: library.Book'}"
        ),
    ),
    (
        book("int", {"type": "array", "items": sign("fixed", size=4)}),
        book("int", {"type": "array", "items": sign("fixed", size=8)}),
        (
            "{errorType:'FIXED_SIZE_MISMATCH', description:'The size of FIXED type field at path "
            "'/fields/1/type/items/size' in the %s schema does not match with the %s schema', "
            "additionalInfo:'expected: 4, found: 8'}"
        ),
    ),
    (
        book({"type": "map", "values": sign("enum", symbols=["C", "A", "B"])}),
        book({"type": "map", "values": sign("enum", symbols=["A"])}),
        (
            "{errorType:'MISSING_ENUM_SYMBOLS', description:'The %s schema is missing enum symbols '[B, C]' at "
            "path '/fields/0/type/values/symbols' in the %s schema', additionalInfo:'[B, C]'}"
        ),
    ),
    (
        book("int"),
        book("string"),
        (
            "{errorType:'TYPE_MISMATCH', description:'The type (path '/fields/0/type') of a field in the %s "
            "schema does not match with the %s schema', additionalInfo:'reader type: STRING not compatible "
            "with writer type: INT'}"
        ),
    ),
    (
        book(["null", "string"]),
        book(["null", "long"]),
        (
            "{errorType:'MISSING_UNION_BRANCH', description:'The %s schema is missing a type inside a union "
            "field at path '/fields/0/type/1' in the %s schema', additionalInfo:'reader union lacking writer "
            "type: STRING'}"
        ),
    ),
    (
        book("int"),
        book("int", "long"),
        (
            "{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', description:'The field 'f1' at path '/fields/1' in "
            "the %s schema has no default value and is missing in the %s schema', additionalInfo:'f1'}"
        ),
    ),
]


def said(writer, reader, direction=Direction.BACKWARD):
    return avro_messages(parse(json.dumps(reader)), parse(json.dumps(writer)), direction)


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize(("written", "read", "line"), AVRO)
def test_each_kind_of_avro_change_has_its_line(direction, written, read, line):
    expected = line % SIDES[direction] if "%s" in line else line
    assert said(written, read, direction) == [expected]


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
