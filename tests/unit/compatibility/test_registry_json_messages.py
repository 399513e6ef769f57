"""The registry's lines about JSON Schemas."""

from __future__ import annotations

import re

import pytest

from immersiverse.auth.events.compatibility import ChangeKind, Direction
from immersiverse.auth.events.compatibility.json_schema_explanations import JSON_SCHEMA
from immersiverse.auth.events.compatibility.json_schema_policy import Policy
from immersiverse.auth.events.compatibility.registry_json_messages import json_schema_message

REFUSED = [kind for kind in JSON_SCHEMA if Policy.STRICT.breaks(kind)]


def test_a_line_names_its_kind_its_place_and_who_reads_whom():
    kind, path = ChangeKind.MAXIMUM_ADDED, "#/properties/age"
    said = "The keyword at path '#/properties/age' in the %s schema is not present in the %s schema"
    for direction, sides in ((Direction.BACKWARD, ("new", "old")), (Direction.FORWARD, ("old", "new"))):
        line = f'{{errorType:"MAXIMUM_ADDED", description:"{said % sides}\'}}'
        assert json_schema_message(kind, path, direction) == line


@pytest.mark.parametrize(
    ("kind", "part"),
    [
        ("MINIMUM_INCREASED", "The value at path '#/x' in the new schema is more than its value in the old"),
        ("MAXIMUM_DECREASED", "The value at path '#/x' in the new schema is less than its value in the old"),
        ("PATTERN_CHANGED", "The value at path '#/x' is different between the new and old schema"),
        (
            "ENUM_ARRAY_NARROWED",
            "at path '#/x' has fewer elements in the new schema than the old",
        ),
        (
            "PRODUCT_TYPE_EXTENDED",
            "at path '#/x' has more elements in the new schema than the old",
        ),
        ("TYPE_CHANGED", "A type at path '#/x' is different between the new schema and the old schema"),
        ("ITEM_ADDED_TO_OPEN_CONTENT_MODEL", "The new schema has an open content model and has a property"),
        ("REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL", "has an unopen content model and has a required"),
        ("ITEM_REMOVED_FROM_CLOSED_CONTENT_MODEL", "The new has a closed content model and is missing"),
    ],
)
def test_groups_of_kinds_share_their_words(kind, part):
    assert part in json_schema_message(ChangeKind(kind), "#/x", Direction.BACKWARD)


@pytest.mark.parametrize("kind", REFUSED)
def test_every_refused_kind_has_words_but_the_one_that_the_registry_has_none_for(kind):
    line = json_schema_message(kind, "#/x", Direction.BACKWARD)
    found = re.fullmatch(rf"""\{{errorType:"{kind}", description:"(.*)'\}}""", line)
    assert found is not None
    assert ("'#/x'" in found[1]) is (kind is not ChangeKind.SCHEMA_ADDED)
