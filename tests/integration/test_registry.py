"""Our serializers beside Confluent's, on a real registry and on the embedded one."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

from immersiverse.auth.events import (
    AuthEvent,
    AuthEventDeserializer,
    AuthEventSerializer,
    LoginSucceeded,
    SchemaRegistry,
    new_event,
)
from immersiverse.auth.events.errors import SchemaNotRegistered, UnknownSchemaId
from immersiverse.auth.events.registry.contract import FORMS, contract_schema
from immersiverse.auth.events.testing.registry import EmbeddedRegistry

LOOK_UP = {"auto.register.schemas": False, "subject.name.strategy.type": "TOPIC"}
REGISTER = {"auto.register.schemas": True, "subject.name.strategy.type": "TOPIC"}


@pytest.fixture
def embedded() -> Iterator[str]:
    with EmbeddedRegistry() as server:
        yield server.url


@pytest.fixture
def name() -> str:
    """A topic that no other test registers for."""
    return f"topic-{uuid.uuid4()}"


@pytest.fixture
def event() -> AuthEvent:
    login = LoginSucceeded(user_id="uuid-1234", ip_address="203.0.113.7", session_id="s-1")
    login.login_time.GetCurrentTime()
    return new_event(login, source="/services/auth", version=3)


def value_of(topic: str) -> SerializationContext:
    return SerializationContext(topic, MessageField.VALUE, [])


@pytest.mark.parametrize("form", FORMS)
def test_apicurio_keeps_and_gives_back_the_contract(apicurio, name, event, form):
    with SchemaRegistry(apicurio) as registry:
        registered = registry.register(name, form=form)
        assert registry.register(name, form=form) == registered
    with SchemaRegistry(apicurio) as registry:
        assert registry.schema_id(name, "PROTOBUF").number == registered.id
        frame = AuthEventSerializer(registry)(event, value_of(name))
        assert AuthEventDeserializer(registry)(frame) == event


def test_apicurio_knows_no_subject_and_no_id_that_was_not_registered(apicurio, name):
    with SchemaRegistry(apicurio) as registry:
        with pytest.raises(SchemaNotRegistered):
            registry.schema_id(name, "PROTOBUF")
        with pytest.raises(UnknownSchemaId):
            registry.writer_schema(2_000_000_000)


def test_apicurio_gives_the_level_and_the_versions_of_a_subject(apicurio, name):
    with SchemaRegistry(apicurio) as registry:
        registered = registry.register(name)
        subject = registry.inspect(registered.subject, "PROTOBUF")
        assert list(subject.versions()) == [1]
        assert subject.find(contract_schema("PROTOBUF")) == registered
        assert subject.level() == registry.client.get_compatibility() == "BACKWARD_TRANSITIVE"
        registry.client.set_compatibility(subject.name, "FORWARD")
        assert subject.level() == "FORWARD"
        registry.client.set_compatibility(subject.name, "NONE")
        assert subject.level() == "NONE"


def test_confluents_serializer_finds_our_descriptor_on_apicurio_and_writes_the_same_bytes(
    apicurio, name, event
):
    with SchemaRegistry(apicurio) as registry, SchemaRegistryClient({"url": apicurio}) as client:
        registry.register(name, form="descriptor")
        theirs = ProtobufSerializer(AuthEvent, client, LOOK_UP)
        assert theirs(event, value_of(name)) == AuthEventSerializer(registry)(event, value_of(name))


@pytest.mark.parametrize("form", FORMS)
def test_confluents_serializer_finds_either_form_on_the_embedded_registry_and_writes_the_same_bytes(
    embedded, name, event, form
):
    with SchemaRegistry(embedded) as registry, SchemaRegistryClient({"url": embedded}) as client:
        registry.register(name, form=form)
        theirs = ProtobufSerializer(AuthEvent, client, LOOK_UP)
        assert theirs(event, value_of(name)) == AuthEventSerializer(registry)(event, value_of(name))


def test_what_confluents_serializer_registers_is_found_and_read(embedded, name, event):
    with SchemaRegistry(embedded) as registry, SchemaRegistryClient({"url": embedded}) as client:
        frame = ProtobufSerializer(AuthEvent, client, REGISTER)(event, value_of(name))
        assert AuthEventDeserializer(registry)(frame, value_of(name)) == event
        assert AuthEventSerializer(registry)(event, value_of(name)) == frame


def test_confluents_deserializer_reads_ours_with_the_registry_and_without(embedded, name, event):
    with SchemaRegistry(embedded) as registry, SchemaRegistryClient({"url": embedded}) as client:
        registry.register(name)
        frame = AuthEventSerializer(registry)(event, value_of(name))
        strategy = {"use.deprecated.format": False, "subject.name.strategy.type": "TOPIC"}
        assert ProtobufDeserializer(AuthEvent, strategy, client)(frame, value_of(name)) == event
        assert ProtobufDeserializer(AuthEvent, strategy)(frame, value_of(name)) == event


def test_ids_in_headers_pass_between_confluents_serializers_and_ours(embedded, name, event):
    from confluent_kafka.schema_registry import (  # noqa: PLC0415 - beside their only use
        dual_schema_id_deserializer,
        header_schema_id_serializer,
    )

    with SchemaRegistry(embedded) as registry, SchemaRegistryClient({"url": embedded}) as client:
        registry.register(name)
        theirs = ProtobufSerializer(
            AuthEvent, client, {**LOOK_UP, "schema.id.serializer": header_schema_id_serializer}
        )
        ours = AuthEventSerializer(registry, schema_id_in="header")
        to_them, from_them = value_of(name), value_of(name)
        assert ours(event, to_them) == theirs(event, from_them)
        assert to_them.headers == from_them.headers
        assert AuthEventDeserializer(registry)(theirs(event, from_them), from_them) == event
        reader = ProtobufDeserializer(
            AuthEvent,
            {
                "use.deprecated.format": False,
                "subject.name.strategy.type": "TOPIC",
                "schema.id.deserializer": dual_schema_id_deserializer,
            },
            client,
        )
        assert reader(ours(event, to_them), to_them) == event
