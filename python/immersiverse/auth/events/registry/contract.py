"""The contract's schemas as a registry holds them: subjects, forms and references.

A subject holds schemas of one type, so by default Protobuf is registered by topic and Avro by record: both
can be registered side by side.

Source: Confluent's subject name strategies.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from immersiverse.auth.events.catalog import CONTRACT_FILE, OPTIONS_FILE, TOPICS
from immersiverse.auth.events.descriptors import is_base64, parse_descriptor
from immersiverse.auth.events.errors import ConfigurationError
from immersiverse.auth.events.registry.connection import malformed
from immersiverse.auth.events.serialization.avro import schema_text
from immersiverse.auth.events.v1.events_pb2 import AuthEvent

if TYPE_CHECKING:
    from collections.abc import Callable

    from confluent_kafka.schema_registry import Schema
    from google.protobuf.descriptor_pb2 import FileDescriptorProto

    from immersiverse.auth.events.registry.connection import RegistryConnection
    from immersiverse.auth.events.serialization.schemas import SchemaType

Strategy = Literal["topic", "record", "topic-record"]
"""Names of the subject name strategies."""

Form = Literal["text", "descriptor"]
"""Of a Protobuf schema: its canonical ``.proto`` text, or base64 of its FileDescriptorProto.

The latter is what Confluent's Python serializers look up. Its Node.js serializers send JSON names with it,
which registries that compare byte for byte, such as Apicurio, take for another schema.
"""

FORMS: Final[tuple[Form, ...]] = get_args(Form)

_RECORD: Final = AuthEvent.DESCRIPTOR.full_name
_DEFAULT_STRATEGIES: Final[Mapping[SchemaType, Strategy]] = {"PROTOBUF": "topic", "AVRO": "record"}


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


@dataclass(frozen=True, slots=True)
class ContractSchema:
    """A schema of this version of the contract.

    Attributes:
        schema_type: its type by the registry's name.
        text: what is sent to the registry.
        references: the files that it imports, by path, each a schema of its own.
    """

    schema_type: SchemaType
    text: str
    references: tuple[tuple[str, ContractSchema], ...] = ()


@cache
def contract_schema(schema_type: SchemaType, form: Form = "text") -> ContractSchema:
    """The contract as a schema of a type.

    Raises:
        ConfigurationError: the contract has no schema of that type.
    """
    if form not in FORMS:
        raise ConfigurationError("form", f"is {' or '.join(FORMS)}, not {form!r}")
    if require_contract_type(schema_type) == "AVRO":
        return ContractSchema("AVRO", schema_text())
    options = ContractSchema("PROTOBUF", _protobuf_text(OPTIONS_FILE, form))
    text = _protobuf_text(CONTRACT_FILE, form)
    return ContractSchema("PROTOBUF", text, ((OPTIONS_FILE.name, options),))


def require_contract_type(schema_type: SchemaType) -> SchemaType:
    """A schema type that the contract has.

    Raises:
        ConfigurationError: the contract has no schema of that type.
    """
    if schema_type not in tuple(_DEFAULT_STRATEGIES):  # which an unhashable value may be compared with
        raise ConfigurationError(
            "schema_type", f"the contract has no {schema_type} schema: use {' or '.join(_DEFAULT_STRATEGIES)}"
        )
    return schema_type


def subject_strategies(chosen: Mapping[SchemaType, Strategy] | None) -> dict[SchemaType, Strategy]:
    """The subject name strategy of each schema type, where none is chosen the default.

    Raises:
        ConfigurationError: a type or a strategy is unknown.
    """
    if not isinstance(chosen or {}, Mapping):
        raise ConfigurationError("strategies", "is a dictionary of strategies by schema type")
    strategies = {**_DEFAULT_STRATEGIES, **(chosen or {})}
    for schema_type, strategy in strategies.items():
        require_contract_type(schema_type)
        if strategy not in get_args(Strategy):
            known = ", ".join(get_args(Strategy))
            raise ConfigurationError("strategies", f"unknown subject name strategy {strategy!r}: use {known}")
    return strategies


def subject_for(topic: str, strategy: Strategy) -> str:
    """The subject of values on a topic."""
    return {"topic": f"{topic}-value", "record": _RECORD, "topic-record": f"{topic}-{_RECORD}"}[strategy]


def remedy_for(topic: str, schema_type: SchemaType, strategy: Strategy) -> str:
    """What registers the contract under the subject of a topic's values."""
    if strategy != _DEFAULT_STRATEGIES[schema_type]:  # which the command does not have
        made = f"SchemaRegistry(URL, strategies={{{schema_type!r}: {strategy!r}}})"
        return f"{made}.register({topic!r}, {schema_type!r})"
    command = "auth-events schema register --registry URL"
    return command if topic in TOPICS or strategy == "record" else f"{command} --topic {topic}"


def descriptor_of(schema: str) -> FileDescriptorProto | None:
    """The descriptor of a Protobuf schema that needs no compiler: base64 of it, or a text of this contract.

    Raises:
        InvalidSchema: it is base64 of something else.
    """
    if is_base64(schema):
        return parse_descriptor(schema)
    contract = contract_schema("PROTOBUF")
    options = contract.references[0][1]
    # Registries may strip white space around a text.
    own = {contract.text.strip(): CONTRACT_FILE, options.text.strip(): OPTIONS_FILE}
    return own.get(schema.strip())


def look_up(connection: RegistryConnection, subject: str, schema: ContractSchema) -> Any:
    """Confluent's ``RegisteredSchema`` of a schema under a subject; it never registers.

    Raises:
        SchemaNotRegistered: the schema, or a file that it imports, is not registered.
        RegistryError: as of `RegistryConnection.ask`.
    """
    wanted = confluent_schema(schema, lambda path, file: look_up(connection, path, file).version)
    return connection.ask(lambda client: require_registered(client.lookup_schema(subject, wanted)), subject)


def require_registered(found: Any) -> Any:
    """Confluent's ``RegisteredSchema``, which that client makes of any response.

    Raises:
        RegistryUnavailable: the response was not of a registered schema.
    """
    if not (isinstance(found.schema_id, int) and isinstance(found.version, int)):
        raise malformed("it has no id or no version")
    if found.guid:
        uuid.UUID(found.guid)
    return found


def confluent_schema(schema: ContractSchema, version: Callable[[str, ContractSchema], int]) -> Schema:
    """Confluent's ``Schema``.

    Args:
        schema: the schema.
        version: gives the version of a file that it imports, by path, which is the subject too.
    """
    from confluent_kafka.schema_registry import Schema, SchemaReference  # noqa: PLC0415 - HTTP stack

    references = [SchemaReference(path, path, version(path, file)) for path, file in schema.references]
    return Schema(schema.text, schema.schema_type, references=references)


def _protobuf_text(file: FileDescriptorProto, form: Form) -> str:
    if form == "descriptor":
        return base64.b64encode(file.SerializeToString()).decode("ascii")
    # Without comments and with a layout of its own, so that editing those makes no new version: see
    # scripts/generate, which writes it.
    name = f"{file.name.rpartition('/')[2]}.txt"
    return files("immersiverse.auth.events").joinpath("schemas", name).read_text("utf-8")
