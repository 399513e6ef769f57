"""What Confluent's Schema Registry says when one schema cannot read what another wrote, form and wording.

Clients and pipelines parse these lines, so they are part of its interface, kinds, quotes and all.
Source: confluentinc/schema-registry 8.3.0, ``Difference`` of its Protobuf and its Avro provider.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from immersiverse.auth.events.compatibility.avro_resolution import AvroSchema, resolve
from immersiverse.auth.events.compatibility.changes import Direction
from immersiverse.auth.events.compatibility.comparison import compare
from immersiverse.auth.events.compatibility.kinds import ChangeKind as Kind

if TYPE_CHECKING:
    from immersiverse.auth.events.compatibility.schema import Schema

ANOTHER_TYPE = "Incompatible because of different schema type"
"""What it says, and all it says, of a Protobuf schema after an Avro one."""


def protobuf_messages(reader: Schema, writer: Schema, direction: Direction) -> list[str]:
    """A line for each change because of which the reader fails; empty if it reads everything.

    Args:
        reader: the new version if the direction is backward, else the old one.
        writer: the other version.
        direction: who of the two is the new one.

    Raises:
        InvalidSchema: a descriptor contradicts itself.
    """
    broken = [change for change in compare(writer, reader) if not change.compatible]
    return [_protobuf_message(change.kind, change.path, direction) for change in broken]


def avro_messages(reader: AvroSchema, writer: AvroSchema, direction: Direction) -> list[str]:
    """The same for Avro schemas, where the place is a JSON pointer into the reader's schema."""
    return [
        _avro_message(found.kind, found.pointer, found.detail, direction) for found in resolve(reader, writer)
    ]


def _protobuf_message(kind: Kind, path: str, direction: Direction) -> str:
    reader, writer = _SIDES[direction]
    description = _PROTOBUF[kind].format(path=path, reader=reader, writer=writer)
    return f'{{errorType:"{kind}", description:"{description}"}}'


def _avro_message(kind: Kind, path: str, detail: str, direction: Direction) -> str:
    reader, writer = _SIDES[direction]
    description = _AVRO[kind].format(path=path, detail=detail, reader=reader, writer=writer)
    return f"{{errorType:'{kind}', description:'{description}', additionalInfo:'{detail}'}}"


_SIDES = {Direction.BACKWARD: ("new", "old"), Direction.FORWARD: ("old", "new")}

_PROTOBUF = {
    Kind.PACKAGE_CHANGED: "The package at '{path}' in the {reader} schema does not match the package in the "
    "{writer} schema",
    Kind.MESSAGE_REMOVED: "The {reader} schema is missing a MESSAGE type at path '{path}' in the {writer} "
    "schema",
    Kind.FIELD_KIND_CHANGED: "The type of a field at path '{path}' in the {reader} schema does not match the "
    "{writer} schema",
    Kind.FIELD_SCALAR_KIND_CHANGED: "The kind of a SCALAR field at path '{path}' in the {reader} schema does "
    "not match its kind in the {writer} schema",
    Kind.FIELD_NAMED_TYPE_CHANGED: "The type of a MESSAGE field at path '{path}' in the {reader} schema does "
    "not match its type in the {writer} schema",
    Kind.FIELD_NUMERIC_LABEL_CHANGED: "The label for a NUMERIC field at path '{path}' in the {reader} schema "
    "does not match its label in the {writer} schema",
    # The two spaces are the registry's.
    Kind.REQUIRED_FIELD_ADDED: "A required field  at path '{path}' in the {reader} schema is missing in the "
    "{writer} schema",
    Kind.REQUIRED_FIELD_REMOVED: "The {reader} schema is missing a required field at path: '{path}' in the "
    "{writer} schema",
    Kind.ONEOF_FIELD_REMOVED: "The {reader} schema is missing a oneof field at path '{path}' in the {writer} "
    "schema",
    Kind.MULTIPLE_FIELDS_MOVED_TO_ONEOF: "Multiple fields in the oneof at path '{path}' in the {reader} "
    "schema are outside a oneof in the {writer} schema",
    Kind.FIELD_MOVED_TO_EXISTING_ONEOF: "A field in the oneof at path '{path}' in the {reader} schema is "
    "outside an existing oneof in the {writer} schema",
}

_AVRO = {
    Kind.NAME_MISMATCH: "The name of the schema has changed (path '{path}')",
    Kind.FIXED_SIZE_MISMATCH: "The size of FIXED type field at path '{path}' in the {reader} schema does not "
    "match with the {writer} schema",
    Kind.TYPE_MISMATCH: "The type (path '{path}') of a field in the {reader} schema does not match with the "
    "{writer} schema",
    Kind.MISSING_ENUM_SYMBOLS: "The {reader} schema is missing enum symbols '{detail}' at path '{path}' in "
    "the {writer} schema",
    Kind.MISSING_UNION_BRANCH: "The {reader} schema is missing a type inside a union field at path '{path}' "
    "in the {writer} schema",
    Kind.READER_FIELD_MISSING_DEFAULT_VALUE: "The field '{detail}' at path '{path}' in the {reader} schema "
    "has no default value and is missing in the {writer} schema",
}
