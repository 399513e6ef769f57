"""A process of ours that is started, killed, frozen and started again."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP, SIGTERM

from stack.server import tail

_TESTS = Path(__file__).resolve().parent.parent


class Trouble(Exception):
    """Something went wrong that nobody staged."""


class Worker:
    """A Python module as a process.

    Args:
        name: what people call it.
        module: the module.
        arguments: its command line.
        log: where its output goes.
    """

    def __init__(self, name: str, module: str, arguments: tuple[str, ...], log: Path) -> None:
        self.name = name
        self._command = [sys.executable, "-m", module, *arguments]
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def is_running(self) -> bool:
        """Whether it is alive, or frozen."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it, also again."""
        path = os.pathsep.join([str(_TESTS), os.environ.get("PYTHONPATH", "")])
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONPATH": path.rstrip(os.pathsep)},
                start_new_session=True,
            )

    def kill(self) -> None:
        """End it at once."""
        self._signal(SIGKILL)
        if self._process is not None:
            self._process.wait()

    def freeze(self) -> None:
        """Let it stand still, as an overloaded machine would."""
        self._signal(SIGSTOP)

    def thaw(self) -> None:
        """Let it go on as if nothing had been."""
        self._signal(SIGCONT)

    def stop(self, patience: float) -> None:
        """Ask it to end in order.

        Raises:
            Trouble: if it had died, does not end within this many seconds, or ends with an error.
        """
        self.require_alive()
        assert self._process is not None
        self._signal(SIGTERM)
        try:
            code = self._process.wait(patience)
        except subprocess.TimeoutExpired as error:
            self.kill()
            raise Trouble(f"the {self.name} did not end in {patience} s:\n{self.last_words()}") from error
        if code not in (0, -SIGTERM):  # the signal ends a process that has not come to life yet
            raise Trouble(f"the {self.name} ended with {code}:\n{self.last_words()}")

    def require_alive(self) -> None:
        """Nobody may die unless killed.

        Raises:
            Trouble: if it is dead.
        """
        if not self.is_running:
            raise Trouble(f"the {self.name} died by itself:\n{self.last_words()}")

    def last_words(self) -> str:
        """The end of its output."""
        return tail(self._log, 15)

    def _signal(self, number: int) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)
