"""Confluent's Node.js, Go and Python serializers on the embedded registry, unmodified."""

from __future__ import annotations

import itertools

import pytest
from confluent_kafka.schema_registry import SchemaRegistryClient

from immersiverse.auth.events import SchemaRegistry
from integration.interoperability.contract import OPTIONS, SUBJECT, TOPIC, login_failed
from integration.interoperability.polyglot import Program
from integration.interoperability.python_client import PythonClient

pytestmark = pytest.mark.polyglot

LANGUAGES = ("python", "node", "go")
PAIRS = list(itertools.product(LANGUAGES, repeat=2))
LOGIN = {"type": "record", "name": "Login", "fields": [{"name": "user_id", "type": "string"}]}


@pytest.fixture
def languages(python: PythonClient, node: Program, go: Program) -> dict[str, PythonClient | Program]:
    return {"python": python, "node": node, "go": go}


@pytest.mark.parametrize("header", [False, True], ids=["id before the value", "id in a header"])
@pytest.mark.parametrize(("writer", "reader"), PAIRS)
def test_what_one_language_writes_another_reads(
    registry: str, languages: dict[str, Program], writer: str, reader: str, header: bool
) -> None:
    if reader == "go":
        registered_as_text(registry)
    for how in ("register", "lookup", "latest"):
        written = languages[writer].write(registry, TOPIC, login_failed(), how=how, header=header)
        assert languages[reader].read(registry, TOPIC, written) == login_failed()


def registered_as_text(registry: str) -> None:
    """As `auth-events schema register` does, before producers start."""
    with SchemaRegistry(registry) as client:
        client.register(TOPIC)


@pytest.mark.parametrize("name", LANGUAGES)
def test_every_language_registers_and_finds_the_contract_that_is_registered_as_text(
    registry: str, languages: dict[str, Program], name: str
) -> None:
    registered_as_text(registry)
    for how in ("register", "lookup", "latest"):
        written = languages[name].write(registry, TOPIC, login_failed(), how=how)
        assert written.value[:6] == b"\0\0\0\0\2\0"
        for reader in languages.values():
            assert reader.read(registry, TOPIC, written) == login_failed()


@pytest.mark.parametrize("writer", ["python", "node"])
def test_go_does_not_read_a_schema_that_was_registered_as_a_descriptor(
    registry: str, languages: dict[str, Program], writer: str
) -> None:
    written = languages[writer].write(registry, TOPIC, login_failed(), how="register")
    with pytest.raises(AssertionError, match="syntax error"):
        languages["go"].read(registry, TOPIC, written)


@pytest.mark.parametrize("order", list(itertools.permutations(LANGUAGES)), ids=" ".join)
def test_one_file_is_one_version_whichever_language_registers_it(
    registry: str, languages: dict[str, Program], order: tuple[str, ...]
) -> None:
    frames = [languages[name].write(registry, TOPIC, login_failed(), how="register").value for name in order]
    assert {frame[:6] for frame in frames} == {b"\0\0\0\0\2\0"}
    with SchemaRegistryClient({"url": registry}) as client:
        assert client.get_subjects() == [SUBJECT, OPTIONS]
        assert (client.get_versions(SUBJECT), client.get_versions(OPTIONS)) == ([1], [1])


@pytest.mark.parametrize("order", list(itertools.permutations(LANGUAGES, 2)), ids=" ".join)
def test_what_one_language_registers_another_looks_up(
    registry: str, languages: dict[str, Program], order: tuple[str, str]
) -> None:
    registers, looks_up = order
    first = languages[registers].write(registry, TOPIC, login_failed(), how="register")
    second = languages[looks_up].write(registry, TOPIC, login_failed(), how="lookup")
    assert first.value[:6] == second.value[:6]


@pytest.mark.parametrize("name", LANGUAGES)
def test_avro_travels_between_the_languages(
    registry: str, languages: dict[str, Program], python: PythonClient, name: str
) -> None:
    value = {"user_id": "사용자"}
    written = python.write_avro(registry, TOPIC, value, LOGIN)
    assert languages[name].read_avro(registry, TOPIC, written) == value
    assert languages[name].write_avro(registry, TOPIC, value) == written
