"""A user's terminal: commands in processes of their own, and what they say."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from commands import Result

COMMAND = (sys.executable, "-m", "immersiverse.auth.events.cli")


def run(*arguments: str | Path, stdin: str = "", **variables: str) -> Result:
    """Run a command in a process of its own."""
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        input=stdin,
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
        env=_environment(variables),
    )
    return Result(done.returncode, done.stdout, done.stderr)


@contextmanager
def running(*arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
    """Run a command that goes on until it is asked to end."""
    process = subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=_environment({}),
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def end(process: subprocess.Popen[str], with_signal: signal.Signals) -> Result:
    """Send a signal; how the command ends."""
    process.send_signal(with_signal)
    out, err = process.communicate(timeout=20)
    return Result(process.returncode, out, err)


def read_until(process: subprocess.Popen[str], pattern: str) -> re.Match[str]:
    """What a command says, up to what is waited for."""
    assert process.stdout is not None
    until, said = time.monotonic() + 30, ""
    while time.monotonic() < until:
        line = process.stdout.readline()
        said += line
        if match := re.search(pattern, said):
            return match
        if not line:
            break
    raise AssertionError(f"{pattern!r} was not said, but {said!r}")


def _environment(variables: dict[str, str]) -> dict[str, str]:
    unset = ("AUTH_EVENTS_", "PYTHONWARNINGS")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(unset)}
    path = os.pathsep.join(sys.path)
    return {**inherited, "PYTHONPATH": path, "COLUMNS": "120", **variables}
