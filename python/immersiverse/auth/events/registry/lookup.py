"""The contract's schemas as a registry knows them: looked up, never registered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from immersiverse.auth.events.registry.connection import Connection
    from immersiverse.auth.events.registry.contract import ContractSchema


def look_up(connection: Connection, subject: str, schema: ContractSchema) -> Any:
    """What the registry tells of a schema under a subject: Confluent's ``RegisteredSchema``.

    Raises:
        SchemaNotRegistered: if the schema, or a file that it imports, is not registered.
        RegistryUnavailable: if the registry cannot be reached.
        RegistryRefused: if the registry answers no.
    """
    wanted = with_known_references(connection, schema)
    with connection.asking(subject) as client:
        return client.lookup_schema(subject, wanted)


def with_known_references(connection: Connection, schema: ContractSchema) -> Any:
    """Confluent's ``Schema``; it refers to the versions that the registry holds of the files that it imports.

    Raises:
        SchemaNotRegistered: if it does not hold one of them.
        RegistryUnavailable: if the registry cannot be reached.
        RegistryRefused: if the registry answers no.
    """
    return confluent_schema(
        schema, {path: look_up(connection, path, file).version for path, file in schema.references}
    )


def confluent_schema(schema: ContractSchema, versions: Mapping[str, int]) -> Any:
    """Confluent's ``Schema``.

    Args:
        schema: the schema.
        versions: those of the files that it imports, whose subjects are their paths.
    """
    from confluent_kafka.schema_registry import Schema, SchemaReference  # noqa: PLC0415 - HTTP stack

    references = [SchemaReference(path, path, version) for path, version in versions.items()]
    return Schema(schema.text, schema.schema_type, references=references)
