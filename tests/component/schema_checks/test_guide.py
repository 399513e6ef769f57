"""docs/evolving.md says what the gate does."""

from __future__ import annotations

import re
from pathlib import Path

from component.schema_checks.conftest import CONTRACT
from immersiverse.auth.events.schema_checks.sources import read
from immersiverse.auth.events.schema_checks.verdict import judge

GUIDE = Path(__file__).parents[3] / "docs" / "evolving.md"


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
    assert {(found.kind, found.events) for found in verdict.changes} == {
        ("MESSAGE_ADDED", (name,)),
        ("ONEOF_FIELD_ADDED", (name,)),
    }
