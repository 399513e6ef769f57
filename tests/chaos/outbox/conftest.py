"""How long the short form takes here: long enough for a restore between two times of faults."""

from __future__ import annotations

import pytest

from chaos.conftest import LONG

SHORT = 30.0  # seconds


@pytest.fixture
def chaos_seconds(request: pytest.FixtureRequest) -> float:
    """For how long things go wrong."""
    given: float | None = request.config.getoption("seconds")
    if given is not None:
        return given
    return LONG if request.config.getoption("chaos") else SHORT
