"""Schemas of other versions of the contract: verified by their text, read by their descriptors."""

from __future__ import annotations

import base64
from urllib.parse import parse_qs

import pytest
from confluent_kafka.schema_registry import Schema, SchemaReference

from immersiverse.auth.events import AuthEventDeserializer, SchemaRegistry, protoc
from immersiverse.auth.events.catalog import CONTRACT_FILE, OPTIONS_FILE
from immersiverse.auth.events.errors import MalformedPayload, MissingExtra
from immersiverse.auth.events.registry.contract import contract_schema
from immersiverse.auth.events.registry.writer_schemas import parse_writer_schema
from immersiverse.auth.events.serialization.wire import frame_prefix
from immersiverse.auth.events.testing.registry import EmbeddedRegistry
from later_version import newer_contract, newer_event, newer_text
from scripted_registry import scripted

TOPIC = "auth.events.login"
OPTIONS = contract_schema("PROTOBUF").references[0][1].text
NEWER = base64.b64encode(newer_contract().SerializeToString()).decode()
EVENT = newer_event(user_id="user-7").SerializeToString()
FRAME = frame_prefix(7) + EVENT


@pytest.fixture
def no_protoc(monkeypatch):
    monkeypatch.setattr(protoc, "find_spec", lambda _: None)


def plain_only(serialized):
    """A registry that holds the newer text, and answers this to ``format=serialized``."""

    def answer(path, answering):
        if path.startswith("/subjects/"):
            answering.say(
                {"subject": "o", "version": 1, "id": 8, "schemaType": "PROTOBUF", "schema": OPTIONS}
            )
        elif "format" in parse_qs(answering.path.partition("?")[2]):
            answering.say(*serialized)
        else:
            reference = {"name": OPTIONS_FILE.name, "subject": "o", "version": 1}
            answering.say({"schemaType": "PROTOBUF", "schema": newer_text(), "references": [reference]})

    return scripted(answer)


# As Apicurio answers it, as one that fails, and with a descriptor that is not this schema's.
MANGLED = ({"schemaType": "PROTOBUF", "schema": "\n\ufffd\x02message\x1a"},)
FAILING = ({"error_code": 500, "message": "no"}, 500)
ANOTHER = ({"schemaType": "PROTOBUF", "schema": contract_schema("PROTOBUF", "descriptor").text},)
USELESS = pytest.mark.parametrize(
    "serialized", [MANGLED, FAILING, ANOTHER], ids=["mangled", "failing", "another"]
)


@USELESS
def test_an_unknown_event_is_read_through_text_that_protoc_compiles(serialized):
    with plain_only(serialized) as server, SchemaRegistry({"url": server.url, "max.retries": 0}) as registry:
        event = AuthEventDeserializer(registry)(FRAME)
        assert event.event_type == "NotYetInvented"
        assert event.read()["userId"] == "user-7"


@USELESS
@pytest.mark.usefixtures("no_protoc")
def test_without_protoc_an_unknown_event_has_its_name(serialized):
    with plain_only(serialized) as server, SchemaRegistry({"url": server.url, "max.retries": 0}) as registry:
        event = AuthEventDeserializer(registry)(FRAME)
        assert event.event_type == "NotYetInvented"
        depths = set()
        for _ in range(3):
            with pytest.raises(MissingExtra, match=r"immersiverse-auth-events\[cli\]") as caught:
                event.read()
            depths.add(len(caught.traceback))
        assert len(depths) == 1
        assert not any(path.startswith("/subjects/") for path in server.asked)


@pytest.mark.usefixtures("no_protoc")
def test_without_protoc_the_registrys_descriptor_reads_an_unknown_event():
    with (
        plain_only(({"schemaType": "PROTOBUF", "schema": NEWER},)) as server,
        SchemaRegistry(server.url) as registry,
    ):
        event = AuthEventDeserializer(registry)(FRAME)
        assert (event.event_type, event.read()["userId"]) == ("NotYetInvented", "user-7")
        # Other users of the connection get the schema as it was registered.
        assert registry.client.get_schema(7).schema_str == newer_text()


@pytest.mark.parametrize("schema", [newer_text(), NEWER], ids=["text", "descriptor"])
@pytest.mark.parametrize("options", [OPTIONS, base64.b64encode(OPTIONS_FILE.SerializeToString()).decode()])
def test_a_newer_contract_on_the_embedded_registry_is_read_in_every_form(schema, options):
    with EmbeddedRegistry() as server, SchemaRegistry(server.url) as registry:
        registry.client.register_schema("options", Schema(options, "PROTOBUF"))
        reference = SchemaReference(OPTIONS_FILE.name, "options", 1)
        number = registry.client.register_schema("s", Schema(schema, "PROTOBUF", [reference]))
        event = AuthEventDeserializer(registry)(frame_prefix(number) + EVENT)
        assert (event.event_type, event.read()["userId"]) == ("NotYetInvented", "user-7")


def test_text_that_protoc_refuses_is_an_unreadable_payload_only():
    text = newer_text().replace("string user_id = 1; google", "Gone user_id = 1; google")

    def answer(_, answering):
        answering.say({"schemaType": "PROTOBUF", "schema": text})

    with scripted(answer) as server, SchemaRegistry(server.url) as registry:
        event = AuthEventDeserializer(registry)(FRAME)
        assert event.event_type == "NotYetInvented"
        with pytest.raises(MalformedPayload, match="its writer's schema cannot be used"):
            event.read()


@pytest.mark.usefixtures("no_protoc")
def test_the_contracts_own_texts_need_neither_protoc_nor_the_registry():
    for text, file in ((contract_schema("PROTOBUF").text, CONTRACT_FILE), (OPTIONS, OPTIONS_FILE)):
        for shown in (text, text.strip()):
            assert parse_writer_schema(Schema(shown, "PROTOBUF"), connection=None).descriptor() == file
