"""What the kinds of change of a JSON Schema mean for people, whichever side is the reader."""

from __future__ import annotations

from typing import Final

from immersiverse.auth.events.compatibility.audiences import Audience, Explanation
from immersiverse.auth.events.compatibility.json_schema_policy import COMPATIBLE
from immersiverse.auth.events.compatibility.kinds import ChangeKind as Kind

_HARMLESS = Explanation((), "Nobody breaks: readers take whatever writers may send.")


def _breaks(text: str) -> Explanation:
    return Explanation((Audience.JSON,), text)


_LIMIT_ADDED = _breaks(
    "Readers refuse values beyond a limit that writers do not know. "
    "Leave it out of the schema, and check it where messages are made."
)
_LIMIT_TIGHTENED = _breaks(
    "Readers refuse values that are within the writers' limit. Keep the limit, or loosen it."
)
_TYPE = _breaks(
    "Readers refuse values of the writers' type. "
    "Add a property of the new type instead, and fill both for a while."
)
_VALUES = _breaks("Readers refuse values that they do not list. Keep every value that was ever written.")
_ALTERNATIVES = _breaks(
    "Readers refuse what is valid by an alternative of the writers alone. "
    "Keep every alternative, and demand nothing more of any."
)
_REQUIRED = _breaks(
    "Readers refuse messages without this property, which writers may leave out. Make it optional."
)
_FREE_NAME = _breaks(
    "Writers may have sent anything under a name that was free, and readers refuse what does not fit. "
    "Where nobody did, a registry with the LENIENT policy takes it."
)
_CLOSED = _breaks("Readers refuse what writers may send beside the rest. Leave the content open.")
_NOT_JUDGED = _breaks(
    "There is no rule here for this keyword, so nobody can say that nothing breaks. "
    "Leave it as it was, or compare it by hand."
)

_BREAKING: Final = {
    _TYPE: (Kind.TYPE_CHANGED, Kind.TYPE_NARROWED),
    _LIMIT_ADDED: (
        Kind.SCHEMA_ADDED,
        Kind.MAX_LENGTH_ADDED,
        Kind.MIN_LENGTH_ADDED,
        Kind.PATTERN_ADDED,
        Kind.MAXIMUM_ADDED,
        Kind.MINIMUM_ADDED,
        Kind.EXCLUSIVE_MAXIMUM_ADDED,
        Kind.EXCLUSIVE_MINIMUM_ADDED,
        Kind.MULTIPLE_OF_ADDED,
        Kind.MAX_PROPERTIES_ADDED,
        Kind.MIN_PROPERTIES_ADDED,
        Kind.DEPENDENCY_ARRAY_ADDED,
        Kind.DEPENDENCY_SCHEMA_ADDED,
        Kind.MAX_ITEMS_ADDED,
        Kind.MIN_ITEMS_ADDED,
        Kind.UNIQUE_ITEMS_ADDED,
    ),
    _LIMIT_TIGHTENED: (
        Kind.MAX_LENGTH_DECREASED,
        Kind.MIN_LENGTH_INCREASED,
        Kind.PATTERN_CHANGED,
        Kind.MAXIMUM_DECREASED,
        Kind.MINIMUM_INCREASED,
        Kind.EXCLUSIVE_MAXIMUM_DECREASED,
        Kind.EXCLUSIVE_MINIMUM_INCREASED,
        Kind.MULTIPLE_OF_EXPANDED,
        Kind.MULTIPLE_OF_CHANGED,
        Kind.MAX_PROPERTIES_DECREASED,
        Kind.MIN_PROPERTIES_INCREASED,
        Kind.DEPENDENCY_ARRAY_EXTENDED,
        Kind.DEPENDENCY_ARRAY_CHANGED,
        Kind.MAX_ITEMS_DECREASED,
        Kind.MIN_ITEMS_INCREASED,
    ),
    _REQUIRED: (
        Kind.REQUIRED_ATTRIBUTE_ADDED,
        Kind.REQUIRED_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL,
        Kind.REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL,
    ),
    _FREE_NAME: (
        Kind.REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_OPEN_CONTENT_MODEL,
        Kind.OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL,
        Kind.PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL,
        Kind.ITEM_ADDED_TO_OPEN_CONTENT_MODEL,
        Kind.ITEM_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL,
    ),
    _CLOSED: (
        Kind.ADDITIONAL_PROPERTIES_REMOVED,
        Kind.ADDITIONAL_PROPERTIES_NARROWED,
        Kind.UNEVALUATED_PROPERTIES_REMOVED,
        Kind.UNEVALUATED_PROPERTIES_NARROWED,
        Kind.PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL,
        Kind.PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL,
        Kind.ADDITIONAL_ITEMS_REMOVED,
        Kind.ADDITIONAL_ITEMS_NARROWED,
        Kind.UNEVALUATED_ITEMS_REMOVED,
        Kind.UNEVALUATED_ITEMS_NARROWED,
        Kind.ITEM_REMOVED_FROM_CLOSED_CONTENT_MODEL,
        Kind.ITEM_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL,
    ),
    _VALUES: (Kind.ENUM_ARRAY_NARROWED, Kind.ENUM_ARRAY_CHANGED),
    _ALTERNATIVES: (
        Kind.COMBINED_TYPE_CHANGED,
        Kind.COMBINED_TYPE_SUBSCHEMAS_CHANGED,
        Kind.PRODUCT_TYPE_EXTENDED,
        Kind.SUM_TYPE_NARROWED,
        Kind.NOT_TYPE_EXTENDED,
    ),
    _NOT_JUDGED: (Kind.NOT_JUDGED,),
}

JSON_SCHEMA: Final[dict[Kind, Explanation]] = {
    **dict.fromkeys(sorted(COMPATIBLE), _HARMLESS),
    **{kind: explanation for explanation, kinds in _BREAKING.items() for kind in kinds},
}
"""Every kind of change of a JSON Schema, explained."""
