"""The registry as users start it."""

from __future__ import annotations

import logging
from contextlib import suppress
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Self

from immersiverse.auth.events.embedded.registry import snapshot
from immersiverse.auth.events.embedded.registry.api import respond
from immersiverse.auth.events.embedded.registry.messages import refused
from immersiverse.auth.events.embedded.registry.refusals import Refusal
from immersiverse.auth.events.embedded.registry.server import Server
from immersiverse.auth.events.embedded.registry.store import Store
from immersiverse.auth.events.errors import RegistryUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from immersiverse.auth.events.embedded.registry.messages import Answer

_log = logging.getLogger(__name__)


class EmbeddedRegistry:
    """A Schema Registry in the process, for Confluent's clients and ours; a context manager.

    Stopped and started again it has the same address and still knows what it knew.
    It asks for no credentials: for demos, development and tests.

    Args:
        host: the address to listen on.
        port: the port to listen on; 0 for a free one.
        path: a JSON file that the state is read from and kept in; without one it ends with the object.

    Raises:
        RegistryError: the file holds no registry's state.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0, path: Path | None = None) -> None:
        self._host = host
        self._port = port
        self._path = path
        self._store = snapshot.load(path) if path else Store()
        self._kept = snapshot.written(self._store) if path else b""
        self._saved = self._store.revision
        self._lock = Lock()
        self._server: Server | None = None

    @property
    def url(self) -> str:
        """What to give a client as the registry's address; it is known once started."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    def start(self) -> Self:
        """Answer from a thread of its own; started already, it goes on.

        Raises:
            RegistryUnavailable: the address cannot be listened on.
        """
        if self._server is None:
            self._server = self._listen()
            self._port = self._server.server_address[1]
            Thread(target=self._server.serve_forever, args=(0.05,), name="registry", daemon=True).start()
        return self

    def stop(self) -> None:
        """Hang up on all clients and stop listening; stopped already, it stays so."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _listen(self) -> Server:
        try:
            return Server((self._host, self._port), self._respond)
        except (OSError, OverflowError) as error:
            raise RegistryUnavailable(f"cannot listen on {self._host}:{self._port}: {error}") from error

    def _respond(self, method: str, target: str, body: bytes) -> Answer:
        with self._lock:
            answer = respond(self._store, method, target, body)
            if self._path and self._saved != self._store.revision:
                return self._keep(answer, self._path)
            return answer

    def _keep(self, answer: Answer, path: Path) -> Answer:
        """The answer to a change that was written; else the change is undone and refused."""
        text = snapshot.written(self._store)
        try:
            snapshot.save(text, path)
        except OSError as error:
            _log.error("%s cannot be written, so a change was refused: %s", path, error)
            self._store = snapshot.parse(self._kept)
            answer = refused(
                Refusal(50001, f"Nothing was changed: the registry's file cannot be written: {error}")
            )
        else:
            self._kept = text
        self._saved = self._store.revision
        return answer


def serve(
    host: str = "127.0.0.1",
    port: int = 8081,
    path: Path | None = None,
    *,
    ready: Callable[[EmbeddedRegistry], object] = lambda _registry: None,
    until: Event | None = None,
) -> None:
    """Run a registry in the foreground until the event is set, or the user interrupts.

    Args:
        host: as of `EmbeddedRegistry`.
        port: as of `EmbeddedRegistry`; by default the one that clients expect.
        path: as of `EmbeddedRegistry`.
        ready: called once it answers, say to print its address.
        until: ends it when set; without one only an interrupt does.

    Raises:
        RegistryUnavailable: the address cannot be listened on.
        RegistryError: the file holds no registry's state.
    """
    with EmbeddedRegistry(host, port, path) as registry, suppress(KeyboardInterrupt):
        ready(registry)
        (until or Event()).wait()
