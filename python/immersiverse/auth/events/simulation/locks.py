"""How accounts are locked, and what opens them again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from immersiverse.auth.events.simulation.accounts import ACTIVE, LOCKED, SYSTEM, set_status
from immersiverse.auth.events.v1.events_pb2 import (
    AccountLocked,
    AccountLockReason,
    AccountUnlocked,
    AccountUnlockReason,
)

if TYPE_CHECKING:
    from google.protobuf.timestamp_pb2 import Timestamp

    from immersiverse.auth.events.simulation.people import User
    from immersiverse.auth.events.simulation.world import Process, World

LOCKED_FOR: Final = 1_800
"""How long failed logins lock an account, in seconds."""


def lock_for_a_while(world: World, user: User, until: Timestamp) -> None:
    """Lock an account after too many failures; it opens by itself."""
    user.locked_until = until
    _lock(world, user, AccountLockReason.ACCOUNT_LOCK_REASON_FAILED_LOGINS)
    world.begin(_expire(world, user, until))


def lock(world: World, user: User, reason: AccountLockReason.ValueType) -> None:
    """Lock an account until its user does something."""
    user.locked_until = None
    _lock(world, user, reason)


def unlock(world: World, user: User, reason: AccountUnlockReason.ValueType) -> None:
    """Open a locked account."""
    user.locked_until = None
    actor = SYSTEM if reason == AccountUnlockReason.ACCOUNT_UNLOCK_REASON_EXPIRED else None
    set_status(world, user, ACTIVE, actor)
    at = world.moment()
    world.tell(at, AccountUnlocked(user_id=user.user_id, reason=reason, unlocked_at=at), user, actor)


def _lock(world: World, user: User, reason: AccountLockReason.ValueType) -> None:
    set_status(world, user, LOCKED, SYSTEM)
    at = world.moment()
    payload = AccountLocked(user_id=user.user_id, reason=reason, locked_at=at, locked_until=user.locked_until)
    world.tell(at, payload, user, SYSTEM)


def _expire(world: World, user: User, until: Timestamp) -> Process:
    yield LOCKED_FOR
    if not user.gone and user.status == LOCKED and user.locked_until is until:
        unlock(world, user, AccountUnlockReason.ACCOUNT_UNLOCK_REASON_EXPIRED)
