"""The registry as users start it: uvicorn on a thread of its own, with an event loop of its own.

That thread alone uses the store while the server runs. `start` and `stop` are for the thread of the caller.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from threading import Event, Thread
from typing import TYPE_CHECKING, Self

from immersiverse.auth.events.errors import MissingExtra, RegistryUnavailable
from immersiverse.auth.events.testing.registry.store import KeptStore

try:
    import uvicorn

    from immersiverse.auth.events.testing.registry.api import application
except ImportError as error:
    raise MissingExtra("testing", "the embedded registry") from error

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.types import ASGIApp

_KEEP_ALIVE = 30  # seconds that a connection may be idle between two requests
_MAX_CONNECTIONS = 500
_MAX_HEADERS = 32 * 1024  # bytes


class EmbeddedRegistry:
    """A Schema Registry in this process, for Confluent's clients and ours; a context manager.

    Stopped and started again, it has the same address and still holds what it held.
    It asks for no credentials: for demos, development and tests.

    Args:
        host: the address to listen on.
        port: the port to listen on; 0 for a free one.
        path: a JSON file that everything is read from and written to; without one, nothing is kept.

    Raises:
        RegistryError: the file cannot be read, or no registry wrote it.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0, path: Path | None = None) -> None:
        self._host = host
        self._port = port
        self._kept = KeptStore(path)
        self._server: _Server | None = None

    @property
    def url(self) -> str:
        """The address for clients. With a free port, it is known once started."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    def start(self) -> Self:
        """Start, if it is not running.

        Raises:
            RegistryUnavailable: the address cannot be listened on.
        """
        if self._server is None:
            listening = self._listen()
            self._port = listening.getsockname()[1]
            self._server = _Server(application(self._kept, self._host), listening)
        return self

    def stop(self) -> None:
        """Close all connections and stop, if it is running."""
        if self._server is not None:
            self._server.stop()
            self._server = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _listen(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        try:
            listening = socket.create_server((self._host, self._port), family=family)
        except OSError as error:
            raise RegistryUnavailable(f"cannot listen on {self._host}:{self._port}: {error}") from error
        # Connections inherit it. Else each answer waits 40 ms: head and body are sent one after the other.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listening


class _Server(uvicorn.Server):
    """uvicorn that can be stopped by another thread, at once, with its connections closed."""

    def __init__(self, app: ASGIApp, listening: socket.socket) -> None:
        config = uvicorn.Config(
            app,
            http="h11",
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,  # logging is the user's
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=_KEEP_ALIVE,
            limit_concurrency=_MAX_CONNECTIONS,
            h11_max_incomplete_event_size=_MAX_HEADERS,
        )
        super().__init__(config)
        self._listening = listening
        self._running = Event()
        self._thread = Thread(target=self._run, name="embedded-registry", daemon=True)
        self._thread.start()
        self._running.wait()
        if not self.started:
            raise RegistryUnavailable("the registry's server has failed to start")

    def stop(self) -> None:
        """Stop and wait for the end. To be called once."""
        with suppress(RuntimeError):  # the server has failed, and its loop is closed
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self.serve(sockets=[self._listening]))
        finally:
            self._listening.close()
            self._running.set()

    async def main_loop(self) -> None:
        """Wait for `stop`; uvicorn's own looks ten times a second whether to end."""
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        self._running.set()
        await self._stopping.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002 - uvicorn's
        """Close all connections; uvicorn's own waits for the clients to do so."""
        for server in self.servers:
            server.close()
        while self.server_state.connections or self.server_state.tasks:
            for connection in list(self.server_state.connections):
                connection.transport.abort()
            await asyncio.sleep(0)
