"""How sessions end, one by one or all at once, and by whose will."""

from __future__ import annotations

from typing import TYPE_CHECKING

from immersiverse.auth.events.v1.events_pb2 import LoggedOut, LogoutReason, SessionRevoked

if TYPE_CHECKING:
    from immersiverse.auth.events.simulation.people import User
    from immersiverse.auth.events.simulation.world import World
    from immersiverse.auth.events.v1.events_pb2 import Actor


def log_out(
    world: World, user: User, session_id: str, reason: LogoutReason.ValueType, actor: Actor | None = None
) -> None:
    """End a session, if it has not ended yet."""
    session = user.sessions.pop(session_id, None)
    if session is None:
        return
    by_user = reason == LogoutReason.LOGOUT_REASON_USER_REQUEST
    at = world.moment()
    payload = LoggedOut(
        user_id=user.user_id,
        session_id=session_id,
        logged_out_at=at,
        reason=reason,
        ip_address=session.connection.address if by_user else "",
        session_began_at=session.began_at,
    )
    world.tell(at, payload, user, actor)


def log_out_everywhere(
    world: World, user: User, reason: LogoutReason.ValueType, actor: Actor | None = None
) -> None:
    """End all sessions of a user at once, if there are any."""
    if not user.sessions:
        return
    user.sessions.clear()
    at = world.moment()
    world.tell(at, LoggedOut(user_id=user.user_id, logged_out_at=at, reason=reason), user, actor)


def revoke(
    world: World,
    user: User,
    session_ids: list[str],
    reason: LogoutReason.ValueType,
    actor: Actor | None = None,
) -> None:
    """End some sessions from outside, if they have not ended yet."""
    ended = [session_id for session_id in session_ids if session_id in user.sessions]
    if ended:
        _say_revoked(world, user, ended, reason, actor)
    for session_id in ended:
        log_out(world, user, session_id, reason, actor)


def revoke_all(world: World, user: User, reason: LogoutReason.ValueType, actor: Actor | None = None) -> None:
    """End all sessions of a user from outside, if there are any."""
    if user.sessions:
        _say_revoked(world, user, [], reason, actor)
    log_out_everywhere(world, user, reason, actor)


def _say_revoked(
    world: World, user: User, session_ids: list[str], reason: LogoutReason.ValueType, actor: Actor | None
) -> None:
    at = world.moment()
    payload = SessionRevoked(user_id=user.user_id, session_ids=session_ids, revoked_at=at, reason=reason)
    world.tell(at, payload, user, actor)
