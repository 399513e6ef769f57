"""Combined JSON Schemas, and what is not judged, by the rules of Confluent's Schema Registry and our own."""

from __future__ import annotations

import json

import pytest

from immersiverse.auth.events.compatibility import Direction, Level, json_schema
from immersiverse.auth.events.compatibility.json_schema import Policy
from unit.compatibility.json_schemas import NULL, NUMBER, TEXT, book, changes


def test_alternatives_may_join_and_none_may_leave():
    two, three = {"anyOf": [TEXT, NUMBER]}, {"anyOf": [NULL, NUMBER, TEXT]}
    assert changes(two, three) == {"SUM_TYPE_EXTENDED #/"}
    assert changes(three, two) == {"SUM_TYPE_NARROWED #/!"}
    assert changes(TEXT, two) == changes(TEXT, {"oneOf": [NUMBER, TEXT]}) == {"SUM_TYPE_EXTENDED #/"}
    assert changes(NULL, two) == changes(two, TEXT) == {"TYPE_CHANGED #/!"}
    assert changes(two, {"anyOf": [NULL, TEXT]}) == {"COMBINED_TYPE_SUBSCHEMAS_CHANGED #/!"}


def test_demands_may_be_dropped_and_not_added():
    short, both = {**TEXT, "maxLength": 9}, {"allOf": [{**TEXT, "maxLength": 9}, {**TEXT, "pattern": "a"}]}
    assert changes(both, short) == {"PRODUCT_TYPE_NARROWED #/"}
    assert changes(short, both) == {"TYPE_CHANGED #/!"}
    assert changes({"allOf": [*both["allOf"], {**TEXT, "minLength": 1}]}, both) == {
        "PRODUCT_TYPE_NARROWED #/"
    }
    assert changes(both, {"allOf": [*both["allOf"], {**TEXT, "minLength": 1}]}) == {
        "PRODUCT_TYPE_EXTENDED #/!"
    }


def test_a_combination_of_one_is_that_one():
    for kind in ("allOf", "anyOf", "oneOf"):
        assert changes(TEXT, {kind: [TEXT]}) == changes({kind: [TEXT]}, TEXT) == set()


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("allOf", "anyOf", "COMBINED_TYPE_EXTENDED #/"),
        ("oneOf", "anyOf", "COMBINED_TYPE_EXTENDED #/"),
        ("anyOf", "allOf", "COMBINED_TYPE_CHANGED #/!"),
        ("anyOf", "oneOf", "COMBINED_TYPE_CHANGED #/!"),
        ("allOf", "oneOf", "COMBINED_TYPE_CHANGED #/!"),
    ],
)
def test_only_any_of_takes_what_another_combination_took(old, new, found):
    assert changes({old: [TEXT, NUMBER]}, {new: [TEXT, NUMBER]}) == {found}


def test_each_alternative_needs_a_partner_of_its_own():
    wide, narrow = TEXT, {**TEXT, "maxLength": 3}
    assert changes({"anyOf": [narrow, {**narrow, "title": "t"}]}, {"anyOf": [wide, NUMBER]}) == {
        "COMBINED_TYPE_SUBSCHEMAS_CHANGED #/!",
        "MAX_LENGTH_REMOVED #/anyOf/0/maxLength",
    }
    assert changes({"anyOf": [narrow, wide]}, {"anyOf": [wide, {**TEXT, "maxLength": 4}]}) == {
        "MAX_LENGTH_INCREASED #/anyOf/0/maxLength"
    }


def test_what_is_forbidden_may_become_less():
    short = {**TEXT, "maxLength": 3}
    assert changes({"not": TEXT}, {"not": short}) == {"NOT_TYPE_NARROWED #/not"}
    assert changes({"not": short}, {"not": TEXT}) == {"NOT_TYPE_EXTENDED #/not!"}


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("if", TEXT),
        ("then", TEXT),
        ("else", TEXT),
        ("contains", TEXT),
        ("minContains", 2),
        ("propertyNames", TEXT),
        ("$dynamicRef", "#node"),
    ],
)
def test_a_keyword_without_a_rule_is_never_passed_in_silence(keyword, value):
    said = {f"NOT_JUDGED #/{keyword}!"}
    for policy in Policy:
        assert changes({}, {keyword: value}, policy) == changes({keyword: value}, {}, policy) == said
    assert changes({keyword: value}, {keyword: value}) == set()
    schemas = (json_schema.parse(json.dumps(schema)) for schema in ({}, {keyword: value}))
    (change,) = json_schema.compare(*schemas)
    assert change.new == f"not judged: keyword {keyword}"


def test_a_schema_with_a_keyword_without_a_rule_is_no_empty_one():
    asking = {"if": TEXT, "then": {"maxLength": 3}}
    added = "OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL #/properties/title!"
    assert changes(book(), book(title=asking)) == {added}
    narrowed = "ADDITIONAL_PROPERTIES_NARROWED #/additionalProperties!"
    assert changes(book(), {**book(), "additionalProperties": asking}) == {narrowed}


def test_a_keyword_without_a_rule_is_the_same_only_if_what_it_refers_to_is():
    def when(name):
        return {"if": {"$ref": "#/$defs/A"}, "$defs": {"A": {"items": {"$ref": "#/$defs/B"}}, "B": name}}

    assert changes(when(TEXT), when(TEXT)) == set()
    assert changes(when(TEXT), when(NUMBER)) == {"NOT_JUDGED #/if!"}


def test_names_by_patterns_are_not_judged_where_they_may_matter():
    old = {**book(title=TEXT), "patternProperties": {"^x-": TEXT}}
    assert changes(old, {**old, "patternProperties": {"^x-": NUMBER}}) == {
        "TYPE_CHANGED #/patternProperties/^x-!"
    }
    assert "NOT_JUDGED #/patternProperties/^x-!" in changes(old, book(title=TEXT))
    assert "NOT_JUDGED #/properties/title!" in changes(old, {**old, "properties": {}})


def test_a_reference_to_what_is_not_at_hand_is_not_judged_unless_it_is_the_same():
    here, there = {"$ref": "https://example.com/a.json"}, {"$ref": "https://example.com/b.json"}
    assert changes(here, here) == set()
    assert changes(here, there) == {"NOT_JUDGED #/$ref!"}
    anchored = {"$ref": "#anchor", "$defs": {"A": {**TEXT, "$anchor": "anchor"}}}
    assert changes(anchored, anchored) == set()
    assert changes(anchored, {**anchored, "$defs": {"A": {**NUMBER, "$anchor": "anchor"}}}) == {
        "NOT_JUDGED #/$ref!"
    }


@pytest.mark.parametrize(
    ("kind", "evaluating", "unevaluated", "name"),
    [
        ("object", "additionalProperties", "unevaluatedProperties", "UNEVALUATED_PROPERTIES"),
        ("array", "items", "unevaluatedItems", "UNEVALUATED_ITEMS"),
    ],
)
def test_where_everything_is_evaluated_nothing_is_left_to_refuse(kind, evaluating, unevaluated, name):
    last = {"type": kind, unevaluated: False}
    first = {**last, evaluating: True}
    assert changes(first, {"type": kind}) == set()
    assert changes(first, last) == {f"{name}_REMOVED #/{unevaluated}!"}
    assert changes(last, first) == {f"{name}_ADDED #/{unevaluated}"}


def test_unevaluated_content_is_not_judged_where_what_looks_at_it_changes():
    old = {"allOf": [book(title=TEXT)], "unevaluatedProperties": False}
    assert changes(old, old) == set()
    assert "NOT_JUDGED #/unevaluatedProperties!" in changes(old, {**old, "allOf": [book()]})


def test_levels_work_as_for_protobuf():
    small, large = (json_schema.parse(json.dumps({"type": kind})) for kind in ("integer", "number"))
    assert json_schema.check(small, [large], level=Level.NONE) == []
    assert json_schema.check(small, [large, small], level=Level.BACKWARD) == []
    (change,) = json_schema.check(small, [large, small], level=Level.FULL_TRANSITIVE)
    assert (change.version, change.direction) == (0, Direction.BACKWARD)
    (change,) = json_schema.check(large, [small], level=Level.FORWARD)
    assert (change.direction, change.old, change.new) == (Direction.FORWARD, "integer", "number")
