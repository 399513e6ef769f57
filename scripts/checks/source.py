"""Checks that only read the tree."""

from __future__ import annotations

import subprocess
from pathlib import Path

from checks.check import ROOT, CheckFailed, execute

# What a text of one machine gives away: folders of its own, and hosts that packages are fetched from.
PRIVATE = (
    r"(^|[^[:alnum:]_./-])/(root|work|home/[a-z]+|Users/[a-z]+)/"
    r"|(pypi[.]org/simple|files[.]pythonhosted|repo1?[.]maven|registry[.]npmjs|proxy[.]golang|deb[.]debian)"
)


def lint(_scratch: Path) -> None:
    """Hold ruff's rules, in the scripts without a suffix too."""
    execute("ruff", "check", ".", *_python_scripts())


def formatting(_scratch: Path) -> None:
    """Hold ruff's format."""
    execute("ruff", "format", "--check", ".", *_python_scripts())


def types(_scratch: Path) -> None:
    """Hold mypy's strict rules; a test needs no annotations, what several tests share has them."""
    shared = [str(path.relative_to(ROOT)) for path in (ROOT / "tests").rglob("conftest.py")]
    execute(
        "mypy", "python", "tests/stack", "tests/golden/corpus", "scripts/checks", "scripts/contract", *shared
    )
    for script in _python_scripts():
        execute("mypy", script)  # one by one: to mypy each is a __main__


def no_private_names(_scratch: Path) -> None:
    """Find what only one machine or network knows."""
    found = subprocess.run(
        ["git", "grep", "-nIE", PRIVATE], cwd=ROOT, check=False, capture_output=True, text=True
    )
    if found.returncode != 1:
        raise CheckFailed(found.stdout + found.stderr)


def _python_scripts() -> list[str]:
    scripts = (path for path in (ROOT / "scripts").iterdir() if path.is_file() and not path.suffix)
    return sorted(
        str(path.relative_to(ROOT)) for path in scripts if "python" in path.read_text().partition("\n")[0]
    )
