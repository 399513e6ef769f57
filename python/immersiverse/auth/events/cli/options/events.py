"""Choices of formats of events and schemas."""

from __future__ import annotations

from enum import StrEnum


class EventFormat(StrEnum):
    """The encoding of events."""

    PROTOBUF = "protobuf"
    JSON = "json"
    AVRO = "avro"


class SchemaFormat(StrEnum):
    """The schemas of which encoding."""

    ALL = "all"
    PROTOBUF = "protobuf"
    AVRO = "avro"


class SchemaForm(StrEnum):
    """The representation of a Protobuf schema."""

    TEXT = "text"
    DESCRIPTOR = "descriptor"
