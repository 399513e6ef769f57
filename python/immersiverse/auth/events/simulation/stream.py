"""The stream of events that a simulated world tells."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Final

from immersiverse.auth.events.simulation.attacks import attackers
from immersiverse.auth.events.simulation.lives import signups
from immersiverse.auth.events.simulation.operators import operators
from immersiverse.auth.events.simulation.places import REGIONS
from immersiverse.auth.events.simulation.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from immersiverse.auth.events.v1.events_pb2 import AuthEvent

DEFAULT_START: Final = datetime(2025, 6, 2, 7, tzinfo=UTC)
"""When the world begins unless told otherwise: a Monday morning."""


def simulate(seed: int, events: int, *, start: datetime = DEFAULT_START) -> Iterator[AuthEvent]:
    """What happens in a world of its own: the same events, ids and times included, for the same arguments.

    The world begins without users. They sign up, come back at the hours of the day where they live, mistype,
    link platforms, are locked out, leave; others guess their passwords. Every event satisfies the contract.
    Times and ids increase strictly, and so do the versions of each user.

    Args:
        seed: which world.
        events: how many events of it; the first ones are the same however many are asked for.
        start: when the world begins, an aware datetime.

    Returns:
        The events in the order in which they happen, made as they are asked for.
    """
    world = World(seed, start)
    for region in REGIONS:
        world.begin(signups(world, region))
    world.begin(attackers(world))
    world.begin(operators(world))
    return islice(world.run(), events)
