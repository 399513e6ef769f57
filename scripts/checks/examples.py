"""The Python that README and docs show, checked as a user's type checkers would."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from checks.check import ROOT, execute

# What a guide's example takes from the ones before it, or from its reader's own code.
_KNOWN_BEFORE = """
from datetime import timedelta
from typing import Any
from sqlalchemy import create_engine
from immersiverse.auth.events import AuthEventDeserializer, AuthEventSerializer, SqlInbox
from immersiverse.auth.events import Publisher, Subscriber
from immersiverse.auth.events.observability.hooks import Hook
config: dict[str, Any] = {}
serializer = AuthEventSerializer()
deserializer = AuthEventDeserializer()
inbox = SqlInbox(create_engine("sqlite://"), "analytics")
hook: Hook = print
pager: Any = None
"""


def typed_examples(scratch: Path) -> None:
    """Check every example with mypy's strict rules, and with pyright.

    Raises:
        CheckFailed: with the file, such as ``delivery_2.py`` for the second example of docs/delivery.md.
    """
    folder = scratch / "examples"
    folder.mkdir()
    for guide in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        for number, example in enumerate(_examples(guide), 1):
            before = "" if guide.name == "README.md" else _KNOWN_BEFORE
            (folder / f"{guide.stem.lower()}_{number}.py").write_text(before + example)
    execute("mypy", *sorted(folder.glob("*.py")))
    # Pyright's own package downloads it when it first runs; this one brings it along.
    (scratch / "pyrightconfig.json").write_text('{"typeCheckingMode": "standard"}')
    execute("basedpyright", "--project", scratch, "--pythonpath", sys.executable, folder)


def _examples(guide: Path) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", guide.read_text(), re.DOTALL | re.MULTILINE)
