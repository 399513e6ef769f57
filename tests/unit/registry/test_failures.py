"""Whatever keeps a registry's answer away is an error of the tree that says what to do about it."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from immersiverse.auth.events.errors import RegistryRefused, RegistryUnavailable, UnknownSchemaId
from immersiverse.auth.events.registry import SchemaRegistry

IMPATIENT = {"max.retries": 0, "timeout": 5}


@pytest.fixture
def answering():
    """A registry at a web server that answers everything with the same status and page."""
    servers = []

    def start(status, page):
        class Answer(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(status)
                self.send_header("Content-Length", str(len(page)))
                self.end_headers()
                self.wfile.write(page)

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        registry = SchemaRegistry({"url": f"http://127.0.0.1:{server.server_port}", **IMPATIENT})
        servers.append((server, thread, registry))
        return registry

    yield start
    for server, thread, registry in servers:
        registry.close()
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_page_that_is_not_found_is_no_empty_registry(answering):
    registry = answering(404, b"<h1>Not Found</h1>")
    with pytest.raises(RegistryRefused, match=r"no schema registry .*ccompat.* \(HTTP 404"):
        registry.registered("auth.events.login-value")
    with pytest.raises(RegistryRefused, match="no schema registry"):
        registry.inspect("auth.events.login-value", "PROTOBUF").versions()


def test_a_web_page_where_a_registry_should_be_is_said_to_be_none(answering):
    with pytest.raises(RegistryUnavailable, match=r"no schema registry .* answers no JSON"):
        answering(200, b"<h1>Welcome</h1>").registered("auth.events.login-value")


def test_an_id_that_the_registry_does_not_hold_is_unknown(answering):
    """Anyone can write an id that does not exist, and must not hold up a consumer by it."""
    with pytest.raises(UnknownSchemaId):
        answering(404, b'{"error_code": 40403, "message": "Schema 7 not found"}').writer_schema(7)


def test_an_id_that_no_registry_can_hold_is_not_asked_for(answering):
    with pytest.raises(UnknownSchemaId):
        answering(404, b"").writer_schema(2**31)


@pytest.mark.parametrize("page", [b"", b"<h1>Not Found</h1>", b'{"error_code": 404, "message": "no"}'])
def test_a_gateway_that_finds_nothing_says_nothing_about_an_id(answering, page):
    with pytest.raises(RegistryRefused, match="no schema registry"):
        answering(404, page).writer_schema(7)


def test_a_failing_gateway_is_asked_again_later(answering):
    with pytest.raises(RegistryUnavailable, match=r"HTTP 502") as away:
        answering(502, b"<h1>Bad Gateway</h1>").registered("auth.events.login-value")
    assert away.value.retryable


def test_a_registry_that_is_away_is_said_to_be_where_it_was_looked_for_and_no_password_is():
    with (
        SchemaRegistry({"url": "http://name:secret@127.0.0.1:9/apis/ccompat/v7", **IMPATIENT}) as registry,
        pytest.raises(RegistryUnavailable, match=r"\(http://127\.0\.0\.1:9/apis/ccompat/v7\)") as away,
    ):
        registry.registered("auth.events.login-value")
    assert "secret" not in str(away.value)
