"""A moved tag of a foreign action cannot change what runs here."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = [ROOT / "action.yml", *sorted((ROOT / ".github").rglob("*.y*ml"))]
USES = [
    (file.name, line.strip())
    for file in FILES
    for line in file.read_text().splitlines()
    if re.match(r"\s*(- )?uses:", line) and "uses: ./" not in line
]


def test_there_are_workflows_that_use_actions() -> None:
    assert {"ci.yml", "gate.yml"} <= {name for name, _ in USES}


@pytest.mark.parametrize(("name", "line"), USES)
def test_a_foreign_action_is_named_by_its_commit_with_its_version_beside(name: str, line: str) -> None:
    assert re.search(r"uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), f"{name}: {line}"
