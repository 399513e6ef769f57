"""Logins: how they fail, how they succeed, how sessions end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from immersiverse.auth.events.simulation.accounts import (
    ACTIVE,
    LOCKED,
    SUSPENDED,
    SYSTEM,
)
from immersiverse.auth.events.simulation.locks import LOCKED_FOR, lock, lock_for_a_while, unlock
from immersiverse.auth.events.simulation.moments import seconds_after
from immersiverse.auth.events.simulation.passwords import change_password, request_reset
from immersiverse.auth.events.simulation.people import Session
from immersiverse.auth.events.simulation.sessions import log_out, revoke
from immersiverse.auth.events.v1.events_pb2 import (
    AccountLockReason,
    AccountUnlockReason,
    AuthenticationMethod,
    LoginFailed,
    LoginFailureReason,
    LoginSucceeded,
    LogoutReason,
    PasswordChangeReason,
    SuspiciousLogin,
    SuspiciousSignal,
)

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from immersiverse.auth.events.simulation.people import User
    from immersiverse.auth.events.simulation.places import Connection
    from immersiverse.auth.events.simulation.world import Process, World
    from immersiverse.auth.events.v1.events_pb2 import AuthEvent

FAILURES_UNTIL_LOCKED = 5

_EXPIRED: Final = LoginFailureReason.LOGIN_FAILURE_REASON_PASSWORD_EXPIRED
WRONG_PASSWORD: Final = LoginFailureReason.LOGIN_FAILURE_REASON_INVALID_CREDENTIALS

CLOSED: Final = {
    LOCKED: LoginFailureReason.LOGIN_FAILURE_REASON_ACCOUNT_LOCKED,
    SUSPENDED: LoginFailureReason.LOGIN_FAILURE_REASON_ACCOUNT_SUSPENDED,
}
"""Why nobody logs in to an account, by its status."""

# How sessions end: why, the least seconds until then, and how many more on average.
_ENDINGS = (
    (LogoutReason.LOGOUT_REASON_USER_REQUEST, 120, 2_400),
    (LogoutReason.LOGOUT_REASON_EXPIRED, 12 * 3_600, 1_800),
    (LogoutReason.LOGOUT_REASON_ENDED_ELSEWHERE, 600, 10_000),
)
_ENDING_WEIGHTS = (70, 27, 3)
_RISK_OF_INTRUSION = 0.8
_LEAKED: Final = AccountLockReason.ACCOUNT_LOCK_REASON_LEAKED_CREDENTIALS
_SUSPICIOUS: Final = AccountLockReason.ACCOUNT_LOCK_REASON_SUSPICIOUS_ACTIVITY


def fail(world: World, user: User, reason: LoginFailureReason.ValueType, connection: Connection) -> None:
    """Refuse a login; too many wrong proofs in a row lock the account."""
    user.failures += 1
    at = world.moment()
    locks = user.failures >= FAILURES_UNTIL_LOCKED and user.status == ACTIVE
    until = seconds_after(at, LOCKED_FOR) if locks else user.locked_until
    payload = LoginFailed(
        user_id=user.user_id,
        ip_address=connection.address,
        user_agent=connection.user_agent,
        failed_at=at,
        reason=reason,
        method=user.method,
        consecutive_failures=user.failures,
        platform=user.platform,
        country_code=connection.country,
        locked_until=until,
    )
    world.tell(at, payload, user)
    if locks and until:
        lock_for_a_while(world, user, until)


def succeed(world: World, user: User, connection: Connection) -> AuthEvent:
    """Begin a session; it ends by itself, later."""
    user.failures = 0
    session = world.token()
    at = world.moment()
    user.sessions[session] = Session(connection, at)
    payload = LoginSucceeded(
        user_id=user.user_id,
        ip_address=connection.address,
        user_agent=connection.user_agent,
        login_time=at,
        method=user.method,
        session_id=session,
        additional_factors=tuple(user.factors)[:1],
        platform=user.platform,
        country_code=connection.country,
        new_device=connection.device not in user.devices,
    )
    user.devices.add(connection.device)
    world.begin(_session(world, user, session))
    return world.tell(at, payload, user)


def suspect(
    world: World, user: User, login: AuthEvent, signals: Sequence[SuspiciousSignal.ValueType], risk: float
) -> None:
    """Say that a login looks wrong; if it very much does, end its session and lock the account."""
    succeeded = login.login_succeeded
    at = world.moment()
    payload = SuspiciousLogin(
        user_id=user.user_id,
        login_event_id=login.event_id,
        session_id=succeeded.session_id,
        ip_address=succeeded.ip_address,
        user_agent=succeeded.user_agent,
        detected_at=at,
        signals=signals,
        risk_score=round(risk, 3),
    )
    world.tell(at, payload, user)
    if risk > _RISK_OF_INTRUSION:
        revoke(world, user, [succeeded.session_id], LogoutReason.LOGOUT_REASON_SECURITY, SYSTEM)
        leaked = SuspiciousSignal.SUSPICIOUS_SIGNAL_LEAKED_CREDENTIALS in signals
        lock(world, user, _LEAKED if leaked else _SUSPICIOUS)


def log_in(world: World, user: User, connection: Connection) -> Generator[float, None, AuthEvent | None]:
    """Try until it works or is given up; the login that succeeded, if one did."""
    random = world.random
    while reason := _refusal(world, user):
        fail(world, user, reason, connection)
        if reason == _EXPIRED:
            change_password(world, user, PasswordChangeReason.PASSWORD_CHANGE_REASON_EXPIRED, connection)
        if user.status == SUSPENDED:
            return None
        if user.status == LOCKED or world.chance(0.2):
            forgot = user.has_password and (user.status == LOCKED or reason == WRONG_PASSWORD)
            return (yield from _recover(world, user, connection)) if forgot else None
        yield 4 + random.expovariate(0.1)
        if user.gone:
            return None
    return succeed(world, user, connection)


def _refusal(world: World, user: User) -> LoginFailureReason.ValueType | None:
    """Why the account's owner is refused this time, if so."""
    if user.status in CLOSED:
        return CLOSED[user.status]
    return next((reason for reason, probability in _odds(user) if world.chance(probability)), None)


def _odds(user: User) -> Iterator[tuple[LoginFailureReason.ValueType, float]]:
    if not user.verified:
        yield LoginFailureReason.LOGIN_FAILURE_REASON_EMAIL_NOT_VERIFIED, 0.15
    if user.method == AuthenticationMethod.AUTHENTICATION_METHOD_PLATFORM:
        yield LoginFailureReason.LOGIN_FAILURE_REASON_PROVIDER_ERROR, 0.015
    if user.has_password:
        yield WRONG_PASSWORD, user.clumsiness + 0.05 * user.failures
        yield _EXPIRED, 0.005
    if user.factors:
        yield LoginFailureReason.LOGIN_FAILURE_REASON_ADDITIONAL_FACTOR_FAILED, 0.06


def _recover(world: World, user: User, connection: Connection) -> Generator[float, None, AuthEvent | None]:
    """Choose a new password, sooner or later; whoever else was logged in is not any more."""
    random = world.random
    yield 60 + random.expovariate(1 / 600)
    if not _may_recover(user):
        return None
    request_reset(world, user, connection)
    yield 20 + random.expovariate(1 / 120)
    if not _may_recover(user):
        return None
    change_password(world, user, PasswordChangeReason.PASSWORD_CHANGE_REASON_RESET, connection)
    if user.status == LOCKED:
        unlock(world, user, AccountUnlockReason.ACCOUNT_UNLOCK_REASON_PASSWORD_RESET)
    yield 2 + random.expovariate(0.2)
    return succeed(world, user, connection) if _may_log_in(user) else None


def _may_recover(user: User) -> bool:
    return not user.gone and user.status != SUSPENDED


def _may_log_in(user: User) -> bool:
    return not user.gone and user.status == ACTIVE


def _session(world: World, user: User, session: str) -> Process:
    reason, least, more = world.random.choices(_ENDINGS, _ENDING_WEIGHTS)[0]
    yield least + world.random.expovariate(1 / more)
    log_out(world, user, session, reason)
