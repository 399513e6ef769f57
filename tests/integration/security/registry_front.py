"""TLS and basic authentication before the embedded registry, which has neither, as a proxy does it."""

from __future__ import annotations

import base64
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

USER, PASSWORD = "registrar", "password-of-registrar"
_EXPECTED = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
_REFUSAL = b'{"error_code": 401, "message": "Unauthorized"}'


@contextmanager
def guarded_front(behind: str, keystore: Path) -> Iterator[str]:
    """An https URL that leads clients with the password to a registry.

    Args:
        behind: the registry's own URL.
        keystore: a key and its certificate chain for 127.0.0.1, in PEM.
    """
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(behind))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(keystore)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # who hangs up is meant to
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(behind: str) -> type[BaseHTTPRequestHandler]:
    class Front(BaseHTTPRequestHandler):
        def _pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.headers.get("Authorization") != _EXPECTED:
                self._answer(401, _REFUSAL)
                return
            kept = {"Content-Type": self.headers.get("Content-Type", "application/json")}
            asked = urllib.request.Request(behind + self.path, body or None, kept, method=self.command)
            try:
                with urllib.request.urlopen(asked, timeout=10) as answer:
                    self._answer(answer.status, answer.read())
            except urllib.error.HTTPError as refusal:
                with refusal:
                    self._answer(refusal.code, refusal.read())

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Tests have no use for it."""

        do_GET = do_POST = do_PUT = do_DELETE = _pass_on  # noqa: N815 - http.server's names

    return Front
