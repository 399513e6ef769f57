"""A simulated world that several tests look at."""

from __future__ import annotations

import pytest

from immersiverse.auth.events.simulation import simulate
from immersiverse.auth.events.v1.events_pb2 import AuthEvent


@pytest.fixture(scope="session")
def world() -> list[AuthEvent]:
    """Its first ten thousand events; nobody changes them."""
    return list(simulate(7, 10_000))
