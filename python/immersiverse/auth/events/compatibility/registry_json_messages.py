"""What Confluent's Schema Registry says of two JSON Schemas, in its own form and words.

Source: confluentinc/schema-registry 8.3.0, ``Difference`` of its JSON Schema provider.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from immersiverse.auth.events.compatibility.changes import Direction
from immersiverse.auth.events.compatibility.json_schema import compare
from immersiverse.auth.events.compatibility.kinds import ChangeKind as Kind

if TYPE_CHECKING:
    from immersiverse.auth.events.compatibility.json_schema import JsonSchema


def json_schema_messages(reader: JsonSchema, writer: JsonSchema, direction: Direction) -> list[str]:
    """A line for each change because of which the reader fails; empty if it reads everything.

    Args:
        reader: the new version if the direction is backward, else the old one.
        writer: the other version.
        direction: who of the two is the new one.

    Raises:
        InvalidSchema: a schema refers to nothing but itself, or is nested too deeply.
    """
    broken = [change for change in compare(writer, reader) if not change.compatible]
    return [json_schema_message(change.kind, change.path, direction) for change in broken]


def json_schema_message(kind: Kind, path: str, direction: Direction) -> str:
    """The line for one change; a kind that the registry has no words for has an empty description.

    Args:
        kind: one of those of JSON Schemas.
        path: where, such as ``#/properties/userId``.
        direction: backward if the reader is the new version.
    """
    reader, writer = ("new", "old") if direction is Direction.BACKWARD else ("old", "new")
    description = _TEXTS.get(kind, "").format(path=path, reader=reader, writer=writer)
    # It opens with one quotation mark and closes with another: so the registry has it.
    return f'{{errorType:"{kind}", description:"{description}\'}}'


_ADDED = "The keyword at path '{path}' in the {reader} schema is not present in the {writer} schema"
_MORE = "The value at path '{path}' in the {reader} schema is more than its value in the {writer} schema"
_LESS = "The value at path '{path}' in the {reader} schema is less than its value in the {writer} schema"
_DIFFERENT = "The value at path '{path}' is different between the {reader} and {writer} schema"
_FEWER = (
    "An array or combined type at path '{path}' has fewer elements in the {reader} schema "
    "than the {writer} schema"
)
_EXTENDED = (
    "An array or combined type at path '{path}' has more elements in the {reader} schema than "
    "the {writer} schema"
)
_TYPE = "A type at path '{path}' is different between the {reader} schema and the {writer} schema"
_OPEN = (
    "The {reader} schema has an open content model and has a property or item at path "
    "'{path}' which is missing in the {writer} schema"
)
_REQUIRED = (
    "The {reader} schema has an unopen content model and has a required property at path "
    "'{path}' which is missing in the {writer} schema"
)
_CLOSED = (
    "The {reader} has a closed content model and is missing a property or item present at "
    "path '{path}' in the {writer} schema"
)
_UNCOVERED_REMOVED = (
    "A property or item is missing in the {reader} schema but present at path '{path}' in the "
    "{writer} schema and is not covered by its partially open content model"
)
_UNCOVERED_ADDED = (
    "The {reader} schema has a property or item at path '{path}' which is missing in the "
    "{writer} schema and is not covered by its partially open content model"
)
# Not the registry's words, since it takes what it has no rule for.
_UNJUDGED = (
    "A keyword at path '{path}' differs between the {reader} and the {writer} schema, and no "
    "rule says whether it may"
)

_TEXTS = {
    Kind.MAXIMUM_ADDED: _ADDED,
    Kind.MINIMUM_ADDED: _ADDED,
    Kind.EXCLUSIVE_MAXIMUM_ADDED: _ADDED,
    Kind.EXCLUSIVE_MINIMUM_ADDED: _ADDED,
    Kind.MULTIPLE_OF_ADDED: _ADDED,
    Kind.MAX_LENGTH_ADDED: _ADDED,
    Kind.MIN_LENGTH_ADDED: _ADDED,
    Kind.PATTERN_ADDED: _ADDED,
    Kind.REQUIRED_ATTRIBUTE_ADDED: _ADDED,
    Kind.MAX_PROPERTIES_ADDED: _ADDED,
    Kind.MIN_PROPERTIES_ADDED: _ADDED,
    Kind.DEPENDENCY_ARRAY_ADDED: _ADDED,
    Kind.DEPENDENCY_SCHEMA_ADDED: _ADDED,
    Kind.MAX_ITEMS_ADDED: _ADDED,
    Kind.MIN_ITEMS_ADDED: _ADDED,
    Kind.UNIQUE_ITEMS_ADDED: _ADDED,
    Kind.ADDITIONAL_ITEMS_REMOVED: _ADDED,
    Kind.ADDITIONAL_PROPERTIES_REMOVED: _ADDED,
    Kind.UNEVALUATED_PROPERTIES_REMOVED: _ADDED,
    Kind.UNEVALUATED_ITEMS_REMOVED: _ADDED,
    Kind.MIN_LENGTH_INCREASED: _MORE,
    Kind.MINIMUM_INCREASED: _MORE,
    Kind.EXCLUSIVE_MINIMUM_INCREASED: _MORE,
    Kind.MIN_PROPERTIES_INCREASED: _MORE,
    Kind.MULTIPLE_OF_EXPANDED: _MORE,
    Kind.MIN_ITEMS_INCREASED: _MORE,
    Kind.MAX_LENGTH_DECREASED: _LESS,
    Kind.MAXIMUM_DECREASED: _LESS,
    Kind.MAX_ITEMS_DECREASED: _LESS,
    Kind.EXCLUSIVE_MAXIMUM_DECREASED: _LESS,
    Kind.MAX_PROPERTIES_DECREASED: _LESS,
    Kind.PATTERN_CHANGED: _DIFFERENT,
    Kind.MULTIPLE_OF_CHANGED: _DIFFERENT,
    Kind.DEPENDENCY_ARRAY_CHANGED: _DIFFERENT,
    Kind.ADDITIONAL_ITEMS_NARROWED: _FEWER,
    Kind.ENUM_ARRAY_NARROWED: _FEWER,
    Kind.SUM_TYPE_NARROWED: _FEWER,
    Kind.ADDITIONAL_PROPERTIES_NARROWED: _FEWER,
    Kind.UNEVALUATED_PROPERTIES_NARROWED: _FEWER,
    Kind.UNEVALUATED_ITEMS_NARROWED: _FEWER,
    Kind.DEPENDENCY_ARRAY_EXTENDED: _EXTENDED,
    Kind.PRODUCT_TYPE_EXTENDED: _EXTENDED,
    Kind.SUM_TYPE_EXTENDED: _EXTENDED,
    Kind.NOT_TYPE_EXTENDED: _EXTENDED,
    Kind.TYPE_CHANGED: _TYPE,
    Kind.TYPE_NARROWED: _TYPE,
    Kind.COMBINED_TYPE_CHANGED: _TYPE,
    Kind.COMBINED_TYPE_SUBSCHEMAS_CHANGED: _TYPE,
    Kind.ENUM_ARRAY_CHANGED: _TYPE,
    Kind.REQUIRED_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL: _OPEN,
    Kind.REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_OPEN_CONTENT_MODEL: _OPEN,
    Kind.OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL: _OPEN,
    Kind.ITEM_ADDED_TO_OPEN_CONTENT_MODEL: _OPEN,
    Kind.REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL: _REQUIRED,
    Kind.PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL: _CLOSED,
    Kind.ITEM_REMOVED_FROM_CLOSED_CONTENT_MODEL: _CLOSED,
    Kind.PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL: _UNCOVERED_REMOVED,
    Kind.ITEM_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL: _UNCOVERED_REMOVED,
    Kind.PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL: _UNCOVERED_ADDED,
    Kind.ITEM_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL: _UNCOVERED_ADDED,
    Kind.NOT_JUDGED: _UNJUDGED,
}
