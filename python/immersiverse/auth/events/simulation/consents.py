"""What users allow to be done with their data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from immersiverse.auth.events.simulation.moments import seconds_after
from immersiverse.auth.events.v1.events_pb2 import ConsentGranted, ConsentWithdrawn

if TYPE_CHECKING:
    from immersiverse.auth.events.simulation.people import User
    from immersiverse.auth.events.simulation.world import World

# What for, how likely somebody agrees, and for how long in seconds; 0 for as long as they like.
_PURPOSES = (
    ("marketing-email", 0.25, 0),
    ("personalised-worlds", 0.2, 0),
    ("voice-analysis", 0.1, 365 * 86_400),
)
_TEXT_VERSION = "2025-05"


def answer_the_questions(world: World, user: User) -> None:
    """Agree to some of what a new user is asked for."""
    for purpose, likelihood, seconds in _PURPOSES:
        if world.chance(likelihood):
            _grant(world, user, purpose, seconds)


def withdraw(world: World, user: User) -> None:
    """Take back what was agreed to last."""
    purpose = user.consents.pop()
    at = world.moment()
    world.tell(at, ConsentWithdrawn(user_id=user.user_id, purpose=purpose, withdrawn_at=at), user)


def _grant(world: World, user: User, purpose: str, seconds: int) -> None:
    user.consents.append(purpose)
    at = world.moment()
    payload = ConsentGranted(
        user_id=user.user_id,
        purpose=purpose,
        text_version=_TEXT_VERSION,
        granted_at=at,
        expires_at=seconds_after(at, seconds) if seconds else None,
    )
    world.tell(at, payload, user)
