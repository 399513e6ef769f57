"""A web server at a registry's place that answers as a test wants it to, byte by byte if need be."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Scripted(ThreadingHTTPServer):
    """A registry of a test's making.

    Attributes:
        asked: the paths that were asked for.
        gone: set when it stops, so that what it still sends can end.
    """

    daemon_threads = True

    def __init__(self, answer: Callable[[str, Answering], None]) -> None:
        self.answer = answer
        self.asked: list[str] = []
        self.gone = threading.Event()
        super().__init__(("127.0.0.1", 0), Answering)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is what some tests want."""


class Answering(BaseHTTPRequestHandler):
    """One connection's answers."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Scripted

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append(self.path.partition("?")[0])
        self.server.answer(self.server.asked[-1], self)

    do_POST = do_GET  # noqa: N815 - the base's name

    def say(self, value: object, status: int = 200) -> None:
        """Answer with JSON, or with text as it is."""
        body = value.encode() if isinstance(value, str) else json.dumps(value).encode()
        self.head(status, {"Content-Length": str(len(body))})
        self.wfile.write(body)

    def refuse(self, code: int, message: str = "no") -> None:
        """Answer as registries do when they say no."""
        self.say({"error_code": code, "message": message}, int(str(code)[:3]))

    def head(self, status: int, headers: dict[str, str]) -> None:
        """Begin an answer."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.flush()

    def drip(self) -> None:
        """Send a byte now and then until the client or the test ends."""
        while not self.server.gone.wait(0.05):
            self.wfile.write(b" ")
            self.wfile.flush()

    def log_message(self, *_: Any) -> None:
        """To nowhere."""


@contextmanager
def scripted(answer: Callable[[str, Answering], None]) -> Iterator[Scripted]:
    """A server that answers so, for a while."""
    server = Scripted(answer)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.gone.set()
        server.shutdown()
        thread.join()
        server.server_close()
