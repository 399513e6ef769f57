"""Types, limits and listed values of JSON Schemas, by the rules of Confluent's Schema Registry."""

from __future__ import annotations

import pytest

from unit.compatibility.json_schemas import NULL, NUMBER, TEXT, changes

TYPES = ["array", "boolean", "null", "number", "object", "string"]


@pytest.mark.parametrize("old", TYPES)
@pytest.mark.parametrize("new", TYPES)
def test_a_type_is_read_as_itself_alone(old, new):
    assert changes({"type": old}, {"type": new}) == (set() if old == new else {"TYPE_CHANGED #/!"})


def test_whole_numbers_are_numbers_but_not_the_reverse():
    assert changes({"type": "integer"}, NUMBER) == {"TYPE_EXTENDED #/"}
    assert changes(NUMBER, {"type": "integer"}) == {"TYPE_NARROWED #/!"}


def test_a_type_may_gain_others_and_lose_none():
    either = {"type": ["string", "null"]}
    assert changes(TEXT, either) == {"SUM_TYPE_EXTENDED #/"}
    assert changes(either, {"type": ["null", "string"]}) == set()
    assert changes(either, {"type": ["null", "string", "array"]}) == {"SUM_TYPE_EXTENDED #/"}
    assert changes(either, TEXT) == {"TYPE_CHANGED #/!"}
    assert "SUM_TYPE_NARROWED #/!" in changes({"type": ["null", "string", "array"]}, either)


def test_whatever_was_taken_is_taken_by_a_schema_that_demands_nothing():
    for old in (True, {}, TEXT, {"enum": [1]}, {"anyOf": [TEXT, NULL]}, False):
        assert not any(change.endswith("!") for change in changes(old, {}))
        assert not any(change.endswith("!") for change in changes(old, True))
        assert not any(change.endswith("!") for change in changes(False, old))
    assert changes({}, TEXT) == {"TYPE_CHANGED #/!"}
    assert changes(TEXT, False) == {"TYPE_CHANGED #/!"}


def test_limits_of_a_type_that_is_not_demanded_hold_values_of_that_type():
    assert changes({"maxLength": 5}, {"maxLength": 6}) == {"MAX_LENGTH_INCREASED #/maxLength"}
    assert changes({"maxLength": 5}, {**TEXT, "maxLength": 5}) == {"TYPE_NARROWED #/!"}
    assert changes({**TEXT, "maxLength": 5}, {"maxLength": 5}) == {"TYPE_EXTENDED #/"}


UPPER = {"string": ["maxLength"], "number": ["maximum", "exclusiveMaximum"]}
UPPER |= {"array": ["maxItems"], "object": ["maxProperties"]}
LOWER = {"string": ["minLength"], "number": ["minimum", "exclusiveMinimum"]}
LOWER |= {"array": ["minItems"], "object": ["minProperties"]}


def cases(limits):
    return [(kind, keyword) for kind, keywords in limits.items() for keyword in keywords]


def snake(keyword):
    return "".join(f"_{sign}" if sign.isupper() else sign for sign in keyword).upper()


@pytest.mark.parametrize(("kind", "keyword"), [*cases(UPPER), *cases(LOWER)])
def test_a_limit_may_go_and_may_not_come(kind, keyword):
    bare, limited = {"type": kind}, {"type": kind, keyword: 5}
    assert changes(bare, limited) == {f"{snake(keyword)}_ADDED #/{keyword}!"}
    assert changes(limited, bare) == {f"{snake(keyword)}_REMOVED #/{keyword}"}
    assert changes(limited, {"type": kind, keyword: 5.0}) == set()


@pytest.mark.parametrize(("kind", "keyword"), cases(UPPER))
def test_what_is_greatest_may_become_greater(kind, keyword):
    low, high = {"type": kind, keyword: 5}, {"type": kind, keyword: 6}
    assert changes(low, high) == {f"{snake(keyword)}_INCREASED #/{keyword}"}
    assert changes(high, low) == {f"{snake(keyword)}_DECREASED #/{keyword}!"}


@pytest.mark.parametrize(("kind", "keyword"), cases(LOWER))
def test_what_is_least_may_become_less(kind, keyword):
    low, high = {"type": kind, keyword: 5}, {"type": kind, keyword: 6}
    assert changes(high, low) == {f"{snake(keyword)}_DECREASED #/{keyword}"}
    assert changes(low, high) == {f"{snake(keyword)}_INCREASED #/{keyword}!"}


def test_the_fourth_drafts_exclusive_limits_are_read_as_the_later_ones():
    old, new = {**NUMBER, "maximum": 5, "exclusiveMaximum": True}, {**NUMBER, "exclusiveMaximum": 5}
    assert changes(old, new) == set()
    assert changes({**NUMBER, "maximum": 5, "exclusiveMaximum": False}, {**NUMBER, "maximum": 5}) == set()


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        (None, 2, "MULTIPLE_OF_ADDED #/multipleOf!"),
        (2, None, "MULTIPLE_OF_REMOVED #/multipleOf"),
        (2, 4, "MULTIPLE_OF_EXPANDED #/multipleOf!"),
        (4, 2, "MULTIPLE_OF_REDUCED #/multipleOf"),
        (0.3, 0.1, "MULTIPLE_OF_REDUCED #/multipleOf"),
        (2, 3, "MULTIPLE_OF_CHANGED #/multipleOf!"),
        (0, 3, "MULTIPLE_OF_CHANGED #/multipleOf!"),
    ],
)
def test_multiples_may_become_finer(old, new, found):
    versions = ({**NUMBER, "multipleOf": step} if step is not None else NUMBER for step in (old, new))
    assert changes(*versions) == {found}


def test_a_pattern_may_only_go():
    old, new = {**TEXT, "pattern": "^a"}, {**TEXT, "pattern": "^[ab]"}
    assert changes(TEXT, old) == {"PATTERN_ADDED #/pattern!"}
    assert changes(old, TEXT) == {"PATTERN_REMOVED #/pattern"}
    assert changes(old, new) == {"PATTERN_CHANGED #/pattern!"}


def test_a_list_of_values_may_grow_in_any_order():
    assert changes({"enum": ["a", 1]}, {"enum": [1.0, "a"]}) == set()
    assert changes({"enum": ["a"]}, {"enum": ["b", "a"]}) == {"ENUM_ARRAY_EXTENDED #/enum"}
    assert changes({"enum": ["a", "b"]}, {"enum": ["a"]}) == {"ENUM_ARRAY_NARROWED #/enum!"}
    assert changes({"enum": [1, "b"]}, {"enum": [True, "b"]}) == {"ENUM_ARRAY_CHANGED #/enum!"}
    assert changes({"const": {"a": 1}}, {"const": {"a": 2}}) == {"ENUM_ARRAY_CHANGED #/const!"}
    assert changes({"const": "a"}, {"enum": ["a"]}) == {"TYPE_CHANGED #/!"}


def test_a_list_of_values_may_be_given_up_for_their_type():
    assert changes({**TEXT, "enum": ["a"]}, TEXT) == {"PRODUCT_TYPE_NARROWED #/"}
    assert changes(TEXT, {**TEXT, "enum": ["a"]}) == {"TYPE_CHANGED #/!"}


def test_annotations_are_no_change():
    told = {**TEXT, "title": "T", "description": "D", "examples": ["a"], "format": "email", "x-mine": 1}
    assert changes(TEXT, told) == changes(told, TEXT) == set()
