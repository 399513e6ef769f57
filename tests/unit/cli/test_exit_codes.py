"""What operators' commands say of their exit codes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

GUIDE = Path(__file__).resolve().parents[3] / "docs" / "operations.md"
COMMANDS = [
    *("publish", "tail", "lag", "replay", "topics plan", "topics apply", "topics check"),
    *("dlq list", "dlq show", "dlq redrive", "inbox forget"),
]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_exit_code_in_the_help_is_explained_in_the_guide(auth_events, command):
    said = " ".join(auth_events(*command.split(), "--help").out.split())
    codes = re.findall(r"(?:^|, )(\d+) ", said.partition("Exit codes: ")[2].partition(" Options:")[0])
    assert set(codes) >= {"0", "1", "2", "3"}
    assert set(codes) <= set(re.findall(r"^\| (\d+) \|", GUIDE.read_text(), re.MULTILINE))
