from __future__ import annotations

import json
import random
import socket
import urllib.error
import urllib.request
from contextlib import closing
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from immersiverse.auth.events.embedded.registry import EmbeddedRegistry, server
from immersiverse.auth.events.embedded.registry.api import ROUTES, respond
from immersiverse.auth.events.embedded.registry.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from unit.embedded.caller import Caller


@pytest.fixture(scope="module")
def registry() -> Iterator[EmbeddedRegistry]:
    with EmbeddedRegistry() as started:
        yield started


def exchange(registry: EmbeddedRegistry, sent: bytes, *, hang_up: bool = True) -> bytes:
    """All that the registry answers until it closes the connection."""
    address = urlsplit(registry.url)
    with closing(socket.create_connection((address.hostname, address.port), timeout=5)) as connection:
        connection.sendall(sent)
        if hang_up:
            connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def still_answers(registry: EmbeddedRegistry) -> bool:
    with urllib.request.urlopen(f"{registry.url}/subjects") as answer:
        return bool(answer.status == 200)


def test_unknown_paths_and_wrong_methods_get_a_code(ask: Caller) -> None:
    for path in ("/nothing", "/subjects/a/b/c/d/e", "/schemas/ids", "/config/a/b", "/%00"):
        assert ask.code("GET", path) == 404
    assert ask.code("PATCH", "/subjects") == 405
    assert respond(Store(), "PUT", "/subjects/s").allow == "POST, DELETE"


def test_bodies_that_are_no_json_object_are_refused() -> None:
    for body in (b"", b"{", b"[]", b'"x"', b"\xff\xfe", b"[" * 200_000, b'{"schema":"\xff"}', b"1" * 10_000):
        for target in ("/subjects/s/versions", "/subjects/s", "/compatibility/subjects/s/versions"):
            assert respond(Store(), "POST", target, body).status in {400, 404}, body[:20]
    assert respond(Store(), "PUT", "/config", b"\xff").status == 400


def test_subjects_that_are_no_text_are_refused(ask: Caller) -> None:
    assert ask.code("GET", "/subjects/%FF/versions") == 400
    assert ask.code("GET", "/subjects//versions") == 42208
    assert ask.code("GET", "/subjects/%00/versions") == 42208
    assert ask.code("GET", "/subjects?subjectPrefix=%FF") == 400


def test_no_nonsense_leads_to_a_server_error() -> None:
    """A seeded storm of requests made of valid pieces and of noise, against every route."""
    chance = random.Random(7)
    pieces = ["s", "latest", "1", "-1", "%FF", "", "..", "%2F", "0", "99999999999", "ü", "guid", "\x00"]
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
        "IMPORT",
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
        "mode",
    ]
    store = Store()
    for _ in range(20_000):
        pattern = chance.choice(list(ROUTES))
        path = "/".join(
            chance.choice(pieces) if part.startswith("{") else part for part in pattern.split("/")
        )
        query = chance.choice(
            ["", "?deleted=true", "?format=serialized", "?limit=-5&offset=9", "?permanent=TRUE", "?%"]
        )
        body = json.dumps({key: chance.choice(values) for key in chance.sample(keys, 4)}).encode()
        answer = respond(store, chance.choice(["GET", "POST", "PUT", "DELETE"]), path + query, body)
        assert answer.status < 500, (path, body)


def test_a_body_over_the_limit_is_refused_before_it_is_read(registry: EmbeddedRegistry) -> None:
    head = f"POST /subjects/s/versions HTTP/1.1\r\nContent-Length: {server.LARGEST_BODY + 1}\r\n\r\n"
    assert status_of(exchange(registry, head.encode(), hang_up=False)) == 413
    endless = b"POST / HTTP/1.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n"
    assert status_of(exchange(registry, endless, hang_up=False)) == 413
    chunk = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n"
    assert status_of(exchange(registry, chunk, hang_up=False)) == 413
    assert still_answers(registry)


@pytest.mark.parametrize(
    "sent",
    [
        b"NONSENSE\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
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
def test_what_is_not_proper_http_is_refused_as_json(registry: EmbeddedRegistry, sent: bytes) -> None:
    answer = exchange(registry, sent)
    assert 400 <= status_of(answer) < 600
    assert json.loads(answer.split(b"\r\n\r\n", 1)[1])["error_code"] == status_of(answer)
    assert still_answers(registry)


def test_a_chunked_body_is_read(registry: EmbeddedRegistry) -> None:
    body = b'{"schema":"\\"int\\""}'
    chunks = b"".join(b"%x;note=1\r\n%s\r\n" % (len(part), part) for part in (body[:5], body[5:]))
    request = (
        b"POST /subjects/chunked/versions HTTP/1.1\r\n"
        b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    answer = exchange(registry, request + chunks + b"0\r\nTrailer: x\r\n\r\n")
    assert status_of(answer) == 200, answer


def test_a_connection_is_kept_for_the_next_request(registry: EmbeddedRegistry) -> None:
    request = b"GET /subjects HTTP/1.1\r\nHost: x\r\n\r\n"
    assert exchange(registry, request * 3).count(b"HTTP/1.1 200 OK") == 3


def test_a_head_request_gets_no_body(registry: EmbeddedRegistry) -> None:
    answer = exchange(registry, b"HEAD /subjects HTTP/1.1\r\n\r\n")
    assert (status_of(answer), answer.split(b"\r\n\r\n", 1)[1]) == (405, b"")


def test_silent_and_slow_clients_keep_nobody_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server._Handler, "timeout", 0.3)
    with EmbeddedRegistry() as registry:
        address = urlsplit(registry.url)
        silent = [socket.create_connection((address.hostname, address.port), timeout=5) for _ in range(50)]
        for connection in silent[::2]:
            connection.sendall(b"POST /subjects/s HTTP/1.1\r\nContent-Length: 100\r\n\r\n{")
        assert still_answers(registry)
        for connection in silent:
            assert connection.recv(1) == b""
            connection.close()


def test_a_client_that_hangs_up_in_between_is_no_news(
    registry: EmbeddedRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    address = urlsplit(registry.url)
    for _ in range(20):
        connection = socket.create_connection((address.hostname, address.port))
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        connection.sendall(b"GET /subjects HTTP/1.1\r\n\r\n" * 10)
        connection.close()
    assert still_answers(registry)
    assert capsys.readouterr() == ("", "")
