"""Requests that are wrong, too large or malicious: each is refused, and the next is answered."""

from __future__ import annotations

import logging
import random
import socket
import urllib.error
import urllib.request
from contextlib import ExitStack, closing, suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from immersiverse.auth.events.testing.registry import EmbeddedRegistry, api, server
from immersiverse.auth.events.testing.registry.api import ROUTES

if TYPE_CHECKING:
    from component.testing.caller import Caller


def exchange(registry: EmbeddedRegistry, sent: bytes, *, hang_up: bool = True) -> bytes:
    """All that the registry answers until it closes the connection."""
    address = urlsplit(registry.url)
    with closing(socket.create_connection((address.hostname, address.port), timeout=5)) as connection:
        connection.sendall(sent)
        if hang_up:
            connection.shutdown(socket.SHUT_WR)
        received: list[bytes] = []
        # A server that refuses a request before it has read all of it resets the connection.
        with suppress(ConnectionResetError):
            received.extend(iter(lambda: connection.recv(65536), b""))
        return b"".join(received)


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def still_answers(registry: EmbeddedRegistry) -> bool:
    with urllib.request.urlopen(f"{registry.url}/subjects") as answer:
        return bool(answer.status == 200)


def test_unknown_paths_and_wrong_methods_get_a_code(ask: Caller) -> None:
    for path in ("/nothing", "/subjects/a/b/c/d/e", "/schemas/ids", "/config/a/b", "/%00", "/mode"):
        assert ask.code("GET", path) == 404
    assert ask.code("PATCH", "/subjects") == 405
    assert ask.ok("GET", "/subjects/") == []


def test_bodies_that_are_not_json_objects_are_refused(ask: Caller) -> None:
    deep = b"[" * 200_000
    for body in (b"", b"{", b"[]", b'"x"', b"\xff\xfe", deep, b'{"schema":"\xff"}', b"1" * 10_000):
        for target in ("/subjects/s/versions", "/subjects/s", "/compatibility/subjects/s/versions"):
            assert ask.code("POST", target, body) == 400, body[:20]
    assert ask.code("PUT", "/config", b"\xff") == 400


def test_subjects_that_are_not_text_are_refused(ask: Caller) -> None:
    assert ask.code("GET", "/subjects/%FF/versions") == 42208
    assert ask.code("GET", "/subjects/%00/versions") == 42208


@pytest.mark.parametrize(
    "schema",
    ['{"type": "string"}', '{"type": "object"}', 'syntax = "proto3"; message M {}'],
    ids=["AVRO", "JSON", "PROTOBUF"],
)
def test_a_schema_of_megabytes_is_refused(ask: Caller, schema: str, request: pytest.FixtureRequest) -> None:
    body = {"schemaType": request.node.callspec.id, "schema": schema}
    ask.register("s", body)
    assert ask.code("POST", "/subjects/s/versions", body | {"schema": schema + " " * 1_100_000}) == 42201


@pytest.mark.parametrize("depth", [90, 400, 900, 20_000])
def test_deeply_nested_schemas_are_refused_or_compared(ask: Caller, depth: int) -> None:
    array = '{"type":"array","items":'
    for item in ('"int"', '"long"'):
        schema = {"schema": array * depth + item + "}" * depth}
        status = ask("POST", "/subjects/array/versions", schema)[0]
        assert status == (200 if depth == 90 else 422) or (depth == 400 and status == 200)
    nested = {"schemaType": "JSON", "schema": '{"a":' * depth + "1" + "}" * depth}
    assert ask("POST", "/subjects/json/versions", nested)[0] in {200, 422}


def test_no_request_makes_the_server_fail(ask: Caller) -> None:
    """Seeded requests made of valid parts and of noise, to every resource."""
    chance = random.Random(7)
    pieces = ["s", "latest", "1", "-1", "%FF", "", "..", "%2F", "0", "99999999999", "%C3%BC", "guid", "%00"]
    values: list[object] = [
        '"int"',
        "{}",
        "syntax",
        None,
        5,
        True,
        [],
        {},
        -1,
        2**70,
        "AVRO",
        "PROTOBUF",
        "JSON",
        "FULL",
    ]
    keys = [
        "schema",
        "schemaType",
        "references",
        "id",
        "version",
        "metadata",
        "ruleSet",
        "compatibility",
    ]
    for _ in range(3_000):
        pattern = chance.choice(list(ROUTES))
        path = "/".join(
            chance.choice(pieces) if part.startswith("{") else part for part in pattern.split("/")
        )
        query = chance.choice(
            ["", "?deleted=true", "?format=serialized", "?limit=-5&offset=9", "?permanent=TRUE", "?%"]
        )
        body = {key: chance.choice(values) for key in chance.sample(keys, 4)}
        status, _ = ask(chance.choice(["GET", "POST", "PUT", "DELETE"]), path + query, body)
        assert status < 500, (path, body)


@pytest.mark.parametrize(
    "sent",
    [
        b"Content-Length: %d\r\n\r\n" % (api.MAX_BODY + 1),
        b"Content-Length: " + b"9" * 19 + b"\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % (api.MAX_BODY + 1) + b"a" * (api.MAX_BODY + 1),
    ],
    ids=["length", "great length", "chunks"],
)
def test_a_body_over_the_limit_is_refused(registry: EmbeddedRegistry, sent: bytes) -> None:
    head = b"POST /subjects/s/versions HTTP/1.1\r\nHost: localhost\r\n"
    assert status_of(exchange(registry, head + sent, hang_up=False)) == 413
    assert still_answers(registry)


@pytest.mark.parametrize(
    "sent",
    [
        b"NONSENSE\r\n\r\n",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"".join(b"H%d: x\r\n" % n for n in range(300)) + b"\r\n",
        b"POST /subjects/s HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"POST /subjects/s HTTP/1.1\r\nContent-Length: ten\r\n\r\n",
        b"POST /subjects/s HTTP/1.1\r\nContent-Length: 10\r\n\r\n{}",
        b"POST /subjects/s HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /subjects/s HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-2\r\n{}",
        b"POST /subjects/s HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{}",
    ],
    ids=lambda sent: sent[:30].decode("ascii"),
)
def test_malformed_http_is_refused(registry: EmbeddedRegistry, sent: bytes) -> None:
    answer = exchange(registry, sent)
    assert not answer or status_of(answer) == 400
    assert still_answers(registry)


def test_a_chunked_body_is_read(registry: EmbeddedRegistry) -> None:
    body = b'{"schema":"\\"int\\""}'
    chunks = b"".join(b"%x;note=1\r\n%s\r\n" % (len(part), part) for part in (body[:5], body[5:]))
    request = (
        b"POST /subjects/chunked/versions HTTP/1.1\r\nHost: x\r\n"
        b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    answer = exchange(registry, request + chunks + b"0\r\n\r\n")
    assert status_of(answer) == 200, answer


def test_a_connection_is_kept_for_the_next_request(registry: EmbeddedRegistry) -> None:
    request = b"GET /subjects HTTP/1.1\r\nHost: x\r\n\r\n"
    last = b"GET /subjects HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    answers = exchange(registry, request + request + last, hang_up=False)
    assert answers.count(b"HTTP/1.1 200 OK") == 3


def test_silent_and_slow_clients_do_not_keep_others_waiting() -> None:
    with EmbeddedRegistry() as registry:
        address = urlsplit(registry.url)
        silent = [socket.create_connection((address.hostname, address.port), timeout=5) for _ in range(50)]
        for connection in silent[::2]:
            connection.sendall(b"POST /subjects/s HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        assert still_answers(registry)
    for connection in silent:
        with suppress(ConnectionResetError):
            assert connection.recv(1) == b""
        connection.close()


def test_connections_over_the_limit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_MAX_CONNECTIONS", 5)
    with EmbeddedRegistry() as registry, ExitStack() as open_connections:
        address = urlsplit(registry.url)
        for _ in range(5):
            connection = socket.create_connection((address.hostname, address.port), timeout=5)
            open_connections.enter_context(closing(connection))
        with pytest.raises(urllib.error.HTTPError) as refused:
            still_answers(registry)
        refused.value.close()
        assert refused.value.code == 503


def test_a_client_that_hangs_up_early_is_not_reported(
    registry: EmbeddedRegistry, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    address = urlsplit(registry.url)
    for sent in (b"GET /subjects HTTP/1.1\r\nHost: x\r\n\r\n" * 10, b"POST /subjects/s HTTP/1.1\r\nContent-"):
        for _ in range(10):
            connection = socket.create_connection((address.hostname, address.port))
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            connection.sendall(sent)
            connection.close()
    assert still_answers(registry)
    assert capsys.readouterr() == ("", "")
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
