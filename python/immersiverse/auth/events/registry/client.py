"""The contract in a Schema Registry: registered, looked up, and the schemas behind ids."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from immersiverse.auth.events.errors import (
    RegistryRefused,
    SchemaNotRegistered,
    SubjectCollision,
    UnknownSchemaId,
)
from immersiverse.auth.events.registry.contract import FORMS, contract_schema
from immersiverse.auth.events.registry.failures import NOT_FOUND, registry_failures
from immersiverse.auth.events.registry.single_flight import SingleFlight
from immersiverse.auth.events.registry.subjects import DEFAULT_STRATEGIES, subject
from immersiverse.auth.events.registry.writers import understand
from immersiverse.auth.events.serialization.schemas import SchemaId, WriterSchema

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from immersiverse.auth.events.registry.contract import ContractSchema, Form
    from immersiverse.auth.events.registry.subjects import Strategy
    from immersiverse.auth.events.serialization.schemas import SchemaType

_DEFAULTS = {"timeout": 10, "max.retries": 2, "retries.wait.ms": 200}


@dataclass(frozen=True, slots=True)
class Registered:
    """One version of a subject.

    Attributes:
        subject: the subject.
        version: the version under it, from 1.
        id: the id that frames carry.
        schema_type: the schema's type.
    """

    subject: str
    version: int
    id: int
    schema_type: SchemaType


class SchemaRegistry:
    """A Schema Registry with Confluent's API, seen from this contract.

    Ids and schemas never change, so each is asked for once and remembered: after first use an outage of the
    registry stops nobody. One object serves any number of threads.

    Args:
        config: its URL, or the configuration of Confluent's ``SchemaRegistryClient`` (``url``,
            ``basic.auth.user.info``, ``ssl.ca.location``, ``bearer.auth.*`` ...), passed on as it is.
        strategies: subject name strategies by schema type, where not the default (Protobuf ``topic``, Avro
            ``record``).
    """

    def __init__(
        self, config: str | Mapping[str, Any], *, strategies: Mapping[SchemaType, Strategy] | None = None
    ) -> None:
        self._config = {**_DEFAULTS, **({"url": config} if isinstance(config, str) else config)}
        self._strategies = {**DEFAULT_STRATEGIES, **(strategies or {})}
        self._ids = SingleFlight(self._look_up)
        self._writers = SingleFlight(self._fetch, remembered_errors=(UnknownSchemaId,))

    @cached_property
    def client(self) -> Any:
        """Confluent's client; it and its HTTP stack are loaded here, on first use.

        Raises:
            RegistryRefused: if it does not take the configuration.
        """
        from confluent_kafka.schema_registry import SchemaRegistryClient  # noqa: PLC0415 - half a second

        try:
            return SchemaRegistryClient(self._config)
        except (ValueError, TypeError, OSError) as error:
            raise RegistryRefused(
                f"this configuration of the schema registry is wrong: {error}", 0
            ) from error

    def close(self) -> None:
        """Hang up; what is remembered stays known, and whatever else is asked connects again."""
        client = self.__dict__.pop("client", None)  # where cached_property keeps it
        if client is not None:
            client.__exit__()  # its close() is newer than the oldest version allowed

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def subject(self, topic: str, schema_type: SchemaType = "PROTOBUF") -> str:
        """The subject of a topic's values."""
        return subject(topic, self._strategies[schema_type])

    def schema_id(self, topic: str, schema_type: SchemaType) -> SchemaId:
        """The id under which this version of the contract is registered for a topic; it never registers.

        Raises:
            SchemaNotRegistered: if it is not; the message names the command.
            RegistryUnavailable: if it is not known yet and the registry cannot be reached.
            RegistryRefused: if the registry answers no.
        """
        return self._ids.get((self.subject(topic, schema_type), schema_type))

    def writer_schema(self, schema_id: int | uuid.UUID) -> WriterSchema:
        """The schema behind the id in a frame or the GUID in a header.

        Raises:
            UnknownSchemaId: if the registry holds none; remembered for half a minute.
            InvalidSchema: if it cannot be understood.
            RegistryUnavailable: if it is not known yet and the registry cannot be reached.
            RegistryRefused: if the registry answers no.
        """
        return self._writers.get(schema_id)

    def register(
        self, topic: str, schema_type: SchemaType = "PROTOBUF", *, form: Form = "text"
    ) -> Registered:
        """Register this version of the contract for a topic: a deployment step, harmless to repeat.

        Args:
            topic: the topic whose values it describes.
            schema_type: which schema.
            form: of a Protobuf schema, see ``Form``.

        Raises:
            SubjectCollision: if the subject holds another type; nothing was written then.
            IncompatibleSchema: if the subject's compatibility level forbids it.
            RegistryUnavailable: if the registry cannot be reached.
            RegistryRefused: if the registry answers no.
        """
        name = self.subject(topic, schema_type)
        self._refuse_collision(name, schema_type)
        return self._register(name, contract_schema(schema_type, form))

    def registered(self, subject_name: str) -> Registered | None:
        """The latest version of any subject; None if there is none.

        Raises:
            RegistryUnavailable: if the registry cannot be reached.
            RegistryRefused: if the registry answers no.
        """
        try:
            with registry_failures(subject_name):
                found = self.client.get_latest_version(subject_name)
        except SchemaNotRegistered:
            return None
        return Registered(subject_name, found.version, found.schema_id, found.schema.schema_type)

    def _refuse_collision(self, name: str, schema_type: SchemaType) -> None:
        latest = self.registered(name)
        if latest and latest.schema_type != schema_type:
            raise SubjectCollision(name, holds=latest.schema_type, wanted=schema_type)

    def _register(self, name: str, schema: ContractSchema) -> Registered:
        references = [
            (path, self._register(path, reference).version) for path, reference in schema.references
        ]
        with registry_failures(name):
            confluent_schema = _confluent_schema(schema, references)
            self.client.register_schema(name, confluent_schema)
            found = self.client.lookup_schema(name, confluent_schema)
        return Registered(name, found.version, found.schema_id, schema.schema_type)

    def _look_up(self, key: tuple[str, SchemaType]) -> SchemaId:
        """In either form: a registry that compares to the letter knows only the one it was given."""
        name, schema_type = key
        forms = FORMS if schema_type == "PROTOBUF" else FORMS[:1]
        for form in forms:
            try:
                found = self._find(name, contract_schema(schema_type, form))
            except SchemaNotRegistered:
                continue
            return SchemaId(found.schema_id, uuid.UUID(found.guid) if found.guid else None)
        raise SchemaNotRegistered(name)

    def _find(self, name: str, schema: ContractSchema) -> Any:
        references = [(path, self._find(path, reference).version) for path, reference in schema.references]
        with registry_failures(name):
            return self.client.lookup_schema(name, _confluent_schema(schema, references))

    def _fetch(self, schema_id: int | uuid.UUID) -> WriterSchema:
        try:
            with registry_failures():
                if isinstance(schema_id, int):
                    schema = self.client.get_schema(schema_id)
                else:
                    schema = self.client.get_schema_by_guid(str(schema_id))
                return understand(schema, self.client)
        except RegistryRefused as error:
            if error.status == NOT_FOUND:
                raise UnknownSchemaId(schema_id if isinstance(schema_id, int) else str(schema_id)) from error
            raise


def _confluent_schema(schema: ContractSchema, references: list[tuple[str, int]]) -> Any:
    from confluent_kafka.schema_registry import Schema, SchemaReference  # noqa: PLC0415 - HTTP stack

    return Schema(
        schema.text,
        schema.schema_type,
        references=[SchemaReference(path, path, version) for path, version in references],
    )
