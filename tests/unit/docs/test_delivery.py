"""Each cell of the table of inboxes in docs/delivery.md is held by a test, and each such test by a cell."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs" / "delivery.md").read_text()
HELD = re.compile(r'^@pytest\.mark\.guarantee\(\s*"([^"]+)",\s*"([^"]+)"\s*\)', re.MULTILINE)
NO_CLAIM = "\N{EN DASH}"
FOLDERS = ("tests/unit/inbox", "tests/integration/inbox")


def cells():
    table = GUIDE.partition("| what happens |")[2].partition("\n\n")[0].splitlines()
    columns = re.findall(r"\b(?:PostgreSQL|SQLite|Redis)\b", table[0])
    for line in table[2:]:
        row, *claims = [cell.strip() for cell in line.strip("|").split("|")]
        for column, claim in zip(columns, claims, strict=True):
            if claim != NO_CLAIM:
                yield row.strip("*"), column


def test_each_cell_has_a_test_and_each_guarantee_marker_a_cell():
    held = {
        found
        for folder in FOLDERS
        for file in (ROOT / folder).glob("test_*.py")
        for found in HELD.findall(file.read_text())
    }
    assert held == set(cells())
    assert len(held) >= 20
