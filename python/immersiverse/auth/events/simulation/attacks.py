"""Attacks, and how the service answers them: it counts, detects and refuses.

The processes here are started with the `Attack` that labels their events.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.duration_pb2 import Duration

from immersiverse.auth.events.simulation.accounts import SYSTEM, fail_login, flag_login, succeed_login
from immersiverse.auth.events.simulation.people import ATTACK_NETWORK, attacker_connection
from immersiverse.auth.events.simulation.world import Attack
from immersiverse.auth.events.v1 import events_pb2 as v1

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from immersiverse.auth.events.simulation.people import Connection, User
    from immersiverse.auth.events.simulation.world import Process, World

_PER_DAY = 6
_WINDOW = Duration(seconds=300)
_THRESHOLD = 10  # failures within the window
_BLACKLIST_SECONDS = 24 * 3_600
_WRONG_PASSWORD = v1.LOGIN_FAILURE_REASON_INVALID_CREDENTIALS
_STOLEN = (
    v1.SUSPICIOUS_SIGNAL_NEW_LOCATION,
    v1.SUSPICIOUS_SIGNAL_BAD_REPUTATION,
    v1.SUSPICIOUS_SIGNAL_LEAKED_CREDENTIALS,
    v1.SUSPICIOUS_SIGNAL_AUTOMATION,
)


def attacks(world: World) -> Process:
    """Attack now and then: in each way once within the first hour, then as chance has it."""
    number, weights = 0, [weight for _, weight in _KINDS.values()]
    while True:
        opening = number < len(_KINDS)
        yield 600 if opening else 1_800 + world.random.expovariate(_PER_DAY / 86_400)
        while (victim := _victim(world)) is None:
            yield 60
        kind = [*_KINDS][number] if opening else world.random.choices([*_KINDS], weights)[0]
        number += 1
        world.start(_KINDS[kind][0](world, victim), Attack(number, kind))


def _brute_force(world: World, victim: User) -> Process:
    """One address guesses the password of one account."""
    origin = attacker_connection(world.random)
    for attempt in range(1, _THRESHOLD + world.random.randint(3, 12)):
        _guess(world, victim, origin, attempt, v1.BRUTE_FORCE_SCOPE_ACCOUNT_AND_IP_ADDRESS)
        yield world.random.expovariate(1)
    yield from _refuse(world, origin, v1.BLACKLIST_SUBJECT_KIND_IP_ADDRESS, origin.address)


def _distributed_brute_force(world: World, victim: User) -> Process:
    """Many addresses guess the password of one account: there is nothing to refuse but the account."""
    for attempt in range(1, _THRESHOLD + world.random.randint(1, 10)):
        _guess(world, victim, attacker_connection(world.random), attempt, v1.BRUTE_FORCE_SCOPE_ACCOUNT)
        yield world.random.expovariate(1 / 6)


def _credential_stuffing(world: World, _: User) -> Process:
    """One address tries stolen passwords on many accounts, most of which do not exist here."""
    random, origin = world.random, attacker_connection(world.random)
    for attempt in range(1, 2 * _THRESHOLD + random.randint(5, 25)):
        yield random.expovariate(3)
        victim = _victim(world) if world.chance(0.3) else None
        if victim is None:
            _fail_unknown(world, v1.LOGIN_FAILURE_REASON_UNKNOWN_ACCOUNT, origin)
        elif not victim.locked and world.chance(0.08):
            _take_over(world, victim, origin)
        else:
            fail_login(world, victim, _WRONG_PASSWORD, origin)
        if attempt == _THRESHOLD:
            _detect(world, None, v1.BRUTE_FORCE_SCOPE_IP_ADDRESS, origin)
    world.emit(v1.PasswordResetRequested, attempted_identifier_hash=_hash(world), ip_address=origin.address)
    _fail_unknown(world, v1.LOGIN_FAILURE_REASON_RATE_LIMITED, origin)
    yield from _refuse(world, origin, v1.BLACKLIST_SUBJECT_KIND_NETWORK, ATTACK_NETWORK)


def _account_takeover(world: World, victim: User) -> Process:
    """Log in with a password that is known, when the account is not locked."""
    while victim.locked:
        yield 60
    if not victim.deleted:
        _take_over(world, victim, attacker_connection(world.random))


# How, and how often in comparison.
_KINDS: Mapping[str, tuple[Callable[[World, User], Process], int]] = {
    "brute-force": (_brute_force, 5),
    "credential-stuffing": (_credential_stuffing, 4),
    "account-takeover": (_account_takeover, 2),
    "distributed-brute-force": (_distributed_brute_force, 1),
}


def _victim(world: World) -> User | None:
    """A user with a password, unless chance finds none."""
    found = world.random.choices(world.users, k=8) if world.users else []
    return next((user for user in found if user.has_password and not user.deleted), None)


def _guess(world: World, victim: User, origin: Connection, attempt: int, scope: int) -> None:
    """Try a wrong password; the attempt that reaches the threshold is detected."""
    if victim.deleted:
        return
    fail_login(world, victim, _WRONG_PASSWORD, origin)
    if attempt == _THRESHOLD:
        _detect(world, victim, scope, origin)


def _detect(world: World, victim: User | None, scope: int, origin: Connection) -> None:
    address = "" if scope == v1.BRUTE_FORCE_SCOPE_ACCOUNT else origin.address
    fields = {"scope": scope, "ip_address": address, "attempts": _THRESHOLD, "window": _WINDOW}
    world.emit(v1.BruteForceDetected, victim, SYSTEM, **fields)


def _take_over(world: World, victim: User, origin: Connection) -> None:
    login = succeed_login(world, victim, origin)
    signals = world.random.sample(_STOLEN, 3)
    flag_login(world, victim, login, signals, 0.85 + world.random.random() * 0.15)


def _refuse(world: World, origin: Connection, kind: int, subject: str) -> Process:
    """Blacklist an attacker, who tries a few more times until it is plain that all are refused."""
    reason, expires = v1.BLACKLIST_REASON_BRUTE_FORCE, world.time_in(_BLACKLIST_SECONDS)
    fields = {"subject_kind": kind, "subject": subject, "reason": reason, "expires_at": expires}
    world.emit(v1.BlacklistAdded, None, SYSTEM, **fields)
    for _ in range(world.random.randint(1, 5)):
        yield world.random.expovariate(0.5)
        _fail_unknown(world, v1.LOGIN_FAILURE_REASON_BLACKLISTED, origin)


def _fail_unknown(world: World, reason: int, origin: Connection) -> None:
    """Refuse a login to an account that does not exist."""
    method = v1.AUTHENTICATION_METHOD_PASSWORD
    fields = {"ip_address": origin.address, "user_agent": origin.user_agent, "method": method}
    world.emit(v1.LoginFailed, attempted_identifier_hash=_hash(world), reason=reason, **fields)


def _hash(world: World) -> str:
    return f"{world.random.getrandbits(256):064x}"
