"""The contract in a registry, against the embedded one."""

from __future__ import annotations

import base64
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient

from immersiverse.auth.events import (
    AuthEventDeserializer,
    AuthEventSerializer,
    LoginSucceeded,
    SchemaRegistry,
    new_event,
)
from immersiverse.auth.events.catalog import CONTRACT_FILE, OPTIONS_FILE
from immersiverse.auth.events.errors import (
    ConfigurationError,
    IncompatibleSchema,
    RegistryRefused,
    RegistryUnavailable,
    SchemaNotRegistered,
    SubjectCollision,
    UnknownSchemaId,
    WrongSchema,
)
from immersiverse.auth.events.registry.contract import FORMS, contract_schema
from immersiverse.auth.events.testing.registry import EmbeddedRegistry

LOGIN = "auth.events.login"
IMPATIENT = {"max.retries": 0, "timeout": 2}


class Counting:
    """Confluent's real client, with the calls to it."""

    def __init__(self, client):
        self._client = client
        self.calls = []

    def __getattr__(self, name):
        self.calls.append(name)
        return getattr(self._client, name)


@pytest.fixture
def server():
    with EmbeddedRegistry() as started:
        yield started


@pytest.fixture
def registry(server):
    with SchemaRegistry({"url": server.url, **IMPATIENT}) as client:
        yield client


def event():
    login = LoginSucceeded(user_id="uuid-1234")
    login.login_time.GetCurrentTime()
    return new_event(login, source="/services/auth")


@pytest.mark.parametrize("schema_type", ["PROTOBUF", "AVRO"])
def test_what_is_registered_is_found(registry, schema_type):
    registered = registry.register(LOGIN, schema_type)
    assert registry.schema_id(LOGIN, schema_type).number == registered.id


@pytest.mark.parametrize("schema_type", ["PROTOBUF", "AVRO"])
def test_confluents_registry_in_memory_holds_the_contract(schema_type):
    with SchemaRegistry("mock://tests") as registry:
        with pytest.raises(SchemaNotRegistered):
            registry.schema_id(LOGIN, schema_type)
        registered = registry.register(LOGIN, schema_type)
        assert registry.registered(registered.subject) == registered
        payload_format = "protobuf" if schema_type == "PROTOBUF" else "avro"
        sent = AuthEventSerializer(registry, format=payload_format).serialize(event())
        assert AuthEventDeserializer(registry)(sent.value).login_succeeded.user_id == "uuid-1234"
        with pytest.raises(UnknownSchemaId):
            registry.writer_schema(99)


@pytest.mark.parametrize("form", FORMS)
def test_a_protobuf_schema_is_found_whatever_form_it_was_registered_in(registry, form):
    registered = registry.register(LOGIN, form=form)
    assert registry.schema_id(LOGIN, "PROTOBUF").number == registered.id
    assert registry.writer_schema(registered.id).file.message_type[0].name == "AuthEvent"


def test_registering_again_changes_nothing(registry):
    assert registry.register(LOGIN) == registry.register(LOGIN)
    assert registry.register(LOGIN).version == 1


def test_protobuf_and_avro_are_registered_side_by_side(registry):
    protobuf, avro = registry.register(LOGIN, "PROTOBUF"), registry.register(LOGIN, "AVRO")
    assert (protobuf.subject, avro.subject) == (
        "auth.events.login-value",
        "immersiverse.auth.events.v1.AuthEvent",
    )


def test_a_subject_that_holds_another_type_is_refused_and_nothing_is_written(server):
    with SchemaRegistry(server.url, strategies={"AVRO": "topic"}) as registry:
        registry.register(LOGIN, "PROTOBUF")
        with pytest.raises(SubjectCollision, match=r"holds PROTOBUF schemas, so AVRO"):
            registry.register(LOGIN, "AVRO")
        assert registry.client.get_versions("auth.events.login-value") == [1]


@pytest.mark.parametrize(
    ("strategies", "reason"),
    [
        (
            {"PROTOBUF": "foo"},
            "strategies: unknown subject name strategy 'foo': use topic, record, topic-record",
        ),
        ({"JSON": "topic"}, "schema_type: the contract has no JSON schema: use PROTOBUF or AVRO"),
    ],
)
def test_an_unknown_strategy_is_refused_at_once(strategies, reason):
    with pytest.raises(ConfigurationError, match=reason):
        SchemaRegistry("http://127.0.0.1:1", strategies=strategies)


@pytest.mark.parametrize("call", ["subject", "register", "schema_id"])
def test_a_schema_type_that_the_contract_does_not_have_is_refused_without_a_request(call):
    with (
        SchemaRegistry("http://127.0.0.1:1") as registry,
        pytest.raises(ConfigurationError, match="no JSON schema"),
    ):
        getattr(registry, call)(LOGIN, "JSON")


@pytest.mark.parametrize(
    ("strategy", "subject"),
    [
        ("topic", "auth.events.login-value"),
        ("record", "immersiverse.auth.events.v1.AuthEvent"),
        ("topic-record", "auth.events.login-immersiverse.auth.events.v1.AuthEvent"),
    ],
)
def test_a_strategy_names_the_subject(strategy, subject):
    registry = SchemaRegistry("http://127.0.0.1:1", strategies={"PROTOBUF": strategy})
    assert registry.subject(LOGIN) == subject


def test_a_schema_that_the_subjects_level_forbids_is_refused_in_the_registrys_words(registry):
    other = 'syntax = "proto3"; package elsewhere; message Other { string user_id = 1; }'
    registry.client.register_schema("auth.events.login-value", Schema(other, "PROTOBUF"))
    with pytest.raises(IncompatibleSchema) as refused:
        registry.register(LOGIN)
    assert refused.value.subject == "auth.events.login-value"
    assert refused.value.reasons


def test_an_unknown_subject_says_what_command_registers_it(registry):
    with pytest.raises(SchemaNotRegistered, match=r"auth-events schema register --registry URL"):
        registry.schema_id(LOGIN, "PROTOBUF")


def test_a_schema_that_is_registered_later_is_found_then(registry):
    with pytest.raises(SchemaNotRegistered):
        registry.schema_id(LOGIN, "PROTOBUF")
    registered = registry.register(LOGIN)
    assert registry.schema_id(LOGIN, "PROTOBUF").number == registered.id


def test_concurrent_first_use_makes_one_request(server):
    with SchemaRegistry(server.url) as registry:
        number = registry.register(LOGIN).id
    with SchemaRegistry(server.url) as registry:
        counting = registry._connection._client = Counting(registry.client)
        with ThreadPoolExecutor(16) as threads:
            schemas = list(threads.map(lambda _: registry.writer_schema(number), range(64)))
            ids = list(threads.map(lambda _: registry.schema_id(LOGIN, "PROTOBUF"), range(64)))
        assert len(set(map(id, schemas))) == 1
        assert len(set(ids)) == 1
        assert counting.calls.count("get_schema") == 1
        assert counting.calls.count("lookup_schema") == 2  # the contract and the file that it imports
        registry._connection._client = counting._client


def test_an_outage_after_first_use_stops_neither_serializer_nor_deserializer(server, registry):
    registry.register(LOGIN)
    serializer, deserializer = AuthEventSerializer(registry), AuthEventDeserializer(registry)
    first = event()
    assert deserializer(serializer(first)) == first
    server.stop()
    later = event()
    assert deserializer(serializer(later)) == later


def test_a_registry_that_is_down_at_first_use_is_retryable(server, registry):
    registry.register(LOGIN)
    server.stop()
    with SchemaRegistry({"url": server.url, **IMPATIENT}) as late:
        serializer = AuthEventSerializer(late)
        with pytest.raises(RegistryUnavailable) as away:
            serializer(event())
        assert away.value.retryable
        server.start()
        assert serializer(event())


def test_an_id_that_is_not_registered_is_unknown(registry):
    with pytest.raises(UnknownSchemaId):
        registry.writer_schema(4711)
    with pytest.raises(UnknownSchemaId):
        registry.writer_schema(uuid.uuid4())


def test_a_schema_is_known_by_its_guid_too(registry):
    registry.register(LOGIN)
    guid = registry.schema_id(LOGIN, "PROTOBUF").guid
    assert registry.writer_schema(guid).file.message_type[0].name == "AuthEvent"


def test_the_id_of_another_message_is_never_decoded(registry):
    other = 'syntax = "proto3"; package elsewhere; message Other { string user_id = 1; }'
    number = registry.client.register_schema("other-value", Schema(other, "PROTOBUF"))
    frame = bytes(1) + number.to_bytes(4, "big") + bytes(1) + event().SerializeToString()
    with pytest.raises(WrongSchema, match=r"message elsewhere.Other"):
        AuthEventDeserializer(registry)(frame)


def test_a_writers_schema_with_references_is_read_with_them(registry):
    text = contract_schema("PROTOBUF").text.replace(
        "message AuthEvent {", "message AuthEvent {\n  reserved 99;"
    )
    options = registry.register(LOGIN)
    assert options
    confluent = registry.client.get_latest_version(LOGIN + "-value").schema
    number = registry.client.register_schema(
        "newer-value", Schema(text, "PROTOBUF", references=confluent.references)
    )
    writer = registry.writer_schema(number)
    assert writer.file.message_type[0].reserved_range[0].start == 99
    assert list(writer.file.dependency) == list(CONTRACT_FILE.dependency)


def test_base64_and_text_describe_the_same_file():
    descriptor = base64.b64decode(contract_schema("PROTOBUF", "descriptor").text)
    assert descriptor == CONTRACT_FILE.SerializeToString()
    assert contract_schema("PROTOBUF").references[0][0] == OPTIONS_FILE.name


def test_an_invalid_configuration_of_the_client_is_named():
    with pytest.raises(RegistryRefused, match=r"invalid configuration of the schema registry"):
        _ = SchemaRegistry({"url": "http://127.0.0.1:1", "no.such.setting": 1}).client


def test_the_client_of_the_connection_has_confluents_type(registry):
    assert isinstance(registry.client, SchemaRegistryClient)
    assert SchemaRegistry.client.fget.__annotations__["return"] == SchemaRegistryClient.__name__


def test_the_registrys_secrets_stay_out_of_errors():
    registry = SchemaRegistry({"url": "http://user:secret@127.0.0.1:1", **IMPATIENT})
    with registry, pytest.raises(RegistryUnavailable) as away:
        registry.schema_id(LOGIN, "PROTOBUF")
    assert "secret" not in str(away.value)
