"""The contract in a Schema Registry: registered, looked up, and the schemas behind ids."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Self

from immersiverse.auth.events.errors import (
    InvalidSchema,
    RegistryError,
    RegistryRefused,
    SchemaNotRegistered,
    SchemaRefused,
    SubjectCollision,
    UnknownSchemaId,
)
from immersiverse.auth.events.registry.connection import Connection
from immersiverse.auth.events.registry.contract import FORMS, contract_schema
from immersiverse.auth.events.registry.failures import may_concern_one_schema, says_unknown
from immersiverse.auth.events.registry.lookup import confluent_schema, look_up
from immersiverse.auth.events.registry.registered import Registered
from immersiverse.auth.events.registry.single_flight import SingleFlight
from immersiverse.auth.events.registry.subjects import DEFAULT_STRATEGIES, subject
from immersiverse.auth.events.registry.writers import require_schema, understand
from immersiverse.auth.events.serialization.schemas import SchemaId, WriterSchema

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from immersiverse.auth.events.registry.contract import ContractSchema, Form
    from immersiverse.auth.events.registry.inspection import Subject
    from immersiverse.auth.events.registry.subjects import Strategy
    from immersiverse.auth.events.serialization.schemas import SchemaType

_LARGEST_ID = 2**31 - 1  # registries count in Java's int; beyond it they answer that there is no such page


class SchemaRegistry:
    """A Schema Registry with Confluent's API, seen from this contract.

    Ids and schemas never change, so each is asked for once and remembered: after first use an outage of the
    registry stops nobody. One object serves any number of threads.

    Args:
        config: its URL, or the configuration of Confluent's ``SchemaRegistryClient`` (``url``,
            ``basic.auth.user.info``, ``ssl.ca.location``, ``bearer.auth.*`` ...), passed on as it is.
        strategies: subject name strategies by schema type, where not the default (Protobuf ``topic``, Avro
            ``record``).
        patience: seconds within which an id must be had, with all that it takes: requests, repeats, imports.
    """

    def __init__(
        self,
        config: str | Mapping[str, Any],
        *,
        strategies: Mapping[SchemaType, Strategy] | None = None,
        patience: float = 30.0,
    ) -> None:
        self._connection = Connection(config, patience)
        self._strategies = {**DEFAULT_STRATEGIES, **(strategies or {})}
        self._ids = SingleFlight(self._look_up, patience=patience)
        self._writers = SingleFlight(
            self._fetch, patience=patience, remembered_errors=(UnknownSchemaId, InvalidSchema)
        )
        self._answered: int | uuid.UUID | None = None  # an id that the registry answers for

    @property
    def client(self) -> Any:
        """Confluent's client of the same connection, for whatever else is asked of the registry.

        Raises:
            RegistryRefused: if it does not take the configuration.
        """
        return self._connection.client

    def close(self) -> None:
        """Hang up; what is remembered stays known, and whatever else is asked connects again."""
        self._connection.close()

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
            InvalidSchema: if it cannot be understood, or is too large; remembered for half a minute.
            SchemaRefused: if the registry refuses it while it answers for another id.
            RegistryUnavailable: if it is not known yet and the registry cannot be reached, or not in time.
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
            with self._connection.asking(subject_name) as client:
                found = client.get_latest_version(subject_name)
        except SchemaNotRegistered:
            return None
        return Registered(subject_name, found.version, found.schema_id, found.schema.schema_type)

    def inspect(self, subject_name: str, schema_type: SchemaType) -> Subject:
        """Any subject as it stands: its history, its level, and what it would say to a new version.

        Args:
            subject_name: the subject, whether it exists or not.
            schema_type: the type of schemas that it holds, or is to hold.
        """
        from immersiverse.auth.events.registry.inspection import Subject  # noqa: PLC0415 - the gate's only

        return Subject(self._connection, subject_name, schema_type)

    def _refuse_collision(self, name: str, schema_type: SchemaType) -> None:
        latest = self.registered(name)
        if latest and latest.schema_type != schema_type:
            raise SubjectCollision(name, holds=latest.schema_type, wanted=schema_type)

    def _register(self, name: str, schema: ContractSchema) -> Registered:
        references = {path: self._register(path, file).version for path, file in schema.references}
        wanted = confluent_schema(schema, references)
        with self._connection.asking(name) as client:
            client.register_schema(name, wanted)
            found = client.lookup_schema(name, wanted)
        return Registered(name, found.version, found.schema_id, schema.schema_type)

    def _look_up(self, key: tuple[str, SchemaType]) -> SchemaId:
        """In either form: a registry that compares to the letter knows only the one it was given."""
        name, schema_type = key
        forms = FORMS if schema_type == "PROTOBUF" else FORMS[:1]
        for form in forms:
            try:
                found = look_up(self._connection, name, contract_schema(schema_type, form))
            except SchemaNotRegistered:
                continue
            return SchemaId(found.schema_id, uuid.UUID(found.guid) if found.guid else None)
        raise SchemaNotRegistered(name)

    def _fetch(self, schema_id: int | uuid.UUID) -> WriterSchema:
        name = schema_id if isinstance(schema_id, int) else str(schema_id)
        if isinstance(schema_id, int) and schema_id > _LARGEST_ID:
            raise UnknownSchemaId(name)
        try:
            with self._connection.asking() as client:
                writer = understand(
                    _get(client, schema_id), client, lambda: _get_serialized(client, schema_id)
                )
        except InvalidSchema as error:
            raise InvalidSchema(f"schema id {name}: {error}") from error
        except RegistryRefused as error:
            raise self._refusal(name, error) from error
        self._answered = schema_id
        return writer

    def _refusal(self, name: int | str, error: RegistryRefused) -> Exception:
        if says_unknown(error):
            return UnknownSchemaId(name)
        if may_concern_one_schema(error) and self._still_answers():
            return SchemaRefused(name, error)
        return error

    def _still_answers(self) -> bool:
        """Whether the registry answers now for an id that it answered for before."""
        try:
            with self._connection.asking() as client:
                client.clear_caches()  # which may hold a misshapen answer, too
                if self._answered is None:
                    return False
                require_schema(_get(client, self._answered))
        except RegistryError:
            return False
        return True


def _get(client: Any, schema_id: int | uuid.UUID, form: str | None = None) -> Any:
    if isinstance(schema_id, int):
        return client.get_schema(schema_id, fmt=form)
    return client.get_schema_by_guid(str(schema_id), fmt=form)


def _get_serialized(client: Any, schema_id: int | uuid.UUID) -> Any:
    """The schema in Confluent's other form. The client remembers schemas by id, whatever form they have."""
    client.clear_caches()
    try:
        return _get(client, schema_id, "serialized")
    finally:
        client.clear_caches()  # what else uses this client is to get the plain form
