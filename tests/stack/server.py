"""A server process with its log: started, asked to stop, killed, started again."""

from __future__ import annotations

import os
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from signal import SIGKILL, SIGTERM

from stack.error import StackError
from stack.process_id import ProcessId


class Server:
    """One server: what to run, where its output goes, and what its environment has besides ours.

    It runs in a session of its own, so that a Ctrl-C at the terminal reaches only who started it.
    """

    def __init__(
        self, name: str, command: list[str], log: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.command = command
        self.log = log
        self._environment = dict(environment or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._id = ProcessId(0, "")
        self._started = 0.0

    @property
    def process_id(self) -> ProcessId:
        """The process of the latest start."""
        return self._id

    @property
    def is_running(self) -> bool:
        """Whether the process of the latest start is alive."""
        return self._process is not None and self._process.poll() is None

    @property
    def age(self) -> float:
        """Seconds since the latest start."""
        return time.monotonic() - self._started

    def start(self) -> None:
        """Start, also again after `kill` or `stop`; returns before the server is ready."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self._environment},
                start_new_session=True,
            )
        self._id = ProcessId.of(self._process.pid)
        self._started = time.monotonic()

    def kill(self) -> None:
        """End it at once, as a crash would (SIGKILL)."""
        if self._process is not None:
            self._id.signal(SIGKILL)
            self._process.wait()

    def stop(self, patience: float = 30.0) -> None:
        """Ask it to end in order (SIGTERM); kill it after `patience` seconds."""
        if self._process is None:
            return
        self._id.signal(SIGTERM)
        try:
            self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self.kill()

    def last_words(self, lines: int = 20) -> str:
        """The end of its log."""
        return tail(self.log, lines)


def tail(log: Path, lines: int) -> str:
    """The last lines of a log file."""
    with log.open(errors="replace") as text:
        return "".join(deque(text, maxlen=lines)).rstrip()


def wait_until_ready(is_ready: Callable[[], bool], servers: Iterable[Server], within: float = 90.0) -> None:
    """Poll `is_ready` until it holds.

    Raises:
        StackError: a server died or `within` seconds passed; the last lines of the logs are in the message.
    """
    watched = tuple(servers)
    began = time.monotonic()
    while not is_ready():
        passed = time.monotonic() - began
        dead = [server for server in watched if not server.is_running]
        if dead:
            raise _failure(dead, f"died {passed:.0f} s after its start")
        if passed > within:
            raise _failure(watched, f"was not ready within {within:.0f} s")
        time.sleep(0.1)


def _failure(servers: Iterable[Server], what: str) -> StackError:
    parts = (f"{server.name} {what}; its log {server.log} ends:\n{server.last_words()}" for server in servers)
    return StackError("\n".join(parts))
