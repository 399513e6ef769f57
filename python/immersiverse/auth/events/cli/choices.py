"""What options let a user choose from."""

from __future__ import annotations

from enum import StrEnum


class EventFormat(StrEnum):
    """How events are written."""

    PROTOBUF = "protobuf"
    JSON = "json"
    AVRO = "avro"


class SchemaFormat(StrEnum):
    """Whose schemas."""

    ALL = "all"
    PROTOBUF = "protobuf"
    AVRO = "avro"


class SchemaForm(StrEnum):
    """How a Protobuf schema is written."""

    TEXT = "text"
    DESCRIPTOR = "descriptor"


class PersonalDataClass(StrEnum):
    """Classes of personal data, from the least sensitive to the most."""

    PSEUDONYM = "pseudonym"
    NETWORK = "network"
    CONTACT = "contact"
