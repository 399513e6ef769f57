"""The code of a released wheel, in an environment of its own: what an old service is made of."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from golden.corpus.forms import Schemas
from stack.downloads import cached

READER = Path(__file__).with_name("released_reader.py")


@dataclass(frozen=True)
class ReleasedCode:
    """A Python that has a released wheel and what it depends on, and nothing of this tree.

    Attributes:
        python: the interpreter.
    """

    python: Path

    def read(self, values: Iterable[bytes], schemas: Schemas) -> list[dict[str, Any]]:
        """What the released code reads in messages that were written by other versions.

        Args:
            values: the messages' values.
            schemas: what its registry knows of their writers.

        Returns:
            For each an object with ``event`` (its canonical JSON) and ``bytes`` (it, written again), or with
            ``unknown`` (its type), ``payload`` and ``envelope``, or with ``error``.
        """
        asked = {
            "file": base64.b64encode(schemas.file.SerializeToString()).decode(),
            "avro": schemas.avro,
            "values": [base64.b64encode(value).decode() for value in values],
        }
        answers: list[dict[str, Any]] = json.loads(self.run(READER, stdin=json.dumps(asked)))
        return answers

    def run(self, script: Path, *arguments: str, stdin: str = "") -> str:
        """Run a script on the released code; its output.

        Raises:
            RuntimeError: it fails; with what it said.
        """
        done = subprocess.run(
            [self.python, "-I", script, *arguments],
            input=stdin,
            check=False,
            capture_output=True,
            text=True,
            timeout=120,
        )
        if done.returncode:
            raise RuntimeError(f"{script.name} on {self.python}: {done.stderr.strip()}")
        return done.stdout


def installed(wheel: Path) -> ReleasedCode:
    """The code of a wheel, installed once into the user's cache; what it depends on comes from the index."""
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()[:16]
    version = ".".join(map(str, sys.version_info[:2]))

    def install(folder: Path) -> None:
        _uv("venv", "--python", sys.executable, str(folder), "--allow-existing")
        _uv("pip", "install", "--python", str(folder / "bin" / "python"), str(wheel))

    return ReleasedCode(cached(f"release-{digest}-python{version}", install) / "bin" / "python")


def _uv(*arguments: str) -> None:
    uv = shutil.which("uv", path=str(Path(sys.prefix) / "bin")) or shutil.which("uv")
    if uv is None:
        raise RuntimeError("uv is missing: run scripts/environment")
    done = subprocess.run([uv, "--quiet", *arguments], check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"uv {' '.join(arguments)}: {done.stderr.strip()}")
