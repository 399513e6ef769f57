"""A subject as it stands in a registry: its history, its level, and what it would say to a new version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from immersiverse.auth.events.compatibility_level import Level
from immersiverse.auth.events.errors import (
    InvalidSchema,
    RegistryRefused,
    SchemaNotRegistered,
    SubjectCollision,
)
from immersiverse.auth.events.registry.contract import ContractSchema
from immersiverse.auth.events.registry.lookup import confluent_schema, look_up, with_known_references
from immersiverse.auth.events.registry.registered import Registered
from immersiverse.auth.events.registry.writers import understand

if TYPE_CHECKING:
    from collections.abc import Mapping

    from immersiverse.auth.events.registry.connection import Connection
    from immersiverse.auth.events.serialization.schemas import SchemaType, WriterSchema

# What no level but NONE lets follow a contract.
_NONSENSE: Final[Mapping[SchemaType, str]] = {
    "PROTOBUF": 'syntax = "proto3"; package nothing.of.that.kind; message Nonsense { double nonsense = 1; }',
    "AVRO": '{"type": "fixed", "name": "Nonsense", "size": 1}',
}


class Subject:
    """One subject of a registry. It asks, and never writes.

    Args:
        connection: to the registry.
        name: the subject.
        schema_type: the type of schemas that it holds, or is to hold.

    Every method raises RegistryUnavailable if the registry cannot be reached, and RegistryRefused if it
    answers no in a way that the method does not name.
    """

    def __init__(self, connection: Connection, name: str, schema_type: SchemaType) -> None:
        self.name = name
        self.schema_type = schema_type
        self._connection = connection

    def versions(self) -> dict[int, WriterSchema]:
        """Every version with its schema, oldest first; none if there is no such subject.

        Raises:
            SubjectCollision: if it holds schemas of another type.
            InvalidSchema: if one cannot be understood.
        """
        found = {number: self._writer(number) for number in self._numbers()}
        for writer in found.values():
            if writer.schema_type != self.schema_type:
                raise SubjectCollision(self.name, holds=writer.schema_type, wanted=self.schema_type)
        return found

    def find(self, schema: ContractSchema) -> Registered | None:
        """The version that a schema has here; None if it, or a file that it imports, is not registered."""
        try:
            found = look_up(self._connection, self.name, schema)
        except SchemaNotRegistered:
            return None
        return Registered(self.name, found.version, found.schema_id, schema.schema_type)

    def takes(self, schema: ContractSchema) -> bool | None:
        """Whether the registry finds a schema compatible with the latest version.

        None if it gives no verdict: of a schema that imports files which are not registered, and on some
        registries, such as Apicurio, of any schema that imports files.
        """
        try:
            wanted = with_known_references(self._connection, schema)
        except SchemaNotRegistered:
            return None
        return self._verdict(wanted)

    def level(self) -> Level:
        """The compatibility level that holds here: the subject's own, else the one of the registry.

        Raises:
            RegistryRefused: if the registry's level is none of Confluent's, too.
        """
        own = self._own_level()
        # Apicurio tells NONE of a subject without a level of its own as of one whose level it is.
        if own is None or (own is Level.NONE and self._takes_anything() is False):
            with self._connection.asking() as client:
                return _level(client.get_compatibility())
        return own

    def _numbers(self) -> list[int]:
        try:
            with self._connection.asking(self.name) as client:
                return sorted(client.get_versions(self.name))
        except SchemaNotRegistered:
            return []

    def _writer(self, number: int) -> WriterSchema:
        with self._connection.asking(self.name) as client:
            schema = client.get_version(self.name, number).schema
            try:
                return understand(schema, client)
            except InvalidSchema as error:
                raise InvalidSchema(f"{self.name} version {number}: {error}") from error

    def _own_level(self) -> Level | None:
        try:
            with self._connection.asking(self.name) as client:
                return _level(client.get_compatibility(self.name))
        except SchemaNotRegistered:
            return None

    def _takes_anything(self) -> bool | None:
        nonsense = ContractSchema(self.schema_type, _NONSENSE[self.schema_type])
        return self._verdict(confluent_schema(nonsense, {}))

    def _verdict(self, schema: Any) -> bool | None:
        try:
            with self._connection.asking(self.name) as client:
                return bool(client.test_compatibility(self.name, schema))
        except RegistryRefused:
            return None


def _level(said: str) -> Level:
    try:
        return Level(said)
    except ValueError as error:
        raise RegistryRefused(f"the registry's compatibility level is unknown: {said!r}", 200) from error
