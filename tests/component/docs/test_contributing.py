"""CONTRIBUTING.md has a place for everything, and everything it names is there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[3]
PACKAGE = "python/immersiverse/auth/events"
TEXT = (ROOT / "CONTRIBUTING.md").read_text()
MAP = TEXT.partition("## Where a change belongs")[2].partition("\n## ")[0]
NAMED = set(re.findall(r"`(\w[\w./]*?)/?`", MAP))


def folders(below: str) -> set[str]:
    """The folders of a folder that hold files under version control, or will."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", below]
    files = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    return {rest.split("/")[0] for file in files if "/" in (rest := file.removeprefix(f"{below}/"))}


def test_every_folder_of_the_package_and_of_the_scripts_has_its_line():
    assert folders(PACKAGE) <= NAMED
    assert {f"scripts/{name}" for name in folders("scripts")} <= NAMED


def test_every_kind_of_test_has_its_line():
    assert {f"tests/{name}" for name in folders("tests")} <= {"/".join(name.split("/")[:2]) for name in NAMED}


def test_what_is_named_is_there():
    places = (ROOT, ROOT / PACKAGE)
    missing = {name for name in NAMED if not any((place / name).exists() for place in places)}
    assert missing == set()


def test_every_script_has_its_line():
    scripts = {path.name for path in (ROOT / "scripts").iterdir() if path.is_file()}
    assert scripts <= set(re.findall(r"scripts/(\w+)", TEXT))
