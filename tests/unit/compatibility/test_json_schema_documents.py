"""References in JSON Schemas, and what is no JSON Schema at all."""

from __future__ import annotations

import json
from time import process_time

import pytest

from immersiverse.auth.events.compatibility import Level, json_schema
from immersiverse.auth.events.errors import InvalidSchema
from unit.compatibility.json_schemas import NULL, NUMBER, TEXT, book, changes


def shelf(items, **more):
    return {"$ref": "#/$defs/Shelf", "$defs": {"Shelf": book(items=items, **more)}}


def test_references_are_followed_even_in_circles():
    loop = {"$ref": "#/$defs/Shelf"}
    assert changes(shelf(loop, mark=TEXT), shelf(loop, mark=TEXT)) == set()
    assert changes(shelf(loop, mark=TEXT), shelf(loop, mark=NUMBER)) == {"TYPE_CHANGED #/properties/mark!"}
    old = {"definitions": {"a/b": TEXT}, **book(mark={"$ref": "#/definitions/a~1b"})}
    assert changes(old, book(mark=NUMBER)) == {"TYPE_CHANGED #/properties/mark!"}


def test_a_circle_is_not_taken_for_harmless_where_an_alternative_hides_what_breaks_it():
    def tree(leaf):
        node = book(leaf=leaf, next={"anyOf": [{"$ref": "#/$defs/Node"}, NULL]})
        return {"anyOf": [{"$ref": "#/$defs/Node"}, NUMBER], "$defs": {"Node": node}}

    assert "COMBINED_TYPE_SUBSCHEMAS_CHANGED #/!" in changes(tree(TEXT), tree(NUMBER))


def test_what_held_only_while_a_circle_was_open_is_compared_once_more():
    def library(leaf, *more):
        either = {"anyOf": [{"$ref": "#/$defs/Shelf"}, TEXT, *more]}
        definitions = {
            "Shelf": book(first={"$ref": "#/$defs/Book"}, mark=leaf),
            "Book": book(shelf={"$ref": "#/$defs/Shelf"}),
        }
        return {**book(either=either, last={"$ref": "#/$defs/Book"}), "$defs": definitions}

    found = changes(library(TEXT), library(NUMBER, {}))
    assert {change.partition(" ")[0] for change in found if change.endswith("!")} == {"TYPE_CHANGED"}


def test_demands_beside_a_reference_are_demands_too():
    definitions = {"$defs": {"Text": TEXT}}
    old = {**definitions, "$ref": "#/$defs/Text"}
    assert changes(old, {**old, "maxLength": 5}) == {"TYPE_CHANGED #/!"}


def test_references_lead_into_imported_documents():
    text = json.dumps(book(author={"$ref": "person.json#/$defs/Name"}))
    short = {"$defs": {"Name": TEXT}}
    long = {"$defs": {"Name": {"$ref": "#/$defs/Long"}, "Long": {**TEXT, "minLength": 9}}}
    old, new = (json_schema.parse(text, {"person.json": json.dumps(person)}) for person in (short, long))
    (change,) = json_schema.check(new, [old], level=Level.BACKWARD)
    assert (change.kind, change.path) == ("MIN_LENGTH_ADDED", "#/properties/author/minLength")


def test_definitions_that_branch_and_meet_again_are_compared_in_no_time():
    def ladder(last):
        rungs = {"R0": book(mark=last)}
        for number in range(1, 60):
            below = {"$ref": f"#/$defs/R{number - 1}"}
            rungs[f"R{number}"] = book(left=below, right={"anyOf": [below, NULL]})
        return {"$ref": "#/$defs/R59", "$defs": rungs}

    start = process_time()
    assert any(change.endswith("!") for change in changes(ladder(TEXT), ladder(NUMBER)))
    assert process_time() - start < 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "17",
        "null",
        '"string"',
        "[]",
        '{"type": "text"}',
        '{"type": []}',
        '{"type": 3}',
        '{"properties": []}',
        '{"properties": {"a": 3}}',
        '{"required": true}',
        '{"required": [1]}',
        '{"maxLength": -1}',
        '{"maximum": "5"}',
        '{"maximum": NaN}',
        '{"maximum": 1e999}',
        '{"anyOf": []}',
        '{"anyOf": {}}',
        '{"items": 5}',
        '{"items": [5]}',
        '{"additionalProperties": "no"}',
        '{"dependencies": {"a": [1]}}',
        '{"dependentRequired": {"a": "b"}}',
        '{"$ref": 5}',
        '{"$ref": "#/$defs/missing"}',
        '{"$ref": "#/x", "x": {"type": "nonsense"}}',
        '{"not": ' * 5_000 + "{}" + "}" * 5_000,
    ],
)
def test_what_is_no_schema_is_an_invalid_schema(text):
    with pytest.raises(InvalidSchema):
        json_schema.parse(text)


def test_a_reference_that_leads_to_nothing_but_itself_is_an_invalid_schema():
    loop = json_schema.parse('{"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/A"}}}')
    with pytest.raises(InvalidSchema, match="itself"):
        json_schema.compare(loop, json_schema.parse("{}"))


def test_schemas_that_are_too_deep_to_be_compared_are_invalid():
    chain = {f"R{number}": book(next={"$ref": f"#/$defs/R{number + 1}"}) for number in range(2_000)}
    deep = json.dumps({"$ref": "#/$defs/R0", "$defs": {**chain, "R2000": TEXT}})
    old, new = json_schema.parse(deep), json_schema.parse(deep.replace('"string"', '"number"'))
    with pytest.raises(InvalidSchema, match="too deeply"):
        json_schema.compare(old, new)


def test_what_did_not_change_is_never_too_deep():
    deep = {
        "$ref": "#/$defs/R0",
        "$defs": {f"R{n}": book(next={"$ref": f"#/$defs/R{n + 1}"}) for n in range(999)},
    }
    deep["$defs"]["R999"] = TEXT
    assert changes(deep, deep) == set()


def test_alternatives_beyond_measure_are_refused_soon():
    def many(depth, longest):
        if not depth:
            return {**TEXT, "maxLength": longest}
        inner = [many(depth - 1, longest * 5 + place) for place in range(4)]
        return {"anyOf": [{"type": "array", "items": items} for items in inner]}

    start = process_time()
    with pytest.raises(InvalidSchema, match="too many"):
        changes(many(5, 1), many(5, 2))
    assert process_time() - start < 20  # not compared to the end, which takes a hundred times as long
