"""What users do and how often, from the first sign-up on."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Final

from google.protobuf.field_mask_pb2 import FieldMask

from immersiverse.auth.events.simulation import people
from immersiverse.auth.events.simulation.accounts import (
    change_password,
    end_all_sessions,
    fail_login,
    flag_login,
    log_in,
    succeed_login,
)
from immersiverse.auth.events.simulation.attacks import attacks
from immersiverse.auth.events.simulation.people import PLATFORMS, REGIONS
from immersiverse.auth.events.simulation.world import SimulatedEvent, World
from immersiverse.auth.events.v1 import events_pb2 as v1

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from immersiverse.auth.events.simulation.people import Region, User
    from immersiverse.auth.events.simulation.world import Process

DEFAULT_START: Final = datetime(2025, 6, 2, 7, tzinfo=UTC)
"""When a stream begins unless another time is given: a Monday morning."""

_TRAVEL, _NEW_DEVICE = 0.02, 0.02  # of visits
_FACTORS = (v1.AUTHENTICATION_METHOD_TOTP, v1.AUTHENTICATION_METHOD_SMS_CODE)
# What new users are asked to agree to, how many do, and for how many days; 0 until they withdraw.
_CONSENTS = (("marketing-email", 0.25, 0), ("personalised-worlds", 0.2, 0), ("voice-analysis", 0.1, 365))


def simulate(seed: int, events: int, *, start: datetime = DEFAULT_START) -> Iterator[v1.AuthEvent]:
    """A stream of events: the same ones, ids and times included, for the same arguments.

    It begins without users. A failed login is among the first twenty events, every type of the contract among
    the first few hundred. Every event satisfies the contract; times and ids increase strictly, and so do the
    versions of each user.

    Args:
        seed: which stream.
        events: how many of its events; the first ones are the same however many are asked for.
        start: when it begins, an aware datetime.

    Returns:
        The events in the order in which they happen, made as they are asked for.
    """
    return (simulated.event for simulated in simulate_labelled(seed, events, start=start))


def simulate_labelled(seed: int, events: int, *, start: datetime = DEFAULT_START) -> Iterator[SimulatedEvent]:
    """The same stream, each event with the attack that it belongs to, if any."""
    world = World(seed, start)
    for region in REGIONS:
        world.start(_signups(world, region))
    world.start(_opening(world))
    world.start(attacks(world))
    return islice(world.run(), events)


def _opening(world: World) -> Process:
    """What is rare happens once in the first hour, so that a short stream has every type of event."""
    while not (users := [user for user in world.users if user.sessions]):
        yield 5
    fail_login(world, users[0], v1.LOGIN_FAILURE_REASON_INVALID_CREDENTIALS, users[0].connections[0])
    for _, applies, act in _RARE:
        yield 60 + world.random.expovariate(1 / 120)
        while not (users := [user for user in world.users if not user.deleted and applies(user)]):
            yield 60
        act(world, world.random.choice(users))


def _signups(world: World, region: Region) -> Process:
    while True:
        yield people.seconds_until_active(world.random, world.seconds, region.signups_per_day, region)
        user = people.new_user(world.random, region)
        world.users.append(user)
        about = {"method": user.method, "platform": user.platform, "locale": user.locale}
        world.emit(v1.UserCreated, user, username=user.username, email=user.email, **about)
        _ask_for_consent(world, user)
        if user.platform:
            _link(world, user, user.platform)
        world.start(_life(world, user))


def _life(world: World, user: User) -> Process:
    yield 1 + world.random.expovariate(0.5)
    succeed_login(world, user, user.connections[0])
    if not user.email_verified:
        world.start(_verify_email(world, user))
    if user.has_password and world.chance(0.3):
        _enrol(world, user)
    while not user.deleted:
        yield people.seconds_until_active(world.random, world.seconds, user.visits_per_day, user.region)
        if not user.deleted:
            yield from _visit(world, user)


def _verify_email(world: World, user: User) -> Process:
    """Follow the link in the mail, most of the time within minutes."""
    yield 30 + world.random.expovariate(1 / 1_200)
    if not user.deleted:
        user.email_verified = True
        world.emit(v1.EmailVerified, user, email=user.email)
        _update(world, user, email_verified=True)


def _visit(world: World, user: User) -> Process:
    """Log in, sometimes from elsewhere or with a new device, and do one of the rare things at most."""
    random = world.random
    connection, signal, risk, chance = random.choice(user.connections), 0, random.random(), random.random()
    if chance < _TRAVEL:
        region = random.choice([region for region in REGIONS if region is not user.region])
        elsewhere = people.connection_from(random, region, region.locales[0])
        connection = connection._replace(address=elsewhere.address, country=elsewhere.country)
        signal, risk = v1.SUSPICIOUS_SIGNAL_NEW_LOCATION, 0.3 + risk * 0.45
    elif chance < _TRAVEL + _NEW_DEVICE:
        connection = people.connection_from(random, user.region, user.locale)
        signal, risk = v1.SUSPICIOUS_SIGNAL_NEW_DEVICE, 0.1 + risk * 0.4
    login = yield from log_in(world, user, connection)
    if login is None:
        return
    if signal:
        flag_login(world, user, login, [signal], risk)
    yield 5 + random.expovariate(1 / 60)
    for probability, applies, act in _RARE:
        if not user.deleted and applies(user) and world.chance(probability):
            act(world, user)
            return


def _leave(world: World, user: User) -> None:
    """Delete a user; sessions and links end before."""
    end_all_sessions(world, user, v1.LOGOUT_REASON_ACCOUNT_CLOSED)
    for platform in tuple(user.platforms):
        _unlink(world, user, platform, v1.DISCONNECT_REASON_ACCOUNT_CLOSED)
    user.deleted = True
    reason = v1.USER_DELETION_REASON_USER_REQUEST
    world.emit(v1.UserDeleted, user, reason=reason, erasure_required=user.region.erasure)


def _change_profile(world: World, user: User) -> None:
    """Change the name, or the address if there is one."""
    name = people.new_username(world.random)
    if world.chance(0.5) or not user.email:
        _update(world, user, username=name)
    else:
        user.email, user.email_verified = people.email_of(name), True
        world.emit(v1.EmailVerified, user, email=user.email)
        _update(world, user, email=user.email, email_verified=True)


def _update(world: World, user: User, **changes: str | bool) -> None:
    world.emit(v1.UserUpdated, user, changed_fields=FieldMask(paths=[*changes]), **changes)


def _change_password(world: World, user: User) -> None:
    """Change it while logged in: the latest session goes on."""
    asking, reason = next(reversed(user.sessions)), v1.PASSWORD_CHANGE_REASON_USER_REQUEST
    change_password(world, user, reason, user.connections[0], asking)


def _enrol(world: World, user: User) -> None:
    method = next(factor for factor in _FACTORS if factor not in user.factors)
    user.factors[method] = people.new_token(world.random)
    world.emit(v1.MfaEnrolled, user, method=method, credential_id=user.factors[method])


def _remove_factor(world: World, user: User) -> None:
    method, credential = user.factors.popitem()
    last = not user.factors
    world.emit(v1.MfaRemoved, user, method=method, credential_id=credential, was_last=last)


def _ask_for_consent(world: World, user: User) -> None:
    for purpose, share, days in _CONSENTS:
        if purpose not in user.consents and world.chance(share):
            user.consents.append(purpose)
            until = world.time_in(days * 86_400) if days else None
            world.emit(v1.ConsentGranted, user, purpose=purpose, text_version="2025-05", expires_at=until)


def _withdraw_consent(world: World, user: User) -> None:
    world.emit(v1.ConsentWithdrawn, user, purpose=user.consents.pop())


def _link_another(world: World, user: User) -> None:
    _link(world, user, world.random.choice([p for p in PLATFORMS if p not in user.platforms]))


def _link(world: World, user: User, platform: str) -> None:
    account = f"{platform}-{world.random.getrandbits(40):011x}"
    user.platforms[platform] = account
    scopes = ["identity"] if world.chance(0.6) else ["identity", "friends"]
    world.emit(v1.PlatformConnected, user, platform=platform, platform_user_id=account, scopes=scopes)


def _unlink_one(world: World, user: User) -> None:
    _unlink(world, user, world.random.choice(_unlinkable(user)), v1.DISCONNECT_REASON_USER_REQUEST)


def _unlink(world: World, user: User, platform: str, reason: int) -> None:
    account = user.platforms.pop(platform)
    world.emit(v1.PlatformDisconnected, user, platform=platform, platform_user_id=account, reason=reason)


def _unlinkable(user: User) -> list[str]:
    """All platforms but the one that they log in with."""
    return [platform for platform in user.platforms if platform != user.platform]


# What users do during one of many visits: how likely, whether they can, and what.
_RARE: Final[tuple[tuple[float, Callable[[User], object], Callable[[World, User], None]], ...]] = (
    (0.12, lambda user: len(user.platforms) < len(PLATFORMS), _link_another),
    (0.06, _unlinkable, _unlink_one),
    (0.03, lambda user: user.consents, _withdraw_consent),
    (0.05, lambda user: len(user.consents) < len(_CONSENTS), _ask_for_consent),
    (0.02, lambda user: user.has_password and len(user.factors) < len(_FACTORS), _enrol),
    (0.08, lambda user: user.factors, _remove_factor),
    (0.02, lambda user: user.has_password and user.sessions, _change_password),
    (0.025, lambda _: True, _change_profile),
    (0.008, lambda user: not user.locked, _leave),
)
