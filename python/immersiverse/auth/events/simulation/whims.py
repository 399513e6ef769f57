"""What people do once they are logged in, seldom."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from immersiverse.auth.events.simulation.accounts import delete, link, unlink
from immersiverse.auth.events.simulation.consents import withdraw
from immersiverse.auth.events.simulation.factors import enrol, remove
from immersiverse.auth.events.simulation.passwords import change_password_within
from immersiverse.auth.events.simulation.people import PLATFORMS
from immersiverse.auth.events.simulation.profiles import change_something
from immersiverse.auth.events.v1.events_pb2 import DisconnectReason, UserDeletionReason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from immersiverse.auth.events.simulation.people import User
    from immersiverse.auth.events.simulation.world import World

_LEAVE, _CHANGE_SOMETHING, _CHANGE_PASSWORD = 0.008, 0.025, 0.02
_ENROL, _REMOVE, _WITHDRAW = 0.02, 0.08, 0.03
_LINK, _UNLINK = 0.12, 0.06


def follow_a_whim(world: World, user: User, session_id: str) -> None:
    """Do one of these things, or most of the time nothing."""
    chance = world.random.random()
    for likelihood, whim in _whims(user, session_id):
        chance -= likelihood
        if chance < 0:
            whim(world, user)
            return


def _whims(user: User, session_id: str) -> Iterator[tuple[float, Callable[[World, User], None]]]:
    """How likely, and what."""
    yield _LEAVE, _leave
    yield _CHANGE_SOMETHING, change_something
    if user.has_password and session_id in user.sessions:
        yield _CHANGE_PASSWORD, partial(change_password_within, session_id=session_id)
    if user.has_password:
        yield _ENROL, enrol
    if user.factors:
        yield _REMOVE, remove
    if user.consents:
        yield _WITHDRAW, withdraw
    if len(user.platforms) < len(PLATFORMS):
        yield _LINK, _link_another
    if loose := _loose(user):
        yield _UNLINK * len(loose), _unlink_one


def _leave(world: World, user: User) -> None:
    delete(world, user, UserDeletionReason.USER_DELETION_REASON_USER_REQUEST)


def _link_another(world: World, user: User) -> None:
    unlinked = [platform for platform in PLATFORMS if platform not in user.platforms]
    link(world, user, world.random.choice(unlinked))


def _unlink_one(world: World, user: User) -> None:
    reason = DisconnectReason.DISCONNECT_REASON_USER_REQUEST
    unlink(world, user, world.random.choice(_loose(user)), reason)


def _loose(user: User) -> list[str]:
    # What they log in with stays linked, else they could not come back.
    return [platform for platform in user.platforms if platform != user.platform]
