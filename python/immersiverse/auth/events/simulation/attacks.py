"""Attackers, and how the service answers: it counts, detects, refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.duration_pb2 import Duration

from immersiverse.auth.events.simulation.accounts import ACTIVE, SYSTEM
from immersiverse.auth.events.simulation.logins import CLOSED, WRONG_PASSWORD, fail, succeed, suspect
from immersiverse.auth.events.simulation.moments import seconds_after
from immersiverse.auth.events.simulation.passwords import request_reset_of_nobody
from immersiverse.auth.events.simulation.places import Connection, attacker, network_of
from immersiverse.auth.events.v1.events_pb2 import (
    AuthenticationMethod,
    BlacklistAdded,
    BlacklistReason,
    BlacklistSubjectKind,
    BruteForceDetected,
    BruteForceScope,
    LoginFailed,
    LoginFailureReason,
    SuspiciousSignal,
)

if TYPE_CHECKING:
    from immersiverse.auth.events.simulation.people import User
    from immersiverse.auth.events.simulation.world import Process, World

_PER_DAY = 6
_WINDOW = Duration(seconds=300)
_THRESHOLD = 10
_REFUSED_FOR = 24 * 3_600
_ON_ONE_ADDRESS = BruteForceScope.BRUTE_FORCE_SCOPE_IP_ADDRESS
_ON_ONE_ACCOUNT = BruteForceScope.BRUTE_FORCE_SCOPE_ACCOUNT
_ON_BOTH = BruteForceScope.BRUTE_FORCE_SCOPE_ACCOUNT_AND_IP_ADDRESS
_STOLEN = (
    SuspiciousSignal.SUSPICIOUS_SIGNAL_NEW_LOCATION,
    SuspiciousSignal.SUSPICIOUS_SIGNAL_BAD_REPUTATION,
    SuspiciousSignal.SUSPICIOUS_SIGNAL_LEAKED_CREDENTIALS,
    SuspiciousSignal.SUSPICIOUS_SIGNAL_AUTOMATION,
)


def attackers(world: World) -> Process:
    """Somebody attacks now and then, for ever."""
    kinds = (_guess_a_password, _try_stolen_passwords, _guess_from_everywhere)
    yield 3_600 + world.random.random() * 3_600
    while True:
        kind = world.random.choices(kinds, (5, 4, 1))[0]
        world.begin(kind(world))
        yield 1_800 + world.random.expovariate(_PER_DAY / 86_400)


def _guess_a_password(world: World) -> Process:
    """One address, one account."""
    random, origin = world.random, attacker(world.random)
    victim = _victim(world)
    if victim is None:
        return
    for attempt in range(1, _THRESHOLD + random.randint(3, 12)):
        yield random.expovariate(1)
        if victim.gone:
            return
        fail(world, victim, _reason(victim), origin)
        if attempt == _THRESHOLD:
            _detect(world, _ON_BOTH, victim, origin)
    _refuse(world, BlacklistSubjectKind.BLACKLIST_SUBJECT_KIND_IP_ADDRESS, origin.address)
    yield from _knock(world, origin)


def _guess_from_everywhere(world: World) -> Process:
    """Many addresses, one account: nothing to refuse, so the account stays locked for a while."""
    random, victim = world.random, _victim(world)
    if victim is None:
        return
    for attempt in range(1, _THRESHOLD + random.randint(1, 10)):
        yield 1 + random.expovariate(0.2)
        if victim.gone:
            return
        fail(world, victim, _reason(victim), attacker(random))
        if attempt == _THRESHOLD:
            _detect(world, _ON_ONE_ACCOUNT, victim, None)


def _try_stolen_passwords(world: World) -> Process:
    """One address, many accounts, most of which do not exist here."""
    random, origin = world.random, attacker(world.random)
    for attempt in range(1, 2 * _THRESHOLD + random.randint(5, 25)):
        yield random.expovariate(3)
        victim = _victim(world) if world.chance(0.3) else None
        if victim and victim.status == ACTIVE and world.chance(0.08):
            login = succeed(world, victim, origin)
            suspect(world, victim, login, _STOLEN, 0.85 + random.random() * 0.15)
        elif victim:
            fail(world, victim, _reason(victim), origin)
        else:
            _fail_without_account(world, LoginFailureReason.LOGIN_FAILURE_REASON_UNKNOWN_ACCOUNT, origin)
        if attempt == _THRESHOLD:
            _detect(world, _ON_ONE_ADDRESS, None, origin)
    for _ in range(random.randint(0, 3)):
        yield random.expovariate(2)
        request_reset_of_nobody(world, origin)
    for _ in range(random.randint(2, 6)):
        yield random.expovariate(2)
        _fail_without_account(world, LoginFailureReason.LOGIN_FAILURE_REASON_RATE_LIMITED, origin)
    _refuse(world, BlacklistSubjectKind.BLACKLIST_SUBJECT_KIND_NETWORK, network_of(origin.address))
    yield from _knock(world, origin)


def _knock(world: World, origin: Connection) -> Process:
    """A few more attempts, until they see that they are refused."""
    for _ in range(world.random.randint(1, 5)):
        yield world.random.expovariate(0.5)
        _fail_without_account(world, LoginFailureReason.LOGIN_FAILURE_REASON_BLACKLISTED, origin)


def _victim(world: World) -> User | None:
    """Somebody with a password, if chance finds them."""
    for _ in range(8):
        user = world.random.choice(world.users) if world.users else None
        if user and not user.gone and user.has_password:
            return user
    return None


def _reason(victim: User) -> LoginFailureReason.ValueType:
    return CLOSED.get(victim.status, WRONG_PASSWORD)


def _fail_without_account(world: World, reason: LoginFailureReason.ValueType, origin: Connection) -> None:
    at = world.moment()
    payload = LoginFailed(
        attempted_identifier_hash=f"{world.random.getrandbits(256):064x}",
        ip_address=origin.address,
        user_agent=origin.user_agent,
        failed_at=at,
        reason=reason,
        method=AuthenticationMethod.AUTHENTICATION_METHOD_PASSWORD,
    )
    world.tell(at, payload)


def _detect(
    world: World, scope: BruteForceScope.ValueType, victim: User | None, origin: Connection | None
) -> None:
    at = world.moment()
    payload = BruteForceDetected(
        scope=scope,
        user_id=victim.user_id if victim else "",
        ip_address=origin.address if origin else "",
        attempts=_THRESHOLD,
        window=_WINDOW,
        detected_at=at,
    )
    world.tell(at, payload, victim, SYSTEM)


def _refuse(world: World, kind: BlacklistSubjectKind.ValueType, subject: str) -> None:
    at = world.moment()
    payload = BlacklistAdded(
        subject_kind=kind,
        subject=subject,
        reason=BlacklistReason.BLACKLIST_REASON_BRUTE_FORCE,
        added_at=at,
        expires_at=seconds_after(at, _REFUSED_FOR),
    )
    world.tell(at, payload, None, SYSTEM)
