"""Runs tests on copies of the tree that have a fault."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mutation.fault import PACKAGE, Fault

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("python", "tests", "proto", "docs", "deploy", "README.md", "CONTRIBUTING.md", "pyproject.toml")
HANGS_AFTER = 60  # seconds; a test that hangs has caught its fault

Verdict = Literal["caught", "survived"]


class TestsUnusable(Exception):
    """Tests that did not run, or fail without a fault, say nothing about one."""


@dataclass(frozen=True)
class Outcome:
    """What the tests made of a fault.

    Attributes:
        fault: its name.
        verdict: whether a test failed.
        caught_by: the test that failed; empty if none did.
        seconds: how long they ran.
    """

    fault: str
    verdict: Verdict
    caught_by: str
    seconds: float


class Copy:
    """A copy of the tree, where faults come and go one at a time."""

    def __init__(self, folder: Path) -> None:
        self._root = folder
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, folder / name)

    def outcome(self, fault: Fault) -> Outcome:
        """Run the fault's tests with the fault.

        Raises:
            FaultNotApplicable: if the code has changed too much for it.
            TestsUnusable: if the tests did not run.
        """
        began = time.monotonic()
        with self._changed(self._root / PACKAGE / fault.file, fault.applied(self._root)):
            failed = self.first_failure(fault.tests)
        verdict: Verdict = "caught" if failed else "survived"
        return Outcome(fault.name, verdict, failed, round(time.monotonic() - began, 1))

    def first_failure(self, tests: Sequence[str]) -> str:
        """The first test that fails; empty if all pass.

        Raises:
            TestsUnusable: if they did not run.
        """
        options = ("-x", "-q", "-p", "no:cacheprovider", "--timeout", str(HANGS_AFTER))
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *options, *(f"tests/{path}" for path in tests)],
            cwd=self._root,
            env={
                **os.environ,
                "PYTHONPATH": str(self._root / "python"),  # before the installed one
                "PYTHONDONTWRITEBYTECODE": "1",  # two faults of one size within a second look the same
            },
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if done.returncode == 0:
            return ""
        found = re.search(r"^(?:FAILED|ERROR) (\S+::\S+)", done.stdout, re.MULTILINE)
        if found:
            return found[1].removeprefix("tests/")
        if "Timeout" in done.stdout:
            return "a test that did not end"
        raise TestsUnusable(f"pytest ended with code {done.returncode}:\n{done.stdout[-2000:]}")

    @contextmanager
    def _changed(self, path: Path, text: str) -> Iterator[None]:
        before = path.read_text()
        path.write_text(text)
        try:
            yield
        finally:
            path.write_text(before)
