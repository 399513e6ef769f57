"""Avro schemas, by Avro's rules of schema resolution."""

from __future__ import annotations

import json
from io import BytesIO

import pytest
from fastavro import parse_schema, schemaless_reader, schemaless_writer
from fastavro.read import SchemaResolutionError

from immersiverse.auth.events.compatibility_level import Direction, Level
from immersiverse.auth.events.errors import InvalidSchema
from immersiverse.auth.events.schema_checks import avro


def record(*fields, name="library.Book", **more):
    return json.dumps({"type": "record", "name": name, "fields": list(fields), **more})


def field(kind, name="mark", **more):
    return {"name": name, "type": kind, **more}


def reasons(reader, writer):
    """Why the reader cannot read what the writer wrote."""
    return {f"{change.kind} {change.path}" for change in avro.check(reader, [writer], level=Level.BACKWARD)}


def test_a_schema_reads_itself_even_if_it_refers_to_itself():
    book = record(field("string", "title"), field(["null", "library.Book"], "sequel"))
    assert reasons(book, book) == set()


PROMOTED = {
    "int": {"long", "float", "double"},
    "long": {"float", "double"},
    "float": {"double"},
    "string": {"bytes"},
    "bytes": {"string"},
}
PRIMITIVES = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"]


@pytest.mark.parametrize("written", PRIMITIVES)
@pytest.mark.parametrize("read", PRIMITIVES)
def test_a_primitive_is_read_as_itself_or_as_what_it_promotes_to(written, read):
    readable = read == written or read in PROMOTED.get(written, set())
    found = reasons(record(field(read)), record(field(written)))
    assert found == (set() if readable else {"TYPE_MISMATCH #/Book/mark"})


def test_a_field_that_was_not_written_needs_a_default():
    old = record()
    assert reasons(record(field("int")), old) == {"READER_FIELD_MISSING_DEFAULT_VALUE #/Book/mark"}
    assert reasons(record(field("int", default=0)), old) == set()
    assert reasons(old, record(field("int"))) == set()


def test_a_field_is_found_by_its_alias():
    assert reasons(record(field("int", "pages", aliases=["mark"])), record(field("int"))) == set()


def test_a_record_is_known_by_its_short_name_or_an_alias():
    assert reasons(record(name="archive.Book"), record()) == set()
    assert reasons(record(name="library.Volume"), record()) == {"NAME_MISMATCH #/"}
    assert reasons(record(name="library.Volume", aliases=["Book"]), record()) == set()
    assert reasons(record(name="archive.Volume", aliases=["library.Book"]), record()) == set()
    assert reasons(record(name="archive.Volume", aliases=["Book"]), record()) == {"NAME_MISMATCH #/"}


def enum(*symbols, **more):
    return record(field({"type": "enum", "name": "Genre", "symbols": list(symbols), **more}))


def test_an_enum_knows_every_symbol_or_has_a_default():
    assert reasons(enum("A", "B"), enum("A")) == set()
    assert reasons(enum("A"), enum("A", "B")) == {"MISSING_ENUM_SYMBOLS #/Genre"}
    assert reasons(enum("A", default="A"), enum("A", "B")) == set()


def test_a_fixed_keeps_its_size():
    old, new = (record(field({"type": "fixed", "name": "Hash", "size": size})) for size in (16, 20))
    assert reasons(new, old) == {"FIXED_SIZE_MISMATCH #/Hash"}


def test_arrays_and_maps_are_resolved_by_what_they_hold():
    for kind, part in (("array", "items"), ("map", "values")):
        old, good, bad = (record(field({"type": kind, part: held})) for held in ("int", "long", "string"))
        assert reasons(good, old) == set()
        assert reasons(bad, old) == {f"TYPE_MISMATCH #/Book/mark/{part}"}


def test_a_union_has_a_branch_for_everything_that_was_written():
    assert reasons(record(field(["null", "int"])), record(field("int"))) == set()
    assert reasons(record(field(["null", "long"])), record(field(["int", "null"]))) == set()
    assert reasons(record(field("int")), record(field(["null", "int"]))) == {"TYPE_MISMATCH #/Book/mark"}
    assert reasons(record(field(["null", "int"])), record(field(["null", "int", "string"]))) == {
        "MISSING_UNION_BRANCH #/Book/mark"
    }


def test_what_is_wrong_deep_inside_is_reported_once_where_it_is():
    def shelf(kind):
        book = {"type": "record", "name": "Book", "fields": [field(kind)]}
        return record(field(book, "first"), field("library.Book", "last"), name="library.Shelf")

    assert len(avro.check(shelf("string"), [shelf("int")], level=Level.BACKWARD)) == 1
    assert reasons(shelf("string"), shelf("int")) == {"TYPE_MISMATCH #/Book/mark"}


def test_levels_work_as_for_protobuf():
    small, large = record(), record(field("int"))
    assert avro.check(large, [small], level=Level.NONE) == []
    assert avro.check(large, [small, large], level=Level.BACKWARD) == []
    (change,) = avro.check(large, [small, large], level=Level.FULL_TRANSITIVE)
    assert (change.version, change.direction, change.old, change.new) == (
        0,
        Direction.BACKWARD,
        "",
        "int mark",
    )
    (change,) = avro.check(small, [large], level=Level.FORWARD)
    assert (change.direction, change.old, change.new) == (Direction.FORWARD, "int mark", "")


def test_records_that_branch_and_meet_again_are_resolved_in_no_time():
    def ladder(last):
        parts = [{"type": "record", "name": "R0", "fields": [field(last)]}]
        for rung in range(1, 200):
            below = parts[-1]
            fields = [field(below, "left"), field(f"R{rung - 1}", "right")]
            parts.append({"type": "record", "name": f"R{rung}", "fields": fields})
        return json.dumps(parts[60])

    assert reasons(ladder("string"), ladder("int")) == {"TYPE_MISMATCH #/R0/mark"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]]",
        "17",
        "null",
        '"unheard"',
        '{"type": "record"}',
        '{"type": "record", "name": "A", "fields": 3}',
        '{"type": "record", "name": "A", "fields": [{"name": "b"}]}',
        '{"type": "enum", "name": "A"}',
        '{"type": "array"}',
        '{"type": "map"}',
        '{"type": "fixed", "name": "A"}',
        '{"type": {"type": {"type": "int"}}}',
        '{"type": "array", "items": ' * 5000 + '"int"' + "}" * 5000,
    ],
)
def test_what_is_no_schema_is_an_invalid_schema(text):
    with pytest.raises(InvalidSchema):
        avro.check(text, ['"int"'], level=Level.BACKWARD)


def test_verdicts_agree_with_what_an_avro_reader_really_does():
    written = {"type": "record", "name": "Book", "fields": [field("int"), field(["null", "string"], "note")]}
    stored = BytesIO()
    schemaless_writer(stored, parse_schema(written), {"mark": 7, "note": "n"})
    for fields, readable in [
        ([field("long"), field(["string", "null"], "note")], True),
        ([field("double")], True),
        ([field("int"), field("int", "more", default=3)], True),
        ([field("int"), field("int", "more")], False),
        ([field("string")], False),
        ([field("int"), field(["null", "int"], "note")], False),
    ]:
        read = {"type": "record", "name": "Book", "fields": fields}
        stored.seek(0)
        assert (reasons(json.dumps(read), json.dumps(written)) == set()) is readable
        if readable:
            schemaless_reader(stored, parse_schema(written), parse_schema(read))
        else:
            with pytest.raises((SchemaResolutionError, EOFError, IndexError)):
                schemaless_reader(stored, parse_schema(written), parse_schema(read))
