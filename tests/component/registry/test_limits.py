"""Limits on what a hostile or failing registry, or a hostile writer's schema, can cost."""

from __future__ import annotations

import gzip
import json
import threading
import time

import pytest

from immersiverse.auth.events import AuthEventDeserializer, SchemaRegistry
from immersiverse.auth.events.errors import (
    CompilationTimeout,
    InvalidSchema,
    RegistryError,
    RegistryRefused,
    RegistryUnavailable,
    WrongSchema,
)
from immersiverse.auth.events.registry import single_flight, writer_schemas
from immersiverse.auth.events.registry.limits import limit_responses
from immersiverse.auth.events.testing.registry import EmbeddedRegistry
from scripted_registry import scripted

IMPATIENT = {"max.retries": 0, "timeout": 10}
SOON = 15  # seconds: far more than a second on a busy machine, far less than any of these took
LEVELS = 26


def protobuf(name: str, references: list[dict[str, object]]) -> dict[str, object]:
    imports = "".join(f'import "{one["name"]}"; ' for one in references)
    return {
        "schemaType": "PROTOBUF",
        "schema": f'syntax = "proto3"; package bomb; {imports}message {name} {{}}',
        "references": references,
    }


def doubling(path: str) -> dict[str, object]:
    """A file of the bomb by its path: two on each level, each of which imports both of the next level."""
    side, level = ("top", 0) if path == "/schemas/ids/1" else path.split("/")[2].split("-")
    below = [f"{one}-{int(level) + 1}" for one in "ab"] if int(level) < LEVELS else []
    references = [{"name": name, "subject": name, "version": 1} for name in below]
    return protobuf(f"M_{side}_{level}", references) | {"subject": f"{side}-{level}", "version": 1, "id": 2}


def test_each_file_is_fetched_once_however_often_it_is_imported():
    with scripted(lambda path, answering: answering.say(doubling(path))) as server:
        begun = time.monotonic()
        with SchemaRegistry({"url": server.url, **IMPATIENT}) as registry:
            assert registry.writer_schema(1).schema_type == "PROTOBUF"
        assert time.monotonic() - begun < SOON
    assert len(server.asked) == 2 * LEVELS + 2  # the schema itself is asked for in both forms


def chain(path: str) -> dict[str, object]:
    """An endless row of files, each of which imports the next one."""
    place = 0 if path == "/schemas/ids/1" else int(path.split("/")[2].removeprefix("f"))
    below = {"name": f"f{place + 1}", "subject": f"f{place + 1}", "version": 1}
    return protobuf(f"M{place}", [below]) | {"subject": f"f{place}", "version": 1, "id": 2}


def wide(path: str) -> dict[str, object]:
    """A file that imports 5,000 others."""
    if path != "/schemas/ids/1":
        return protobuf("M" + path.split("/")[2], []) | {"subject": path.split("/")[2], "version": 1, "id": 2}
    return protobuf("M", [{"name": f"f{n}", "subject": f"f{n}", "version": 1} for n in range(5_000)])


def circle(_: str) -> dict[str, object]:
    """A file that imports itself."""
    own = {"name": "self.proto", "subject": "self", "version": 1}
    return protobuf("M", [own]) | {"subject": "self", "version": 1, "id": 1}


def invalid(_: str) -> dict[str, object]:
    """A text that only looks like a schema."""
    return protobuf("M", []) | {"schema": 'syntax = "proto3"; message M { Gone gone = 1; }'}


def long(_: str) -> dict[str, object]:
    """A file of two million characters."""
    return protobuf("M", []) | {"schema": 'syntax = "proto3"; message M {}' + " " * 2_000_000}


def long_avro(_: str) -> dict[str, object]:
    """The same as an Avro schema."""
    return {"schemaType": "AVRO", "schema": '"string"' + " " * 2_000_000}


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        (chain, "more than 100 files"),
        (wide, "more than 100 files"),
        (circle, "recursively imports itself"),
        (invalid, '"Gone" is not defined'),
    ],
)
def test_a_schema_without_a_descriptor_is_still_known_as_another_message(schema, reason):
    with (
        scripted(lambda path, answering: answering.say(schema(path))) as server,
        SchemaRegistry({"url": server.url, **IMPATIENT}) as registry,
    ):
        begun = time.monotonic()
        for _ in range(3):
            with pytest.raises(WrongSchema, match=r"message (bomb\.)?M"):
                AuthEventDeserializer(registry)(b"\0\0\0\0\1\0")
            with pytest.raises(InvalidSchema, match=reason):
                registry.writer_schema(1).descriptor()
        assert time.monotonic() - begun < SOON
        assert len(server.asked) <= 101


@pytest.mark.parametrize(("schema", "reason"), [(long, "longer"), (long_avro, "longer")])
def test_a_schema_that_exceeds_a_limit_is_invalid_and_not_asked_for_again(schema, reason):
    with (
        scripted(lambda path, answering: answering.say(schema(path))) as server,
        SchemaRegistry({"url": server.url, **IMPATIENT}) as registry,
    ):
        begun = time.monotonic()
        for _ in range(3):
            with pytest.raises(InvalidSchema, match=f"schema id 1: .*{reason}"):
                registry.writer_schema(1)
        assert time.monotonic() - begun < SOON
        assert server.asked == ["/schemas/ids/1"]


def body(_, answering):
    answering.head(200, {"Content-Type": "application/json"})
    answering.drip()


def head(_, answering):
    answering.wfile.write(b"HTTP/1.1 200 OK\r\nX-Header: ")
    answering.drip()


def silence(_, answering):
    answering.server.gone.wait(60)


@pytest.mark.parametrize("drip", [body, head, silence])
def test_a_slow_or_silent_registry_is_unavailable_at_the_deadline(drip):
    with (
        scripted(drip) as server,
        SchemaRegistry({"url": server.url, **IMPATIENT}, patience=0.5) as registry,
    ):
        begun = time.monotonic()
        for ask in (
            lambda: registry.writer_schema(1),
            lambda: registry.schema_id("auth.events.login", "AVRO"),
            lambda: registry.register("auth.events.login"),
            lambda: registry.registered("auth.events.login-value"),
            lambda: registry.inspect("auth.events.login-value", "PROTOBUF").versions(),
            lambda: registry.inspect("auth.events.login-value", "PROTOBUF").level(),
        ):
            with pytest.raises(RegistryUnavailable, match=r"did not answer within 0.5 s"):
                ask()
        assert time.monotonic() - begun < 8


def oauth(url, **settings):
    return {
        "url": url,
        "bearer.auth.credentials.source": "OAUTHBEARER",
        "bearer.auth.client.id": "me",
        "bearer.auth.client.secret": "secret",
        "bearer.auth.scope": "schemas",
        "bearer.auth.issuer.endpoint.url": f"{url}/token",
        "bearer.auth.logical.cluster": "lsrc-1",
        **IMPATIENT,
        **settings,
    }


@pytest.mark.parametrize("drip", [body, head, silence])
def test_a_token_that_does_not_come_is_waited_for_until_the_deadline(drip):
    with scripted(drip) as server, SchemaRegistry(oauth(server.url), patience=0.5) as registry:
        begun = time.monotonic()
        for ask in (lambda: registry.writer_schema(1), lambda: registry.registered("s")):
            with pytest.raises(RegistryUnavailable, match=r"did not answer within 0.5 s"):
                ask()
        assert time.monotonic() - begun < 5
    assert set(server.asked) == {"/token"}


def test_a_token_of_gigabytes_is_not_read_to_its_end():
    sent = []

    def endless(_, answering):
        answering.head(200, {"Connection": "close"})
        while sum(sent) < 2_000_000_000:
            sent.append(answering.wfile.write(b" " * 1_000_000))

    with (
        scripted(endless) as server,
        SchemaRegistry(oauth(server.url)) as registry,
        pytest.raises(RegistryError, match="larger than"),
    ):
        registry.writer_schema(1)
    assert sum(sent) < 100_000_000


def test_a_token_is_used():
    def answer(path, answering):
        if path == "/token":
            answering.say({"access_token": "T0ken", "token_type": "Bearer", "expires_in": 60})
        elif answering.headers["Authorization"] == "Bearer T0ken":
            answering.say({"schema": '"string"'})
        else:
            answering.refuse(401)

    with scripted(answer) as server, SchemaRegistry(oauth(server.url)) as registry:
        assert registry.writer_schema(1).text == '"string"'


def test_a_schema_that_protoc_took_too_long_for_is_compiled_another_time(monkeypatch):
    """Its events are verified meanwhile; only reading unknown types waits."""
    monkeypatch.setattr(writer_schemas, "_COMPILE_SECONDS", 0.001)
    clock = [time.monotonic()]
    monkeypatch.setattr(single_flight.time, "monotonic", lambda: clock[0])
    with (
        scripted(lambda _, answering: answering.say(protobuf("M", []))) as server,
        SchemaRegistry({"url": server.url, **IMPATIENT}) as registry,
    ):
        slow = registry.writer_schema(1)
        with pytest.raises(CompilationTimeout, match="did not finish") as late:
            slow.descriptor()
        assert late.value.retryable
        monkeypatch.setattr(writer_schemas, "_COMPILE_SECONDS", 20)
        assert registry.writer_schema(1) is slow  # a hostile text does not cost ten seconds for each message
        clock[0] += 601
        assert registry.writer_schema(1).descriptor().message_type[0].name == "M"


def test_the_deadline_is_for_a_schema_with_all_its_files():
    def slow(path, answering):
        answering.server.gone.wait(0.3)
        answering.say(chain(path))

    with (
        scripted(slow) as server,
        SchemaRegistry({"url": server.url, **IMPATIENT}, patience=1.0) as registry,
        pytest.raises(RegistryUnavailable, match=r"within 1 s"),
    ):
        registry.writer_schema(1)


def test_a_deadline_does_not_apply_to_the_next_request():
    slow = threading.Event()

    def answer(_, answering):
        if not slow.is_set():
            answering.server.gone.wait(1)
        answering.say({"schema": '"string"'})

    with (
        scripted(answer) as server,
        SchemaRegistry({"url": server.url, **IMPATIENT}, patience=0.5) as registry,
    ):
        with pytest.raises(RegistryUnavailable):
            registry.writer_schema(1)
        slow.set()
        assert registry.writer_schema(2).text == '"string"'


@pytest.mark.parametrize(("status", "error"), [(200, RegistryRefused), (503, RegistryUnavailable)])
def test_an_endless_answer_is_not_read_to_its_end(status, error):
    sent = []

    def endless(_, answering):
        answering.head(status, {"Connection": "close"})
        while sum(sent) < 2_000_000_000:
            sent.append(answering.wfile.write(b" " * 1_000_000))

    with (
        scripted(endless) as server,
        SchemaRegistry({"url": server.url, **IMPATIENT}) as registry,
        pytest.raises(error, match="larger than"),
    ):
        registry.writer_schema(1)
    assert sum(sent) < 100_000_000


def test_an_answer_that_unpacks_to_gigabytes_is_not_unpacked():
    def packed(_, answering):
        content = gzip.compress(b" " * 100_000_000)
        answering.head(200, {"Content-Encoding": "gzip", "Content-Length": str(len(content))})
        answering.wfile.write(content)

    with (
        scripted(packed) as server,
        SchemaRegistry({"url": server.url, **IMPATIENT}) as registry,
        pytest.raises(RegistryUnavailable, match="compressed"),
    ):
        registry.writer_schema(1)


def test_a_web_page_is_quoted_in_part_only():
    with (
        scripted(lambda _, answering: answering.say("<p>no</p>" * 100_000, 403)) as server,
        SchemaRegistry({"url": server.url, **IMPATIENT}) as registry,
        pytest.raises(RegistryRefused) as refused,
    ):
        registry.writer_schema(1)
    assert len(str(refused.value)) < 2_000


def test_a_large_schema_of_another_message_is_checked_once():
    fields = [{"name": f"field{number}", "type": "int"} for number in range(25_000)]
    schema = {"type": "record", "name": "Other", "fields": fields}
    with (
        scripted(lambda _, answering: answering.say({"schema": json.dumps(schema)})) as server,
        SchemaRegistry({"url": server.url, **IMPATIENT}) as registry,
    ):
        read = AuthEventDeserializer(registry)
        begun = time.monotonic()
        for _ in range(1_000):  # a minute and a half, if each took as long as the first
            with pytest.raises(WrongSchema, match="record Other"):
                read(b"\x00\x00\x00\x00\x07payload")
        assert time.monotonic() - begun < SOON


def test_a_client_that_cannot_be_limited_is_logged(caplog):
    limit_responses(object())  # as a later version of Confluent's client may be
    assert "no size limit" in caplog.text


def test_the_contract_as_the_registry_holds_it_is_far_from_the_limits():
    with EmbeddedRegistry() as server, SchemaRegistry({"url": server.url, **IMPATIENT}) as registry:
        for schema_type in ("PROTOBUF", "AVRO"):
            registered = registry.register("auth.events.login", schema_type)
            text = registry.client.get_schema(registered.id).schema_str
            assert len(text) < 200_000
            registry.writer_schema(registered.id)
