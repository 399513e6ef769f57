"""How long and with which luck."""

from __future__ import annotations

import secrets

import pytest

SHORT = 15.0  # seconds
LONG = 180.0


@pytest.fixture
def chaos_seconds(request: pytest.FixtureRequest) -> float:
    """For how long things go wrong."""
    given: float | None = request.config.getoption("seconds")
    if given is not None:
        return given
    return LONG if request.config.getoption("chaos") else SHORT


@pytest.fixture
def chaos_seed(request: pytest.FixtureRequest) -> int:
    """Which things go wrong; another choice in each long run, so that many runs see more than one."""
    given: int | None = request.config.getoption("seed")
    if given is not None:
        return given
    return secrets.randbits(32) if request.config.getoption("chaos") else 1


@pytest.fixture
def chaos_protocol(request: pytest.FixtureRequest) -> str:
    """How the groups' members are kept together: ``classic``, or ``consumer`` (KIP-848)."""
    given: str = request.config.getoption("protocol")
    return given
