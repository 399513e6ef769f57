"""Commands inside the tests' process."""

from __future__ import annotations

import pytest

from commands import Command, in_process


@pytest.fixture
def auth_events(monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]) -> Command:
    """Run a command; its input is `stdin`."""
    return in_process(monkeypatch, capsysbinary)
