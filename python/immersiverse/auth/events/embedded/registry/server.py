"""HTTP/1.1 around the REST interface: sockets, bodies, limits, and nothing about schemas.

Source: RFC 9112 for the framing of bodies.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from threading import Lock
from typing import Any

from immersiverse.auth.events.embedded.registry.messages import Answer, refused
from immersiverse.auth.events.embedded.registry.origins import refuse_foreign, refuse_simple
from immersiverse.auth.events.embedded.registry.refusals import Refusal

LARGEST_BODY = 8 * 1024 * 1024
"""In bytes; Confluent's clients send schemas of a few hundred kilobytes at the very most."""

PATIENCE = 30.0
"""Seconds that a connection may be silent, within a request or between two."""

CONTENT_TYPE = "application/vnd.schemaregistry.v1+json"

Respond = Callable[[str, str, bytes], Answer]

_log = logging.getLogger(__name__)


class Server(ThreadingHTTPServer):
    """A thread a connection; closing it closes the connections that are kept alive, too."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], respond: Respond) -> None:
        self.respond = respond
        self.host = address[0]
        self._connections: set[socket.socket] = set()
        self._lock = Lock()
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Bind without asking for the host's name, as HTTPServer would: that can take seconds."""
        TCPServer.server_bind(self)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection, then let a thread have it."""
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget the connection when it ends."""
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        """Stop listening and hang up on everyone."""
        super().server_close()
        with self._lock:
            for connection in self._connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - the base's signature
        """A client that hung up is no news."""
        _log.debug("connection from %s ended", client_address, exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = default_request_version = "HTTP/1.1"
    timeout = PATIENCE
    # Headers and body leave in one piece: two would wait for each other's acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True

    def _serve(self) -> None:
        try:
            refuse_foreign(self.headers, self.server.host)
            if body := self._body():
                refuse_simple(self.headers)
            answer = self._respond(body)
        except Refusal as refusal:
            # Part of the body may still be on the way, so the connection is of no more use.
            self.close_connection = True
            answer = refused(refusal)
        self._send(answer)

    def __getattr__(self, name: str) -> Any:
        # The base asks for do_METHOD; the routes know which methods there are.
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def _respond(self, body: bytes) -> Answer:
        try:
            return self.server.respond(self.command, self.path, body)
        except Exception:  # noqa: BLE001 - the last resort: a client gets an answer whatever went wrong
            _log.exception("%s %s failed", self.command, self.path)
            return refused(Refusal(50001, "Error in the registry"))

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._chunks()
        written = self.headers.get("Content-Length", "0")
        if not (written.isascii() and written.isdigit()):
            raise Refusal(400, "The Content-Length is not a number")
        return self._read(int(written) if len(written) < len(str(LARGEST_BODY)) + 1 else LARGEST_BODY + 1)

    def _chunks(self) -> bytes:
        body = b""
        while size := self._chunk_size():
            body += self._read(size, len(body))
            self.rfile.readline(3)
        while self.rfile.readline(1024).strip():
            continue
        return body

    def _chunk_size(self) -> int:
        written = self.rfile.readline(64).split(b";")[0].strip()
        try:
            return int(written.decode("ascii"), 16) if b"_" not in written and b"-" not in written else -1
        except ValueError as error:
            raise Refusal(400, "A chunk's size is not a number") from error

    def _read(self, size: int, before: int = 0) -> bytes:
        if size < 0:
            raise Refusal(400, "A chunk's size is not a number")
        if before + size > LARGEST_BODY:
            raise Refusal(413, f"The body is larger than {LARGEST_BODY} bytes")
        data = self.rfile.read(size)
        if len(data) < size:
            raise Refusal(400, "The body ends early")
        return data

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", CONTENT_TYPE)
        self.send_header("Content-Length", str(len(answer.body)))
        if answer.allow:
            self.send_header("Allow", answer.allow)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """Answer what is not even HTTP as JSON, too."""
        self.close_connection = True
        self._send(refused(Refusal(code, message or HTTPStatus(code).phrase)))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's signature
        """To the log, not to the console."""
        _log.debug(format, *args)
