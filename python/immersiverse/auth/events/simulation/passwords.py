"""How passwords are forgotten and changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from immersiverse.auth.events.simulation.moments import seconds_after
from immersiverse.auth.events.simulation.sessions import revoke, revoke_all
from immersiverse.auth.events.v1.events_pb2 import (
    LogoutReason,
    PasswordChanged,
    PasswordChangeReason,
    PasswordResetRequested,
)

if TYPE_CHECKING:
    from immersiverse.auth.events.simulation.people import User
    from immersiverse.auth.events.simulation.places import Connection
    from immersiverse.auth.events.simulation.world import World

_LINK_IS_GOOD_FOR = 3_600
_CHANGED: Final = LogoutReason.LOGOUT_REASON_PASSWORD_CHANGED


def request_reset(world: World, user: User, connection: Connection) -> None:
    """Ask for a way to choose a new password; it is sent by mail."""
    at = world.moment()
    payload = PasswordResetRequested(
        user_id=user.user_id,
        ip_address=connection.address,
        requested_at=at,
        expires_at=seconds_after(at, _LINK_IS_GOOD_FOR),
    )
    world.tell(at, payload, user)


def request_reset_of_nobody(world: World, connection: Connection) -> None:
    """Ask the same for an account that does not exist; nothing is sent."""
    at = world.moment()
    payload = PasswordResetRequested(
        attempted_identifier_hash=f"{world.random.getrandbits(256):064x}",
        ip_address=connection.address,
        requested_at=at,
    )
    world.tell(at, payload)


def change_password(
    world: World, user: User, reason: PasswordChangeReason.ValueType, connection: Connection
) -> None:
    """Choose a new password without being logged in; whoever is logged in is not any more."""
    _say_changed(world, user, reason, connection)
    revoke_all(world, user, _CHANGED)


def change_password_within(world: World, user: User, session_id: str) -> None:
    """Choose a new password within a session; the other sessions end."""
    reason = PasswordChangeReason.PASSWORD_CHANGE_REASON_USER_REQUEST
    _say_changed(world, user, reason, user.sessions[session_id].connection, session_id)
    revoke(world, user, [other for other in user.sessions if other != session_id], _CHANGED)


def _say_changed(
    world: World,
    user: User,
    reason: PasswordChangeReason.ValueType,
    connection: Connection,
    session_id: str = "",
) -> None:
    at = world.moment()
    payload = PasswordChanged(
        user_id=user.user_id,
        changed_at=at,
        reason=reason,
        ip_address=connection.address,
        session_id=session_id,
    )
    world.tell(at, payload, user)
