"""docs/evolving.md says what the gate does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from immersiverse.auth.events.schema_checks.kinds import ChangeKind, Rules
from immersiverse.auth.events.schema_checks.sources import read
from immersiverse.auth.events.schema_checks.verdict import judge
from unit.schema_checks.conftest import CONTRACT

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


def test_the_guides_new_event_is_let_pass(tmp_path):
    text = (CONTRACT / "immersiverse/auth/events/v1/events.proto").read_text()
    message, field = re.search(
        r"```proto\n(.*?)```.*?`(DeviceTrusted \w+) = \d+;`", GUIDE.read_text(), re.DOTALL
    ).groups()
    name = "GuidesDeviceTrusted"  # the contract may have the real one by now
    last = text.rindex("\n  }\n", 0, text.index("// Who caused an event."))
    new = tmp_path / "events.proto"
    new.write_text(
        text[:last]
        + f"\n    {field.replace('DeviceTrusted', name)}_in_the_guide = 60000;"
        + text[last:]
        + message.replace("DeviceTrusted", name)
    )
    verdict = judge(read(str(new)), [read(str(CONTRACT / "immersiverse/auth/events/v1/events.proto"))])
    assert verdict.compatible
    assert {(found.change.kind, found.events) for found in verdict.changes} == {
        ("MESSAGE_ADDED", (name,)),
        ("ONEOF_FIELD_ADDED", (name,)),
    }
