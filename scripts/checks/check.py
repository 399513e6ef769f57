"""One check: a name, and something to run that fails with its output."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOLS = Path(sys.prefix) / "bin"


class CheckFailed(Exception):
    """A check's verdict; the message is what its reader needs to see."""


@dataclass(frozen=True)
class Check:
    """A check of the tree.

    Attributes:
        name: what `scripts/check NAME` calls it.
        purpose: one line for `scripts/check --help`.
        run: raises CheckFailed; gets a folder that all checks of a run share.
    """

    name: str
    purpose: str
    run: Callable[[Path], None]


def command(*arguments: str | Path) -> Callable[[Path], None]:
    """A check that is one command in the root of the tree."""

    def run(_scratch: Path) -> None:
        execute(*arguments)

    return run


def execute(*arguments: str | Path, folder: Path = ROOT) -> str:
    """The output of a command in a folder, with the environment's tools first on PATH.

    Raises:
        CheckFailed: it exits with another code than 0.
    """
    path = f"{TOOLS}{os.pathsep}{os.environ.get('PATH', '')}"
    line = [str(argument) for argument in arguments]
    done = subprocess.run(
        line,
        cwd=folder,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PATH": path},
    )
    if done.returncode:
        raise CheckFailed(f"$ {' '.join(line)}\n{done.stdout.rstrip()}")
    return done.stdout
