"""Which kinds of change break somebody: the two rule sets."""

from __future__ import annotations

from enum import StrEnum

from immersiverse.auth.events.compatibility.json_schema_explanations import JSON_SCHEMA
from immersiverse.auth.events.compatibility.json_schema_policy import COMPATIBLE
from immersiverse.auth.events.compatibility.kinds import ChangeKind as Kind

_BREAKS_CONFLUENT = (JSON_SCHEMA.keys() - COMPATIBLE) | frozenset(
    {
        Kind.PACKAGE_CHANGED,
        Kind.MESSAGE_REMOVED,
        Kind.FIELD_KIND_CHANGED,
        Kind.FIELD_SCALAR_KIND_CHANGED,
        Kind.FIELD_NAMED_TYPE_CHANGED,
        Kind.FIELD_NUMERIC_LABEL_CHANGED,
        Kind.REQUIRED_FIELD_ADDED,
        Kind.REQUIRED_FIELD_REMOVED,
        Kind.ONEOF_FIELD_REMOVED,
        Kind.MULTIPLE_FIELDS_MOVED_TO_ONEOF,
        Kind.FIELD_MOVED_TO_EXISTING_ONEOF,
        Kind.NAME_MISMATCH,
        Kind.FIXED_SIZE_MISMATCH,
        Kind.MISSING_ENUM_SYMBOLS,
        Kind.READER_FIELD_MISSING_DEFAULT_VALUE,
        Kind.TYPE_MISMATCH,
        Kind.MISSING_UNION_BRANCH,
    }
)

# Removing a field is safe once its number and name are reserved, which has kinds of its own.
_HARMLESS_STRICT = COMPATIBLE | frozenset(
    {
        Kind.MESSAGE_ADDED,
        Kind.MESSAGE_MOVED,
        Kind.ENUM_ADDED,
        Kind.ENUM_CONST_ADDED,
        Kind.FIELD_ADDED,
        Kind.FIELD_REMOVED,
        Kind.ONEOF_ADDED,
        Kind.ONEOF_FIELD_ADDED,
        Kind.EVENT_ADDED,
        Kind.FIELD_LIMIT_LOOSENED,
    }
)


class Rules(StrEnum):
    """A rule set: which changes are reported, and which of them are refused.

    Attributes:
        CONFLUENT: the verdicts of Confluent's Schema Registry for Protobuf, as of its releases since June
            2026 (7.5.16, 7.6.13, 7.7.11, 7.8.10, 7.9.9, 8.0.7, 8.1.5, 8.2.3, 8.3.0). Older ones also refuse a
            field that leaves a oneof which stays, and overlook what changes in a oneof under a new name.
        STRICT: those, and whatever else would break a JSON reader, generated code, a stored event, an
            operator's access rules or a promise that the contract makes in its options.
    """

    CONFLUENT = "confluent"
    STRICT = "strict"

    def breaks(self, kind: Kind) -> bool:
        """Whether a change of this kind is refused."""
        if self is Rules.CONFLUENT:
            return kind in _BREAKS_CONFLUENT
        return kind not in _HARMLESS_STRICT
