"""One simulated stream for several tests."""

from __future__ import annotations

import pytest

from immersiverse.auth.events.events import payload_of
from immersiverse.auth.events.simulation import SimulatedEvent, simulate_labelled
from immersiverse.auth.events.v1.events_pb2 import AuthEvent


@pytest.fixture(scope="session")
def labelled() -> list[SimulatedEvent]:
    """Its first ten thousand events with their labels; no test changes them."""
    return list(simulate_labelled(7, 10_000))


@pytest.fixture(scope="session")
def events(labelled: list[SimulatedEvent]) -> list[AuthEvent]:
    """The events alone."""
    return [simulated.event for simulated in labelled]


@pytest.fixture(scope="session")
def by_user(events: list[AuthEvent]) -> list[list[AuthEvent]]:
    """The events of each user, in their order."""
    lives: dict[str, list[AuthEvent]] = {}
    for event in events:
        if user_id := getattr(payload_of(event), "user_id", ""):
            lives.setdefault(user_id, []).append(event)
    return list(lives.values())
