"""What a registry holds under the contract's subjects, and what registers it there."""

from __future__ import annotations

import base64

import pytest

from commands import Command, in_process
from immersiverse.auth.events import (
    AuthEventSerializer,
    SchemaNotRegistered,
    SchemaRegistry,
    UserDeleted,
    new_event,
)
from immersiverse.auth.events.catalog import CONTRACT_FILE, OPTIONS_FILE, SINGLE_TOPIC
from immersiverse.auth.events.registry.contract import contract_schema
from immersiverse.auth.events.registry.subjects import registered_contract
from immersiverse.auth.events.testing.registry import EmbeddedRegistry
from scripted_registry import Answering, scripted
from serialization_samples import TIME

TEXT, OPTIONS = contract_schema("PROTOBUF").text, contract_schema("PROTOBUF").references[0][1].text
TOPIC = "auth.events.user"


@pytest.fixture
def auth_events(monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]) -> Command:
    """Runs a command in this process."""
    return in_process(monkeypatch, capsysbinary)


def descriptor(schema: bytes) -> str:
    return base64.b64encode(schema).decode()


@pytest.mark.parametrize(
    ("latest", "state"),
    [
        (TEXT, "this"),
        ("// Another client's layout.\n" + TEXT.replace(" = ", "="), "this"),
        (descriptor(CONTRACT_FILE.SerializeToString()), "this"),
        (TEXT.replace("string username = 2", "string nickname = 2"), "another version"),
        ("not a schema", "another version"),
    ],
    ids=["its own text", "another layout", "descriptor", "another field", "nonsense"],
)
def test_a_version_of_the_same_content_is_this_contract_in_whatever_spelling(latest: str, state: str) -> None:
    """A registry that compares byte for byte, such as Apicurio, does not find ours in another's spelling."""

    def answer(path: str, answering: Answering) -> None:
        imported = {"name": OPTIONS_FILE.name, "subject": OPTIONS_FILE.name, "version": 1}
        if path.startswith("/subjects/immersiverse"):
            answering.say({"id": 1, "version": 1, "schemaType": "PROTOBUF", "schema": OPTIONS})
        elif path.endswith(("/latest", "/ids/7")):
            schema = {"schemaType": "PROTOBUF", "schema": latest, "references": [imported]}
            answering.say({"id": 7, "version": 3, "subject": f"{TOPIC}-value", **schema})
        else:
            answering.refuse(40403)

    with scripted(answer) as server, SchemaRegistry({"url": server.url, "max.retries": 0}) as registry:
        (found,) = registered_contract(registry, [TOPIC], ["PROTOBUF"])
    assert (found.contract, found.latest and found.latest.id) == (state, 7)


@pytest.mark.parametrize(
    ("options", "topic"), [({}, None), ({"single_topic": True}, SINGLE_TOPIC), ({"format": "avro"}, None)]
)
def test_the_command_that_an_error_names_registers_what_is_missing(
    auth_events: Command, options: dict[str, object], topic: str | None
) -> None:
    event = new_event(UserDeleted(user_id="u", deleted_at=TIME), source="/tests")
    with EmbeddedRegistry() as server, SchemaRegistry(server.url) as registry:
        serializer = AuthEventSerializer(registry, **options)  # type: ignore[arg-type]  # varied by the test
        with pytest.raises(SchemaNotRegistered, match="auth-events schema register") as missing:
            serializer.serialize(event)
        command = str(missing.value).partition("auth-events ")[2].replace("URL", server.url)
        assert ("--topic" in command) == (topic is not None)
        assert auth_events(*command.split()).code == 0
        assert serializer.serialize(event).topic == (topic or TOPIC)


def test_what_no_command_registers_is_said_in_python() -> None:
    with (
        EmbeddedRegistry() as server,
        SchemaRegistry(server.url, strategies={"PROTOBUF": "record"}) as registry,
        pytest.raises(
            SchemaNotRegistered, match=r"strategies=\{'PROTOBUF': 'record'\}\)\.register\('t', 'PROTO"
        ),
    ):
        registry.schema_id("t", "PROTOBUF")
