"""The people who run the service, and what they decide about users who misbehave."""

from __future__ import annotations

from typing import TYPE_CHECKING

from immersiverse.auth.events.simulation.accounts import (
    ACTIVE,
    SUSPENDED,
    delete,
    set_status,
)
from immersiverse.auth.events.simulation.sessions import revoke_all
from immersiverse.auth.events.v1.events_pb2 import (
    Actor,
    ActorKind,
    BlacklistAdded,
    BlacklistReason,
    BlacklistSubjectKind,
    LogoutReason,
    UserDeletionReason,
)

if TYPE_CHECKING:
    from immersiverse.auth.events.simulation.people import User
    from immersiverse.auth.events.simulation.world import Process, World

_PER_DAY = 4


def operators(world: World) -> Process:
    """Somebody is reported now and then, for ever."""
    while True:
        yield 3_600 + world.random.expovariate(_PER_DAY / 86_400)
        user = world.random.choice(world.users) if world.users else None
        if user and not user.gone and user.status == ACTIVE:
            world.begin(_judge(world, user))


def _judge(world: World, user: User) -> Process:
    """Suspend, think it over, then forgive or delete."""
    random = world.random
    operator = Actor(kind=ActorKind.ACTOR_KIND_ADMINISTRATOR, id=f"operator-{random.randint(1, 9)}")
    set_status(world, user, SUSPENDED, operator)
    revoke_all(world, user, LogoutReason.LOGOUT_REASON_ADMINISTRATOR, operator)
    yield 3_600 + random.expovariate(1 / 86_400)
    if user.gone:
        return
    if world.chance(0.5):
        set_status(world, user, ACTIVE, operator)
        return
    _refuse(world, user, operator)
    delete(world, user, UserDeletionReason.USER_DELETION_REASON_TERMS_VIOLATION, operator)


def _refuse(world: World, user: User, operator: Actor) -> None:
    at = world.moment()
    payload = BlacklistAdded(
        subject_kind=BlacklistSubjectKind.BLACKLIST_SUBJECT_KIND_USER,
        subject=user.user_id,
        user_id=user.user_id,
        reason=BlacklistReason.BLACKLIST_REASON_ABUSE,
        added_at=at,
    )
    world.tell(at, payload, user, operator)
