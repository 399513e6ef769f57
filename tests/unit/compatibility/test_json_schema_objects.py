"""Properties and items of JSON Schemas, by the rules of Confluent's Schema Registry."""

from __future__ import annotations

import pytest

from immersiverse.auth.events.compatibility.json_schema import Policy
from unit.compatibility.json_schemas import NUMBER, TEXT, book, changes, closed


def test_a_property_may_join_a_closed_object_unless_it_is_required():
    old, new = closed(title=TEXT), closed(title=TEXT, pages=NUMBER)
    assert changes(old, new) == {"OPTIONAL_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL #/properties/pages"}
    assert changes(old, {**new, "required": ["pages"]}) == {
        "REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL #/properties/pages!"
    }
    by_default = closed(title=TEXT, pages={**NUMBER, "default": 0})
    assert changes(old, {**by_default, "required": ["pages"]}) == {
        "REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_UNOPEN_CONTENT_MODEL #/properties/pages"
    }


def test_a_property_that_joins_an_open_object_may_have_been_sent_as_something_else():
    old, new = book(title=TEXT), book(title=TEXT, pages=NUMBER)
    optional = "OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL #/properties/pages"
    assert changes(old, new) == {f"{optional}!"}
    assert changes(old, new, Policy.LENIENT) == {optional}
    required = "REQUIRED_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL #/properties/pages!"
    for policy in Policy:
        assert changes(old, {**new, "required": ["pages"]}, policy) == {required}
    assert changes(old, book(title=TEXT, pages=True)) == {
        "PROPERTY_WITH_EMPTY_SCHEMA_ADDED_TO_OPEN_CONTENT_MODEL #/properties/pages"
    }
    assert changes(old, {**book(title=TEXT, pages={}), "required": ["pages"]}) == {required}


def test_a_property_may_leave_an_open_object_and_no_closed_one():
    assert changes(book(title=TEXT), book()) == {
        "PROPERTY_REMOVED_FROM_OPEN_CONTENT_MODEL #/properties/title"
    }
    removed = "PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL #/properties/title"
    assert changes(closed(title=TEXT), closed()) == {f"{removed}!"}
    assert changes(closed(title=TEXT), closed(), Policy.LENIENT) == {removed}
    assert changes(closed(title=False), closed()) == {
        "PROPERTY_WITH_FALSE_REMOVED_FROM_CLOSED_CONTENT_MODEL #/properties/title"
    }


@pytest.mark.parametrize("keyword", ["additionalProperties", "unevaluatedProperties"])
def test_properties_of_a_partially_open_object_must_fit_its_rest(keyword):
    rest = {keyword: TEXT}
    old, new = {**book(), **rest}, {**book(title=TEXT), **rest}
    covered = "BY_PARTIALLY_OPEN_CONTENT_MODEL #/properties/title"
    assert changes(old, new) == {
        f"PROPERTY_ADDED_IS_COVERED_{covered}",
        "OPTIONAL_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL #/properties/title",
    }
    assert changes(new, old) == {f"PROPERTY_REMOVED_IS_COVERED_{covered}"}
    other = {**book(title=NUMBER), **rest}
    assert f"PROPERTY_ADDED_NOT_COVERED_{covered}!" in changes(old, other)
    assert f"PROPERTY_REMOVED_NOT_COVERED_{covered}!" in changes(other, old)


def test_required_is_given_up_and_not_imposed():
    old, new = book(title=TEXT), {**book(title=TEXT), "required": ["title"]}
    assert changes(old, new) == {"REQUIRED_ATTRIBUTE_ADDED #/required/title!"}
    assert changes(new, old) == {"REQUIRED_ATTRIBUTE_REMOVED #/required/title"}
    told = book(title={**TEXT, "default": ""})
    assert changes(told, {**told, "required": ["title"]}) == {
        "REQUIRED_ATTRIBUTE_WITH_DEFAULT_ADDED #/required/title"
    }


def test_a_required_property_that_is_described_nowhere_is_not_overlooked():
    assert changes(book(), {**book(), "required": ["title"]}) == {
        "REQUIRED_ATTRIBUTE_ADDED #/required/title!"
    }


@pytest.mark.parametrize(
    ("keyword", "name"),
    [
        ("additionalProperties", "ADDITIONAL_PROPERTIES"),
        ("unevaluatedProperties", "UNEVALUATED_PROPERTIES"),
        ("unevaluatedItems", "UNEVALUATED_ITEMS"),
    ],
)
def test_content_may_open_and_not_close(keyword, name):
    kind = {"type": "array" if "Items" in keyword else "object"}
    none, some, every = {**kind, keyword: False}, {**kind, keyword: TEXT}, {**kind, keyword: True}
    where = f"#/{keyword}"
    assert changes(every, kind) == changes(kind, every) == set()
    assert changes(none, kind) == changes(none, some) == {f"{name}_ADDED {where}"}
    assert changes(kind, none) == changes(some, none) == {f"{name}_REMOVED {where}!"}
    assert changes(some, kind) == {f"{name}_EXTENDED {where}"}
    assert changes(kind, some) == {f"{name}_NARROWED {where}!"}
    assert changes(some, {**kind, keyword: NUMBER}) == {f"TYPE_CHANGED {where}!"}


@pytest.mark.parametrize("keyword", ["dependentRequired", "dependencies"])
def test_what_a_property_needs_beside_it_may_become_less(keyword):
    def needs(*names):
        return {**book(), keyword: {"isbn": list(names)}}

    where = "#/dependencies/isbn"
    assert changes(book(), needs("a")) == {f"DEPENDENCY_ARRAY_ADDED {where}!"}
    assert changes(needs("a"), book()) == {f"DEPENDENCY_ARRAY_REMOVED {where}"}
    assert changes(needs("a"), needs("b", "a")) == {f"DEPENDENCY_ARRAY_EXTENDED {where}!"}
    assert changes(needs("b", "a"), needs("a")) == {f"DEPENDENCY_ARRAY_NARROWED {where}"}
    assert changes(needs("a"), needs("b")) == {f"DEPENDENCY_ARRAY_CHANGED {where}!"}


@pytest.mark.parametrize("keyword", ["dependentSchemas", "dependencies"])
def test_what_a_property_makes_of_the_object_may_become_less(keyword):
    old, new = ({**book(), keyword: {"isbn": {"minProperties": least}}} for least in (2, 3))
    where = "#/dependencies/isbn"
    assert changes(book(), old) == {f"DEPENDENCY_SCHEMA_ADDED {where}!"}
    assert changes(old, book()) == {f"DEPENDENCY_SCHEMA_REMOVED {where}"}
    assert changes(old, new) == {f"MIN_PROPERTIES_INCREASED {where}/minProperties!"}


def test_items_are_compared_by_their_schema():
    old, new = ({"type": "array", "items": items} for items in (TEXT, {**TEXT, "maxLength": 3}))
    assert changes(old, new) == {"MAX_LENGTH_ADDED #/items/maxLength!"}
    assert changes({"type": "array"}, old) == {"SCHEMA_ADDED #/items!"}
    assert changes(old, {"type": "array", "items": True}) == {"SCHEMA_REMOVED #/items"}
    unique = {"type": "array", "uniqueItems": True}
    assert changes({"type": "array", "uniqueItems": False}, unique) == {"UNIQUE_ITEMS_ADDED #/uniqueItems!"}
    assert changes(unique, {"type": "array"}) == {"UNIQUE_ITEMS_REMOVED #/uniqueItems"}


@pytest.mark.parametrize(("first", "rest"), [("prefixItems", "items"), ("items", "additionalItems")])
def test_items_with_places_come_and_go_as_properties_do(first, rest):
    def row(*items, **more):
        return {"type": "array", first: list(items), **more}

    where = "#/items/1"
    one, two = row(TEXT, **{rest: False}), row(TEXT, NUMBER, **{rest: False})
    assert changes(one, two) == {f"ITEM_ADDED_TO_CLOSED_CONTENT_MODEL {where}"}
    assert changes(two, one) == {f"ITEM_REMOVED_FROM_CLOSED_CONTENT_MODEL {where}!"}
    assert changes(row(TEXT, False, **{rest: False}), one) == {
        f"ITEM_WITH_FALSE_REMOVED_FROM_CLOSED_CONTENT_MODEL {where}"
    }
    assert changes(row(TEXT), row(TEXT, NUMBER)) == {f"ITEM_ADDED_TO_OPEN_CONTENT_MODEL {where}!"}
    assert changes(row(TEXT), row(TEXT, {})) == {
        f"ITEM_WITH_EMPTY_SCHEMA_ADDED_TO_OPEN_CONTENT_MODEL {where}"
    }
    assert changes(row(TEXT, NUMBER), row(TEXT)) == {f"ITEM_REMOVED_FROM_OPEN_CONTENT_MODEL {where}"}
    fitting, other = row(TEXT, **{rest: NUMBER}), row(TEXT, TEXT, **{rest: NUMBER})
    assert changes(fitting, row(TEXT, NUMBER, **{rest: NUMBER})) == {
        f"ITEM_ADDED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL {where}"
    }
    assert f"ITEM_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL {where}!" in changes(other, fitting)
    assert changes(one, row(TEXT)) == {"ADDITIONAL_ITEMS_ADDED #/additionalItems"}
