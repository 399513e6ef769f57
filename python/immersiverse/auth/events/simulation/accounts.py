"""What happens to an account: logins, sessions, locks, passwords and its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from immersiverse.auth.events.simulation.people import new_token
from immersiverse.auth.events.v1 import events_pb2 as v1

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from immersiverse.auth.events.simulation.people import Connection, User
    from immersiverse.auth.events.simulation.world import Process, World

SYSTEM: Final = v1.Actor(kind=v1.ACTOR_KIND_SYSTEM, id="login-protection")

_FAILURES_UNTIL_LOCKED = 5
_LOCK_SECONDS = 1_800
_RESET_LINK_SECONDS = 3_600
_BLOCKED_RISK = 0.8  # a login that is riskier ends the sessions and locks the account
# How sessions end: how often in a hundred, the least seconds until then, and how many more on average.
_ENDINGS = {
    v1.LOGOUT_REASON_USER_REQUEST: (70, 120, 2_400),
    v1.LOGOUT_REASON_EXPIRED: (27, 12 * 3_600, 1_800),
    v1.LOGOUT_REASON_ENDED_ELSEWHERE: (3, 600, 10_000),
}


def log_in(world: World, user: User, connection: Connection) -> Generator[float, None, v1.AuthEvent | None]:
    """The owner tries until it works, gives up, or sets a new password; the login, if one succeeded."""
    while reason := _refusal(world, user):
        fail_login(world, user, reason, connection)
        if reason == v1.LOGIN_FAILURE_REASON_PASSWORD_EXPIRED:
            change_password(world, user, v1.PASSWORD_CHANGE_REASON_EXPIRED, connection)
        gives_up = user.locked or world.chance(0.2)
        if gives_up and user.has_password:
            return (yield from _reset_password(world, user, connection))
        if gives_up:
            return None
        yield 4 + world.random.expovariate(0.1)
        if user.deleted:
            return None
    return succeed_login(world, user, connection)


def fail_login(world: World, user: User, reason: int, connection: Connection) -> None:
    """Refuse a login; too many failures in a row lock the account for a while."""
    user.failures += 1
    locks = user.failures >= _FAILURES_UNTIL_LOCKED and not user.locked
    if locks:
        user.locked_until = world.time_in(_LOCK_SECONDS)
    world.emit(
        v1.LoginFailed,
        user,
        reason=v1.LOGIN_FAILURE_REASON_ACCOUNT_LOCKED if user.locked else reason,
        consecutive_failures=user.failures,
        locked_until=user.locked_until,
        **_circumstances(user, connection),
    )
    if locks:
        _lock(world, user, v1.ACCOUNT_LOCK_REASON_FAILED_LOGINS)
        world.start(_unlock_later(world, user))


def succeed_login(world: World, user: User, connection: Connection) -> v1.AuthEvent:
    """Open a session, which ends by itself later."""
    user.failures = 0
    session_id = new_token(world.random)
    login = world.emit(
        v1.LoginSucceeded,
        user,
        session_id=session_id,
        additional_factors=tuple(user.factors)[:1],
        new_device=connection.device not in user.devices,
        **_circumstances(user, connection),
    )
    user.sessions[session_id] = connection.address, login.timestamp
    user.devices.add(connection.device)
    world.start(_end_later(world, user, session_id))
    return login


def flag_login(world: World, user: User, login: v1.AuthEvent, signals: Sequence[int], risk: float) -> None:
    """Report a login as suspicious; if the risk is high, end all sessions and lock the account."""
    succeeded = login.login_succeeded
    world.emit(
        v1.SuspiciousLogin,
        user,
        login_event_id=login.event_id,
        session_id=succeeded.session_id,
        ip_address=succeeded.ip_address,
        user_agent=succeeded.user_agent,
        signals=signals,
        risk_score=round(risk, 3),
    )
    if risk > _BLOCKED_RISK:
        revoke_sessions(world, user, v1.LOGOUT_REASON_SECURITY)
        _lock(world, user, v1.ACCOUNT_LOCK_REASON_SUSPICIOUS_ACTIVITY)


def change_password(
    world: World, user: User, reason: int, connection: Connection, session_id: str = ""
) -> None:
    """Set a new password; all sessions end but the one that asked for it, if any."""
    address = connection.address
    world.emit(v1.PasswordChanged, user, reason=reason, ip_address=address, session_id=session_id)
    revoke_sessions(world, user, v1.LOGOUT_REASON_PASSWORD_CHANGED, keep=session_id)


def revoke_sessions(world: World, user: User, reason: int, *, keep: str = "") -> None:
    """End all sessions from outside, or all but one."""
    ending = [session_id for session_id in user.sessions if session_id != keep]
    if not ending:
        return
    listed = ending if keep else []  # an empty list stands for all sessions
    world.emit(v1.SessionRevoked, user, session_ids=listed, reason=reason)
    for session_id in listed:
        _end_session(world, user, session_id, reason)
    if not keep:
        end_all_sessions(world, user, reason)


def end_all_sessions(world: World, user: User, reason: int) -> None:
    """End all sessions with one event, if any is open."""
    if user.sessions:
        user.sessions.clear()
        world.emit(v1.LoggedOut, user, reason=reason)


def _lock(world: World, user: User, reason: int) -> None:
    user.locked = True
    world.emit(v1.AccountLocked, user, SYSTEM, reason=reason, locked_until=user.locked_until)


def _unlock(world: World, user: User, reason: int, actor: v1.Actor | None = None) -> None:
    user.locked, user.locked_until, user.failures = False, None, 0
    world.emit(v1.AccountUnlocked, user, actor, reason=reason)


def _unlock_later(world: World, user: User) -> Process:
    until = user.locked_until
    yield _LOCK_SECONDS + 1
    if user.locked and user.locked_until is until and not user.deleted:
        _unlock(world, user, v1.ACCOUNT_UNLOCK_REASON_EXPIRED, SYSTEM)


def _circumstances(user: User, connection: Connection) -> dict[str, Any]:
    """What every login says about itself, whether it succeeds or fails."""
    return {
        "ip_address": connection.address,
        "user_agent": connection.user_agent,
        "country_code": connection.country,
        "method": user.method,
        "platform": user.platform,
    }


def _refusal(world: World, user: User) -> int:
    """Why the owner is refused this time; 0 if not."""
    if user.locked:
        return v1.LOGIN_FAILURE_REASON_ACCOUNT_LOCKED
    return next((reason for reason, probability in _mistakes(user) if world.chance(probability)), 0)


def _mistakes(user: User) -> Iterator[tuple[int, float]]:
    if not user.email_verified:
        yield v1.LOGIN_FAILURE_REASON_EMAIL_NOT_VERIFIED, 0.15
    if user.platform:
        yield v1.LOGIN_FAILURE_REASON_PROVIDER_ERROR, 0.015
    if user.has_password:
        yield v1.LOGIN_FAILURE_REASON_INVALID_CREDENTIALS, user.error_rate + 0.05 * user.failures
        yield v1.LOGIN_FAILURE_REASON_PASSWORD_EXPIRED, 0.005
    if user.factors:
        yield v1.LOGIN_FAILURE_REASON_ADDITIONAL_FACTOR_FAILED, 0.06


def _reset_password(
    world: World, user: User, connection: Connection
) -> Generator[float, None, v1.AuthEvent | None]:
    """Ask for a link, follow it, and log in with the new password."""
    expires = world.time_in(_RESET_LINK_SECONDS)
    world.emit(v1.PasswordResetRequested, user, ip_address=connection.address, expires_at=expires)
    yield 20 + world.random.expovariate(1 / 120)
    if user.deleted:
        return None
    change_password(world, user, v1.PASSWORD_CHANGE_REASON_RESET, connection)
    if user.locked:
        _unlock(world, user, v1.ACCOUNT_UNLOCK_REASON_PASSWORD_RESET)
    return succeed_login(world, user, connection)


def _end_later(world: World, user: User, session_id: str) -> Process:
    (reason,) = world.random.choices([*_ENDINGS], [often for often, _, _ in _ENDINGS.values()])
    _, least, more = _ENDINGS[reason]
    yield least + world.random.expovariate(1 / more)
    _end_session(world, user, session_id, reason)


def _end_session(world: World, user: User, session_id: str, reason: int) -> None:
    """End a session, unless it has ended already."""
    if session_id in user.sessions:
        address, began_at = user.sessions.pop(session_id)
        fields = {"reason": reason, "ip_address": address, "session_began_at": began_at}
        world.emit(v1.LoggedOut, user, session_id=session_id, **fields)
