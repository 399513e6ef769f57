"""Redis, from the system's packages."""

from __future__ import annotations

import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from stack.error import StackError
from stack.ports import free_ports
from stack.server import Server, wait_until_ready

PROGRAMS = ("redis-server", "valkey-server")
MISSING = "Redis is missing: install it (Debian, Ubuntu: apt-get install redis-server)"


@dataclass(frozen=True)
class RedisServer:
    """A server of its own, which can be stopped and started again, and then remembers what is on disk.

    Attributes:
        port: where it listens, on 127.0.0.1.
        server: its process.
    """

    port: int
    server: Server

    @property
    def url(self) -> str:
        """Where redis-py finds it."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            StackError: it died or did not come up; the end of its log is in the message.
        """
        self.server.start()
        wait_until_ready(self._answers, [self.server])

    def stop(self) -> None:
        """Stop it at once."""
        self.server.kill()

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False


def redis_program() -> str | None:
    """The server's program; None if there is none."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


@contextmanager
def redis_server(*options: str) -> Iterator[RedisServer]:
    """A server that leaves nothing behind.

    Args:
        options: more of its command line, such as ``--appendonly yes``; without it nothing is on disk.

    Raises:
        StackError: it is not installed or cannot be started; the message says why.
    """
    program = redis_program()
    if program is None:
        raise StackError(MISSING)
    with tempfile.TemporaryDirectory(prefix="auth-events-redis-") as folder:
        port = free_ports(1)[0]
        command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
        command += options
        server = RedisServer(port, Server("redis", command, Path(folder) / "redis.log"))
        try:
            server.start()
            yield server
        finally:
            server.stop()
