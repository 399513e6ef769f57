"""A subject in a registry: its versions, its compatibility level, and its verdict on a new version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from immersiverse.auth.events.compatibility_level import Level
from immersiverse.auth.events.errors import (
    InvalidSchema,
    RegistryRefused,
    SchemaNotRegistered,
    SubjectCollision,
)
from immersiverse.auth.events.registry.contract import (
    ContractSchema,
    Registered,
    confluent_schema,
    look_up,
    require_contract_type,
)
from immersiverse.auth.events.registry.writer_schemas import parse_writer_schema, require_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from immersiverse.auth.events.registry.connection import RegistryConnection
    from immersiverse.auth.events.serialization.schemas import SchemaType, WriterSchema

# Incompatible with any contract at every level except NONE.
_INCOMPATIBLE: Final[Mapping[SchemaType, str]] = {
    "PROTOBUF": 'syntax = "proto3"; package incompatible; message Incompatible { double value = 1; }',
    "AVRO": '{"type": "fixed", "name": "Incompatible", "size": 1}',
}


class Subject:
    """One subject of a registry, read only.

    Every method raises RegistryUnavailable if the registry cannot be reached, and RegistryRefused if it
    refuses in a way that the method does not name.

    Args:
        connection: to the registry.
        name: the subject.
        schema_type: the type of schemas that it holds, or is to hold.

    Raises:
        ConfigurationError: the contract has no schema of that type.
    """

    def __init__(self, connection: RegistryConnection, name: str, schema_type: SchemaType) -> None:
        self.name = name
        self.schema_type = require_contract_type(schema_type)
        self._connection = connection

    def versions(self) -> dict[int, WriterSchema]:
        """Every version with its schema, oldest first; empty if the subject does not exist.

        Raises:
            SubjectCollision: it holds schemas of another type.
            InvalidSchema: one cannot be parsed.
        """
        found = {number: self._version(number) for number in self._numbers()}
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

        None if it gives no verdict: on a schema whose imports are not registered, and in some registries,
        such as Apicurio, on any schema with imports.
        """
        try:
            wanted = confluent_schema(
                schema, lambda path, file: look_up(self._connection, path, file).version
            )
        except SchemaNotRegistered:
            return None
        return self._verdict(wanted)

    def level(self) -> Level:
        """The compatibility level in force: the subject's own, else the registry's.

        Raises:
            RegistryRefused: also if the level is not one of Confluent's.
        """
        own = self._own_level()
        # Apicurio answers NONE for a subject without a level of its own, as for one whose level is NONE.
        if own is None or (own is Level.NONE and self._refuses_incompatible()):
            return _level(self._connection.ask(lambda client: client.get_compatibility()))
        return own

    def _ask(self, call: Callable[[Any], Any]) -> Any:
        return self._connection.ask(call, self.name)

    def _numbers(self) -> list[int]:
        try:
            return list(self._ask(lambda client: sorted(client.get_versions(self.name))))
        except SchemaNotRegistered:
            return []

    def _version(self, number: int) -> WriterSchema:
        schema = self._ask(lambda client: require_schema(client.get_version(self.name, number).schema))
        try:
            return parse_writer_schema(schema, self._connection)
        except InvalidSchema as error:
            raise InvalidSchema(f"{self.name} version {number}: {error}") from error

    def _own_level(self) -> Level | None:
        try:
            return _level(self._ask(lambda client: client.get_compatibility(self.name)))
        except SchemaNotRegistered:
            return None

    def _refuses_incompatible(self) -> bool:
        schema = ContractSchema(self.schema_type, _INCOMPATIBLE[self.schema_type])
        return self._verdict(confluent_schema(schema, lambda *_: 0)) is False

    def _verdict(self, schema: Any) -> bool | None:
        try:
            return bool(self._ask(lambda client: client.test_compatibility(self.name, schema)))
        except RegistryRefused:
            return None


def _level(answer: str) -> Level:
    try:
        return Level(answer)
    except ValueError as error:
        raise RegistryRefused(f"unknown compatibility level of the registry: {answer!r}", 200) from error
