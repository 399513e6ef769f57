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
    """Something went wrong that the run did not stage."""


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
        self._asked_to_stop = False

    @property
    def is_running(self) -> bool:
        """Whether it is alive, or frozen."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it, also again."""
        self._asked_to_stop = False
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
        self._asked_to_stop = False
        self._signal(SIGKILL)
        if self._process is not None:
            self._process.wait()

    def freeze(self) -> None:
        """Let it stand still, as an overloaded machine would."""
        self._signal(SIGSTOP)

    def thaw(self) -> None:
        """Let it go on as if nothing had been."""
        self._signal(SIGCONT)

    def ask_to_stop(self) -> None:
        """Ask it to end in order, and do not wait: others may have to be put right before it can.

        Raises:
            Trouble: if it has died.
        """
        self.require_alive()
        self._asked_to_stop = True
        self._signal(SIGTERM)

    def await_end(self, patience: float) -> None:
        """Wait for the end of what was asked to stop.

        Raises:
            Trouble: if it does not end within this many seconds, or ended with an error.
        """
        if self._process is None or not self._asked_to_stop:
            return
        try:
            code = self._process.wait(patience)
        except subprocess.TimeoutExpired as error:
            self.kill()
            raise Trouble(f"the {self.name} did not end in {patience} s:\n{self.last_words()}") from error
        if code not in (0, -SIGTERM):  # the signal ends a process that has not come to life yet
            raise Trouble(f"the {self.name} ended with {code}:\n{self.last_words()}")

    def require_alive(self) -> None:
        """A worker may not die unless killed.

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
