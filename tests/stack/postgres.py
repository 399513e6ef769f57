"""PostgreSQL, from the system's packages."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from stack.error import StackError
from stack.ports import free_ports
from stack.server import Server, wait_until_ready

DEBIAN = Path("/usr/lib/postgresql")  # Debian keeps all but the client out of PATH, by version
MISSING = "PostgreSQL is missing: install its server (Debian, Ubuntu: apt-get install postgresql)"
SPEED = ("fsync=off", "full_page_writes=off")  # safe as long as the machine itself does not go down


@dataclass(frozen=True)
class Postgres:
    """A server of its own, which can be stopped and started again.

    Attributes:
        port: where it listens, on 127.0.0.1.
        programs: the folder of its programs.
        data: the folder of its data.
        server: its process.
    """

    port: int
    programs: Path
    data: Path
    server: Server

    @property
    def url(self) -> str:
        """Where SQLAlchemy finds its database, for blocking and for asyncio engines."""
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            StackError: it died or did not come up; the end of its log is in the message.
        """
        self.server.start()
        wait_until_ready(self._answers, [self.server])

    def stop(self) -> None:
        """Stop it at once, with every client that is connected."""
        stop = ("pg_ctl", "stop", "--silent", "-m", "immediate", "-D", str(self.data))
        subprocess.run(_unprivileged(self.programs, *stop), check=False, capture_output=True)
        self.server.kill()

    def _answers(self) -> bool:
        ask = [str(self.programs / "pg_isready"), "--quiet", "--host=127.0.0.1", f"--port={self.port}"]
        return subprocess.run(ask, check=False).returncode == 0


def postgres_programs() -> Path | None:
    """The folder of PostgreSQL's server programs, the newest version's; None if there is none."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    versions = sorted(DEBIAN.glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    return versions[-1].parent if versions else None


@contextmanager
def postgres(*settings: str, port: int | None = None) -> Iterator[Postgres]:
    """A server that leaves nothing behind.

    Args:
        settings: more of them, such as ``wal_level=logical``.
        port: where it listens; any that is free unless given.

    Raises:
        StackError: it is not installed or cannot be started; the message says why.
    """
    programs = postgres_programs()
    if programs is None:
        raise StackError(MISSING)
    with tempfile.TemporaryDirectory(prefix="auth-events-postgres-") as folder:
        server = _prepared(programs, Path(folder), settings, port or free_ports(1)[0])
        try:
            server.start()
            yield server
        finally:
            server.stop()


def _prepared(programs: Path, folder: Path, settings: tuple[str, ...], port: int) -> Postgres:
    data = folder / "data"
    data.mkdir(mode=0o700)
    if os.geteuid() == 0:
        for path in (folder, data):
            shutil.chown(path, "nobody")
    make = ("initdb", "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
    made = subprocess.run(
        _unprivileged(programs, *make), check=False, capture_output=True, text=True, cwd=folder
    )
    if made.returncode:
        raise StackError(f"PostgreSQL's data cannot be prepared:\n{made.stdout}{made.stderr}")
    options = (f"port={port}", "listen_addresses=127.0.0.1", "unix_socket_directories=", *SPEED, *settings)
    command = _unprivileged(programs, "postgres", "-D", str(data))
    command += [part for option in options for part in ("-c", option)]
    return Postgres(port, programs, data, Server("postgres", command, folder / "postgres.log"))


def _unprivileged(programs: Path, name: str, *arguments: str) -> list[str]:
    """PostgreSQL refuses to be root."""
    command = [str(programs / name), *arguments]
    if os.geteuid():
        return command
    user = pwd.getpwnam("nobody")
    return [
        "setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", *command,
    ]  # fmt: skip
