"""The contract in a Schema Registry: register it, look up its ids, and get the schemas behind ids."""

from __future__ import annotations

import math
import uuid
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from immersiverse.auth.events.errors import (
    CompilationTimeout,
    InvalidSchema,
    RegistryError,
    RegistryRefused,
    SchemaNotRegistered,
    SchemaRefused,
    SubjectCollision,
    UnknownSchemaId,
)
from immersiverse.auth.events.registry.connection import RegistryConnection, concerns_one_schema, is_not_found
from immersiverse.auth.events.registry.contract import (
    FORMS,
    Registered,
    confluent_schema,
    contract_schema,
    look_up,
    remedy_for,
    require_contract_type,
    require_registered,
    subject_for,
    subject_strategies,
)
from immersiverse.auth.events.registry.limits import within
from immersiverse.auth.events.registry.single_flight import SingleFlight
from immersiverse.auth.events.registry.writer_schemas import parse_writer_schema, require_schema
from immersiverse.auth.events.serialization.schemas import SchemaId, WriterSchema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confluent_kafka.schema_registry import SchemaRegistryClient

    from immersiverse.auth.events.registry.contract import ContractSchema, Form, Strategy
    from immersiverse.auth.events.registry.inspection import Subject
    from immersiverse.auth.events.serialization.schemas import SchemaType

_MAX_ID = 2**31 - 1  # registries count in Java's int; beyond it they answer 404 without a code


class SchemaRegistry:
    """A Schema Registry with Confluent's API, for this contract.

    Ids and schemas never change, so each is requested once and remembered: after first use an outage of the
    registry stops no serializer or deserializer. One object serves any number of threads.

    Every method that sends a request raises RegistryUnavailable if the registry cannot be reached in time,
    and RegistryRefused if it refuses in a way that the method does not name. Methods with a schema type raise
    ConfigurationError if the contract has no schema of that type.

    Args:
        config: its URL, or the configuration of Confluent's ``SchemaRegistryClient`` (``url``,
            ``basic.auth.user.info``, ``ssl.ca.location``, ``bearer.auth.*`` ...), passed on unchanged.
        strategies: subject name strategies by schema type, where not the default (Protobuf ``topic``, Avro
            ``record``).
        patience: seconds to wait for an id or a schema, with all requests, retries and imports.

    Raises:
        ConfigurationError: a schema type or strategy is unknown.
    """

    def __init__(
        self,
        config: str | Mapping[str, Any],
        *,
        strategies: Mapping[SchemaType, Strategy] | None = None,
        patience: float = 30.0,
    ) -> None:
        self._connection = RegistryConnection(config, patience)
        self._patience = patience
        self._strategies = subject_strategies(strategies)
        self._ids = SingleFlight(self._look_up, patience=patience)
        self._writers = SingleFlight(self._fetch, patience=patience, lifetime=_lifetime)
        self._answered: int | uuid.UUID | None = None  # an id that the registry has answered

    @property
    def client(self) -> SchemaRegistryClient:
        """Confluent's client of the same connection, for requests that this class does not make.

        Raises:
            RegistryRefused: the configuration is invalid.
        """
        return self._connection.client

    def close(self) -> None:
        """Close the connection; what is remembered stays known, and other requests connect again."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def subject(self, topic: str, schema_type: SchemaType = "PROTOBUF") -> str:
        """The subject of a topic's values."""
        return subject_for(topic, self._strategies[require_contract_type(schema_type)])

    def schema_id(self, topic: str, schema_type: SchemaType) -> SchemaId:
        """The id under which this version of the contract is registered for a topic; it never registers.

        Raises:
            SchemaNotRegistered: it is not registered; the message names the command that does.
        """
        subject = self.subject(topic, schema_type)
        try:
            return self._ids.get((subject, schema_type))
        except SchemaNotRegistered as error:
            remedy = remedy_for(topic, schema_type, self._strategies[schema_type])
            raise SchemaNotRegistered(subject, remedy) from error

    def writer_schema(self, schema_id: int | uuid.UUID) -> WriterSchema:
        """The schema behind the id in a frame or the GUID in a header.

        Raises:
            UnknownSchemaId: the registry holds none; remembered for half a minute.
            InvalidSchema: it cannot be parsed, or is too large; remembered for half a minute.
            SchemaRefused: the registry refuses it while it answers for another id.
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
            SubjectCollision: the subject holds another type; nothing was written.
            IncompatibleSchema: the subject's compatibility level forbids it.
        """
        name = self.subject(topic, schema_type)

        def checked() -> Registered:
            latest = self.registered(name)
            if latest and latest.schema_type != schema_type:
                raise SubjectCollision(name, holds=latest.schema_type, wanted=schema_type)
            return self._register(name, contract_schema(schema_type, form))

        return within(self._patience, checked)

    def registered(self, subject_name: str) -> Registered | None:
        """The latest version of any subject; None if there is none."""
        try:
            found = self._connection.ask(
                lambda client: require_registered(client.get_latest_version(subject_name)), subject_name
            )
        except SchemaNotRegistered:
            return None
        return Registered(subject_name, found.version, found.schema_id, found.schema.schema_type)

    def inspect(self, subject_name: str, schema_type: SchemaType) -> Subject:
        """Any subject: its versions, its compatibility level, and its verdict on a new version.

        Args:
            subject_name: the subject, whether it exists or not.
            schema_type: the type of schemas that it holds, or is to hold.
        """
        from immersiverse.auth.events.registry.inspection import Subject  # noqa: PLC0415 - schema checks only

        return Subject(self._connection, subject_name, schema_type)

    def _register(self, name: str, schema: ContractSchema) -> Registered:
        wanted = confluent_schema(schema, lambda path, file: self._register(path, file).version)

        def register(client: Any) -> Any:
            client.register_schema(name, wanted)
            return require_registered(client.lookup_schema(name, wanted))

        found = self._connection.ask(register, name)
        return Registered(name, found.version, found.schema_id, schema.schema_type)

    def _look_up(self, key: tuple[str, SchemaType]) -> SchemaId:
        """In either form: a registry that compares texts byte for byte knows only the form registered."""
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
        if isinstance(schema_id, int) and schema_id > _MAX_ID:
            raise UnknownSchemaId(name)
        ask = self._connection.ask
        try:
            schema = ask(partial(_get, schema_id))
            writer = parse_writer_schema(
                schema, self._connection, lambda: ask(partial(_get_serialized, schema_id))
            )
        except InvalidSchema as error:
            raise InvalidSchema(f"schema id {name}: {error}") from error
        except RegistryRefused as error:
            if is_not_found(error):
                raise UnknownSchemaId(name) from error
            if concerns_one_schema(error) and self._still_answers():
                raise SchemaRefused(name, error) from error
            raise
        self._answered = schema_id
        return writer

    def _still_answers(self) -> bool:
        """Whether the registry answers again for an id that it answered before."""
        if self._answered is None:
            return False
        try:
            self._connection.ask(partial(_get_anew, self._answered))
        except RegistryError:
            return False
        return True


def _lifetime(outcome: WriterSchema | BaseException) -> float:
    """For how many seconds an outcome of `SchemaRegistry._fetch` is remembered."""
    match outcome:
        case UnknownSchemaId() | InvalidSchema():
            return 30.0
        case WriterSchema(incomplete=RegistryRefused() | CompilationTimeout()):
            return 600.0  # its events are verified; what is not known of it may be, another time
        case WriterSchema():
            return math.inf
    return 0.0


def _get(schema_id: int | uuid.UUID, client: Any, form: str | None = None) -> Any:
    get = client.get_schema if isinstance(schema_id, int) else client.get_schema_by_guid
    return require_schema(get(schema_id if isinstance(schema_id, int) else str(schema_id), fmt=form))


def _get_anew(schema_id: int | uuid.UUID, client: Any) -> Any:
    client.clear_caches()
    return _get(schema_id, client)


def _get_serialized(schema_id: int | uuid.UUID, client: Any) -> Any:
    """The schema in Confluent's other form. The client caches schemas by id, whatever form they have."""
    client.clear_caches()
    try:
        return _get(schema_id, client, "serialized")
    finally:
        client.clear_caches()  # other users of this client get the plain form
