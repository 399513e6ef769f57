"""A refusal of one id, while another is answered for, and a refusal of everything."""

from __future__ import annotations

import socket
import uuid

import pytest

from immersiverse.auth.events import SchemaRegistry
from immersiverse.auth.events.errors import RegistryError, RegistryRefused, RegistryUnavailable, SchemaRefused
from scripted_registry import scripted

IMPATIENT = {"max.retries": 0, "timeout": 5}
GOOD, BAD = 1, 2
GUID = uuid.UUID("89791762-2336-4186-9674-299b90a802e2")
EMPTY = 'syntax = "proto3";'

NO = {
    "forbidden": lambda answering: answering.refuse(40301),
    "unprocessable": lambda answering: answering.refuse(42201),
    "a bad request": lambda answering: answering.refuse(400),
}
AWAY = {
    "not authenticated": lambda answering: answering.refuse(40101),
    "not authenticated at a proxy": lambda answering: answering.refuse(407),
    "too slow": lambda answering: answering.refuse(408),
    "too early": lambda answering: answering.refuse(425),
    "too many requests": lambda answering: answering.refuse(42901),
    "broken": lambda answering: answering.refuse(50001),
    "a login page": lambda answering: answering.say("", 302),
    "a page": lambda answering: answering.say("<h1>Back soon</h1>"),
    "no such page": lambda answering: answering.say("<h1>Not Found</h1>", 404),
    "text that is a number": lambda answering: answering.say({"schema": 5}),
    "a type that is a number": lambda answering: answering.say({"schema": "x", "schemaType": 5}),
    "references that are a number": lambda answering: answering.say(
        {"schemaType": "PROTOBUF", "schema": EMPTY, "references": 5}
    ),
    "references that are none": lambda answering: answering.say(
        {"schemaType": "PROTOBUF", "schema": EMPTY, "references": [{"name": 1, "subject": 2, "version": {}}]}
    ),
    "a list": lambda answering: answering.say([1]),
}


def registry_that(refuses, *, answers_for_good):
    """Answers for the good id as long as the list holds anything, and refuses all else."""

    def answer(path, answering):
        if path == f"/schemas/ids/{GOOD}" and answers_for_good:
            answering.say({"schema": '"string"'})
        else:
            refuses(answering)

    return scripted(answer)


@pytest.mark.parametrize("no", NO.values(), ids=NO)
@pytest.mark.parametrize("schema_id", [BAD, GUID], ids=["number", "guid"])
def test_an_id_that_is_refused_while_another_is_answered_for_is_a_refusal_of_this_id(no, schema_id):
    with (
        registry_that(no, answers_for_good=["yes"]) as server,
        SchemaRegistry({"url": server.url, **IMPATIENT}) as registry,
    ):
        registry.writer_schema(GOOD)
        with pytest.raises(SchemaRefused, match=str(schema_id)) as refused:
            registry.writer_schema(schema_id)
        assert server.asked.count(f"/schemas/ids/{GOOD}") == 2  # asked anew: not from any memory
    assert refused.value.schema_id == (schema_id if schema_id == BAD else str(schema_id))


@pytest.mark.parametrize("no", NO.values(), ids=NO)
def test_a_registry_that_refuses_everything_is_not_a_refusal_of_one_id(no):
    answers_for_good = ["yes"]
    with (
        registry_that(no, answers_for_good=answers_for_good) as server,
        SchemaRegistry({"url": server.url, **IMPATIENT}) as registry,
    ):
        with pytest.raises(RegistryError) as first:
            registry.writer_schema(BAD)  # nothing was answered yet
        registry.writer_schema(GOOD)
        answers_for_good.clear()
        with pytest.raises(RegistryError) as later:
            registry.writer_schema(BAD)
    assert not isinstance(first.value, SchemaRefused)
    assert not isinstance(later.value, SchemaRefused)


@pytest.mark.parametrize("away", AWAY.values(), ids=AWAY)
def test_a_transient_failure_is_not_a_refusal_of_one_id(away):
    with (
        registry_that(away, answers_for_good=["yes"]) as server,
        SchemaRegistry({"url": server.url, **IMPATIENT}) as registry,
    ):
        registry.writer_schema(GOOD)
        with pytest.raises(RegistryError) as error:
            registry.writer_schema(BAD)
    assert not isinstance(error.value, SchemaRefused)


def test_an_id_whose_import_is_refused_is_known_without_it():
    def answer(path, answering):
        if path.startswith("/subjects/"):
            answering.refuse(40301)
        else:
            imported = {"name": "secret.proto", "subject": "secret", "version": 1}
            answering.say({"schemaType": "PROTOBUF", "schema": EMPTY, "references": [imported]})

    with (
        scripted(answer) as server,
        SchemaRegistry({"url": server.url, **IMPATIENT}) as registry,
    ):
        writer = registry.writer_schema(BAD)
        with pytest.raises(RegistryRefused, match="40301"):
            writer.descriptor()


def test_a_malformed_response_is_not_remembered():
    answers = iter([{"schema": 5}, {"schema": '"string"'}])
    with (
        scripted(lambda _, answering: answering.say(next(answers))) as server,
        SchemaRegistry({"url": server.url, **IMPATIENT}) as registry,
    ):
        with pytest.raises(RegistryError):
            registry.writer_schema(BAD)
        assert registry.writer_schema(BAD).text == '"string"'


def test_a_closed_connection_is_an_unavailable_registry():
    with (
        scripted(lambda _, answering: answering.connection.shutdown(socket.SHUT_RDWR)) as server,
        SchemaRegistry({"url": server.url, **IMPATIENT}) as registry,
        pytest.raises(RegistryUnavailable),
    ):
        registry.writer_schema(BAD)
