"""The kinds of change, who they affect, and which of them each rule set refuses."""

from __future__ import annotations

from enum import StrEnum, auto


class Audience(StrEnum):
    """Who may be affected by a change.

    Attributes:
        PRODUCERS: services that publish events.
        CONSUMERS: services that read them as Protobuf or Avro, now or from storage.
        JSON: services that read or write them as JSON.
        CODE: code that compiles against the generated classes.
        OPERATORS: people who run topics, access rules and personal data policies.
    """

    PRODUCERS = "producers"
    CONSUMERS = "consumers"
    JSON = "json"
    CODE = "code"
    OPERATORS = "operators"


class ChangeKind(StrEnum):
    """What changed. The values are stable: tools may compare them.

    The first block has the names that Confluent's Schema Registry publishes for Protobuf, the second those
    that Apache Avro publishes, and the last is this project's, reported by ``Rules.STRICT`` alone.
    """

    @staticmethod
    def _generate_next_value_(name: str, start: int, count: int, last_values: list[str]) -> str:  # noqa: ARG004
        return name  # a value is spelled like its name

    PACKAGE_CHANGED = auto()
    MESSAGE_ADDED = auto()
    MESSAGE_REMOVED = auto()
    MESSAGE_MOVED = auto()
    ENUM_ADDED = auto()
    ENUM_REMOVED = auto()
    ENUM_CONST_ADDED = auto()
    ENUM_CONST_CHANGED = auto()
    ENUM_CONST_REMOVED = auto()
    FIELD_ADDED = auto()
    FIELD_REMOVED = auto()
    FIELD_NAME_CHANGED = auto()
    FIELD_KIND_CHANGED = auto()
    FIELD_SCALAR_KIND_CHANGED = auto()
    FIELD_NAMED_TYPE_CHANGED = auto()
    FIELD_NUMERIC_LABEL_CHANGED = auto()
    FIELD_STRING_OR_BYTES_LABEL_CHANGED = auto()
    REQUIRED_FIELD_ADDED = auto()
    REQUIRED_FIELD_REMOVED = auto()
    ONEOF_ADDED = auto()
    ONEOF_REMOVED = auto()
    ONEOF_FIELD_ADDED = auto()
    ONEOF_FIELD_REMOVED = auto()
    ONEOF_FIELD_MOVED_TO_TOP_LEVEL = auto()
    MULTIPLE_FIELDS_MOVED_TO_ONEOF = auto()
    FIELD_MOVED_TO_EXISTING_ONEOF = auto()

    NAME_MISMATCH = auto()
    FIXED_SIZE_MISMATCH = auto()
    MISSING_ENUM_SYMBOLS = auto()
    READER_FIELD_MISSING_DEFAULT_VALUE = auto()
    TYPE_MISMATCH = auto()
    MISSING_UNION_BRANCH = auto()

    SYNTAX_CHANGED = auto()
    FILE_OPTION_CHANGED = auto()
    FIRST_MESSAGE_CHANGED = auto()
    FIELD_TYPE_CHANGED = auto()
    FIELD_CARDINALITY_CHANGED = auto()
    FIELD_PRESENCE_CHANGED = auto()
    FIELD_JSON_NAME_CHANGED = auto()
    FIELD_DEFAULT_CHANGED = auto()
    FIELD_ONEOF_CHANGED = auto()
    ENUM_WITHOUT_ZERO = auto()
    ENUM_DEFAULT_CHANGED = auto()
    FEATURES_CHANGED = auto()
    EXTENSION_ADDED = auto()
    EXTENSION_CHANGED = auto()
    RPC_ADDED = auto()
    RPC_CHANGED = auto()
    NUMBER_NOT_RESERVED = auto()
    NAME_NOT_RESERVED = auto()
    RESERVED_NUMBER_DROPPED = auto()
    RESERVED_NAME_DROPPED = auto()
    RESERVED_NUMBER_REUSED = auto()
    RESERVED_NAME_REUSED = auto()
    CONTRACT_OPTION_CHANGED = auto()
    EVENT_ADDED = auto()
    EVENT_REMOVED = auto()
    EVENT_TOPIC_CHANGED = auto()
    EVENT_PARTITION_KEY_CHANGED = auto()
    FIELD_BECAME_REQUIRED = auto()
    FIELD_NO_LONGER_REQUIRED = auto()
    FIELD_LIMIT_TIGHTENED = auto()
    FIELD_LIMIT_LOOSENED = auto()
    FIELD_FORMAT_CHANGED = auto()
    FIELD_PERSONAL_DATA_CHANGED = auto()


_REFUSED_BY_CONFLUENT = frozenset(
    {
        ChangeKind.PACKAGE_CHANGED,
        ChangeKind.MESSAGE_REMOVED,
        ChangeKind.FIELD_KIND_CHANGED,
        ChangeKind.FIELD_SCALAR_KIND_CHANGED,
        ChangeKind.FIELD_NAMED_TYPE_CHANGED,
        ChangeKind.FIELD_NUMERIC_LABEL_CHANGED,
        ChangeKind.REQUIRED_FIELD_ADDED,
        ChangeKind.REQUIRED_FIELD_REMOVED,
        ChangeKind.ONEOF_FIELD_REMOVED,
        ChangeKind.MULTIPLE_FIELDS_MOVED_TO_ONEOF,
        ChangeKind.FIELD_MOVED_TO_EXISTING_ONEOF,
        ChangeKind.NAME_MISMATCH,
        ChangeKind.FIXED_SIZE_MISMATCH,
        ChangeKind.MISSING_ENUM_SYMBOLS,
        ChangeKind.READER_FIELD_MISSING_DEFAULT_VALUE,
        ChangeKind.TYPE_MISMATCH,
        ChangeKind.MISSING_UNION_BRANCH,
    }
)

# Removing a field is safe once its number and name are reserved, which has kinds of its own.
_ALLOWED_BY_STRICT = frozenset(
    {
        ChangeKind.MESSAGE_ADDED,
        ChangeKind.MESSAGE_MOVED,
        ChangeKind.ENUM_ADDED,
        ChangeKind.ENUM_CONST_ADDED,
        ChangeKind.FIELD_ADDED,
        ChangeKind.FIELD_REMOVED,
        ChangeKind.ONEOF_ADDED,
        ChangeKind.ONEOF_FIELD_ADDED,
        ChangeKind.EVENT_ADDED,
        ChangeKind.EXTENSION_ADDED,
        ChangeKind.RPC_ADDED,
        ChangeKind.FIELD_LIMIT_LOOSENED,
    }
)


class Rules(StrEnum):
    """A rule set: which changes are reported, and which of them are refused.

    Attributes:
        STRICT: the other set, and all else that would break a JSON reader, generated code, a stored event, an
            operator's access rules or a promise that the contract makes in its options.
        CONFLUENT: the verdicts of Confluent's Schema Registry for Protobuf, as of its releases since June
            2026 (7.5.16, 7.6.13, 7.7.11, 7.8.10, 7.9.9, 8.0.7, 8.1.5, 8.2.3, 8.3.0). Older ones also refuse a
            field that leaves a oneof which stays, and overlook what changes in a oneof under a new name.
    """

    STRICT = "strict"
    CONFLUENT = "confluent"

    def refuses(self, kind: ChangeKind) -> bool:
        """Whether a change of this kind is refused."""
        if self is Rules.CONFLUENT:
            return kind in _REFUSED_BY_CONFLUENT
        return kind not in _ALLOWED_BY_STRICT
