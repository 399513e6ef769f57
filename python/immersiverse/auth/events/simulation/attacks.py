"""Attacks, and how the service answers them: it counts, detects and refuses.

The processes here are started with the `Attack` that labels their events.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.protobuf.duration_pb2 import Duration

from immersiverse.auth.events.simulation.people import ATTACK_NETWORK, attacker_connection
from immersiverse.auth.events.simulation.sessions import SYSTEM, fail_login, flag_login, succeed_login
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
    number, kinds, weights = 0, [*_KINDS], [weight for _, weight in _KINDS.values()]
    while True:
        opening = number < len(kinds)
        yield 600 if opening else 1_800 + world.random.expovariate(_PER_DAY / 86_400)
        while _victim(world) is None:
            yield 60
        kind = kinds[number] if opening else world.random.choices(kinds, weights)[0]
        number += 1
        world.start(_KINDS[kind][0](world), Attack(number, kind))


def _brute_force(world: World) -> Process:
    """One address guesses the password of one account."""
    origin = attacker_connection(world.random)
    scope, attempts = v1.BRUTE_FORCE_SCOPE_ACCOUNT_AND_IP_ADDRESS, _THRESHOLD + world.random.randint(2, 11)
    yield from _guess(world, attempts, 1, lambda: origin, scope=scope, ip_address=origin.address)
    _blacklist(world, v1.BLACKLIST_SUBJECT_KIND_IP_ADDRESS, origin.address)
    yield from _meet_blacklist(world, origin)


def _distributed_brute_force(world: World) -> Process:
    """Many addresses guess the password of one account: there is nothing to refuse but the account."""
    scope, attempts = v1.BRUTE_FORCE_SCOPE_ACCOUNT, _THRESHOLD + world.random.randint(0, 9)
    yield from _guess(world, attempts, 6, lambda: attacker_connection(world.random), scope=scope)


def _guess(
    world: World, attempts: int, pause: float, connect: Callable[[], Connection], **detected: Any
) -> Process:
    victim = _victim(world)
    for attempt in range(1, attempts + 1):
        if victim is None or victim.deleted:
            return
        fail_login(world, victim, _WRONG_PASSWORD, connect())
        if attempt == _THRESHOLD:
            world.emit(v1.BruteForceDetected, victim, SYSTEM, attempts=attempt, window=_WINDOW, **detected)
        yield world.random.expovariate(1 / pause)


def _credential_stuffing(world: World) -> Process:
    """One address tries stolen passwords on many accounts, most of which do not exist here."""
    random, origin = world.random, attacker_connection(world.random)
    for attempt in range(1, 2 * _THRESHOLD + random.randint(5, 25)):
        yield random.expovariate(3)
        victim = _victim(world) if world.chance(0.3) else None
        if victim is None:
            _fail_unknown(world, v1.LOGIN_FAILURE_REASON_UNKNOWN_ACCOUNT, origin)
        elif victim.is_active and world.chance(0.08):
            _take_over(world, victim, origin)
        else:
            fail_login(world, victim, _WRONG_PASSWORD, origin)
        if attempt == _THRESHOLD:
            scope, address = v1.BRUTE_FORCE_SCOPE_IP_ADDRESS, origin.address
            detected = {"scope": scope, "ip_address": address, "attempts": attempt, "window": _WINDOW}
            world.emit(v1.BruteForceDetected, None, SYSTEM, **detected)
    world.emit(v1.PasswordResetRequested, attempted_identifier_hash=_hash(world), ip_address=origin.address)
    for _ in range(random.randint(2, 6)):
        yield random.expovariate(2)
        _fail_unknown(world, v1.LOGIN_FAILURE_REASON_RATE_LIMITED, origin)
    _blacklist(world, v1.BLACKLIST_SUBJECT_KIND_NETWORK, ATTACK_NETWORK)
    yield from _meet_blacklist(world, origin)


def _account_takeover(world: World) -> Process:
    """Log in with a password that is known."""
    victim = _victim(world)
    while victim is None or not victim.is_active:
        yield 60
        victim = _victim(world)
    _take_over(world, victim, attacker_connection(world.random))


# How, and how often in comparison.
_KINDS: Mapping[str, tuple[Callable[[World], Process], int]] = {
    "brute-force": (_brute_force, 5),
    "credential-stuffing": (_credential_stuffing, 4),
    "account-takeover": (_account_takeover, 2),
    "distributed-brute-force": (_distributed_brute_force, 1),
}


def _take_over(world: World, victim: User, origin: Connection) -> None:
    login = succeed_login(world, victim, origin)
    signals = world.random.sample(_STOLEN, 3)
    flag_login(world, victim, login, signals, 0.85 + world.random.random() * 0.15)


def _meet_blacklist(world: World, origin: Connection) -> Process:
    """A few more attempts, until the attacker sees that all are refused."""
    for _ in range(world.random.randint(1, 5)):
        yield world.random.expovariate(0.5)
        _fail_unknown(world, v1.LOGIN_FAILURE_REASON_BLACKLISTED, origin)


def _victim(world: World) -> User | None:
    """A user with a password, unless chance finds none."""
    found = world.random.choices(world.users, k=8) if world.users else []
    return next((user for user in found if user.has_password and not user.deleted), None)


def _hash(world: World) -> str:
    return f"{world.random.getrandbits(256):064x}"


def _fail_unknown(world: World, reason: int, origin: Connection) -> None:
    """Refuse a login to an account that does not exist."""
    method = v1.AUTHENTICATION_METHOD_PASSWORD
    fields = {"ip_address": origin.address, "user_agent": origin.user_agent, "method": method}
    world.emit(v1.LoginFailed, attempted_identifier_hash=_hash(world), reason=reason, **fields)


def _blacklist(world: World, kind: int, subject: str) -> None:
    reason, expires = v1.BLACKLIST_REASON_BRUTE_FORCE, world.time_in(_BLACKLIST_SECONDS)
    fields = {"subject_kind": kind, "subject": subject, "reason": reason, "expires_at": expires}
    world.emit(v1.BlacklistAdded, None, SYSTEM, **fields)
