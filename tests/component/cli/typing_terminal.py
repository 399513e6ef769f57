"""A terminal with a user at it: commands draw on it, and read what is typed."""

from __future__ import annotations

import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from component.cli.terminal import COMMAND, _environment

INTERRUPT = "\x03"  # what Ctrl-C sends
END_OF_INPUT = "\x04"  # what Ctrl-D sends
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]")


class TypingTerminal:
    """A command on a terminal of its own.

    Attributes:
        drawn: all that was drawn so far, with its control sequences.
    """

    def __init__(self, process: subprocess.Popen[bytes], leader: int) -> None:
        self.drawn = ""
        self._process = process
        self._leader = leader
        self._seen = 0

    @property
    def text(self) -> str:
        """What was drawn, without control sequences."""
        return _CONTROL.sub("", self.drawn).replace("\r", "")

    def type(self, keys: str) -> None:
        """Type something; Enter is a line's end."""
        os.write(self._leader, keys.encode())

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        self.type(INTERRUPT)

    def wait_for(self, pattern: str, within: float = 30.0) -> re.Match[str]:
        """Wait until a pattern is drawn, after what was waited for before."""
        until = time.monotonic() + within
        while not (match := re.search(pattern, self.text[self._seen :], re.DOTALL)):
            alive = self._read(until)
            if not alive and not re.search(pattern, self.text[self._seen :], re.DOTALL):
                raise AssertionError(f"{pattern!r} was not drawn, but {self.text[-2_000:]!r}")
        self._seen += match.end()
        return match

    def code(self, within: float = 30.0) -> int:
        """How the command ends; what it still draws is taken."""
        until = time.monotonic() + within
        while self._read(until):
            pass
        return self._process.wait(max(0.1, until - time.monotonic()))

    def _read(self, until: float) -> bool:
        """Take what is drawn next; whether there may be more."""
        ready, _, _ = select.select([self._leader], [], [], max(0.0, until - time.monotonic()))
        if not ready:
            raise AssertionError(f"nothing more is drawn after {self.text[-2_000:]!r}")
        try:
            found = os.read(self._leader, 65_536)
        except OSError:  # how Linux says that no process has the other side open any more
            return False
        self.drawn += found.decode(errors="replace")
        return bool(found)


@contextmanager
def typing(
    *arguments: str | Path,
    columns: int = 100,
    lines: int = 30,
    to: int | None = None,
    **variables: str,
) -> Iterator[TypingTerminal]:
    """Run a command on a terminal.

    Args:
        arguments: the command.
        columns: how wide the terminal is.
        lines: how high it is.
        to: where its standard output goes instead.
        variables: of its environment.
    """
    leader, follower = os.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    own = {"TERM": "xterm-256color", **variables}
    environment = {name: value for name, value in _environment(own).items() if name != "COLUMNS"}
    process = subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        stdin=follower,
        stdout=follower if to is None else to,
        stderr=follower,
        env=environment,
        start_new_session=True,
        # Only the terminal that controls a process turns Ctrl-C into an interrupt.
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - it only makes one call
    )
    os.close(follower)
    try:
        yield TypingTerminal(process, leader)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        os.close(leader)
