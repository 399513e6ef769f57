"""docs/evolving.md says what the gate does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from immersiverse.auth.events.schema_checks.kinds import ChangeKind, Rules

GUIDE = Path(__file__).parents[3] / "docs" / "evolving.md"


def kinds(heading):
    """The kinds of change that the table under a heading names."""
    section = GUIDE.read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| ")]
    return sorted({name for row in rows for name in re.findall(r"`([A-Z]+(?:_[A-Z]+)+)`", row)})


@pytest.mark.parametrize("kind", kinds("What is allowed"))
def test_what_the_guide_allows_is_let_pass(kind):
    assert not Rules.STRICT.refuses(ChangeKind(kind))


@pytest.mark.parametrize("kind", kinds("What is not, and how to do it instead"))
def test_what_the_guide_forbids_is_refused(kind):
    assert Rules.STRICT.refuses(ChangeKind(kind))
