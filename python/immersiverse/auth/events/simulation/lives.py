"""What users do with their accounts, from the first day to the last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.field_mask_pb2 import FieldMask

from immersiverse.auth.events.simulation.accounts import delete, link, unlink
from immersiverse.auth.events.simulation.logins import log_in, succeed, suspect
from immersiverse.auth.events.simulation.people import PLATFORMS, User, email_of, new_username, somebody
from immersiverse.auth.events.simulation.places import REGIONS, Region, connection_in
from immersiverse.auth.events.simulation.rhythm import until_next
from immersiverse.auth.events.v1.events_pb2 import (
    DisconnectReason,
    SuspiciousSignal,
    UserCreated,
    UserDeletionReason,
    UserUpdated,
)

if TYPE_CHECKING:
    from immersiverse.auth.events.simulation.world import Process, World
    from immersiverse.auth.events.v1.events_pb2 import AuthEvent

_TRAVEL = 0.02
_NEW_DEVICE = 0.02
_LINK, _UNLINK, _RENAME, _LEAVE = 0.12, 0.06, 0.02, 0.008
_REGRET = 0.03


def signups(world: World, region: Region) -> Process:
    """People of a region join, for ever."""
    while True:
        yield until_next(world.random, world.seconds, region.signups_per_day, region.utc_offset)
        user = somebody(world, region)
        world.users.append(user)
        _sign_up(world, user)
        world.begin(_life(world, user))


def _sign_up(world: World, user: User) -> None:
    at = world.moment()
    payload = UserCreated(
        user_id=user.user_id,
        username=user.username,
        email=user.email,
        created_at=at,
        method=user.method,
        platform=user.platform,
    )
    world.tell(at, payload, user)
    if user.platform:
        link(world, user, user.platform)


def _life(world: World, user: User) -> Process:
    random = world.random
    yield 1 + random.expovariate(0.5)
    succeed(world, user, user.connections[0])
    if not user.verified:
        world.begin(_confirm(world, user))
    if world.chance(_REGRET):
        yield 300 + random.expovariate(1 / 1_800)
        delete(world, user, UserDeletionReason.USER_DELETION_REASON_USER_REQUEST)
    while not user.gone:
        yield until_next(random, world.seconds, user.visits_per_day, user.region.utc_offset)
        if not user.gone:
            yield from _visit(world, user)


def _confirm(world: World, user: User) -> Process:
    """Follow the link in the mail, most of the time within minutes."""
    yield 30 + world.random.expovariate(1 / 1_200)
    if not user.gone:
        user.verified = True
        _update(world, user, email_verified=True)


def _visit(world: World, user: User) -> Process:
    random = world.random
    chance = random.random()
    if chance < _TRAVEL:
        yield from _log_in_from_abroad(world, user)
    elif chance < _TRAVEL + _NEW_DEVICE:
        yield from _log_in_on_new_device(world, user)
    else:
        login = yield from log_in(world, user, random.choice(user.connections))
        if login:
            yield 5 + random.expovariate(1 / 60)
            if not user.gone:
                _follow_a_whim(world, user)


def _log_in_from_abroad(world: World, user: User) -> Process:
    random = world.random
    abroad = random.choice([region for region in REGIONS if region is not user.region])
    login = yield from log_in(world, user, connection_in(random, abroad))
    if login:
        yield 0.2 + random.random()
        signal = SuspiciousSignal.SUSPICIOUS_SIGNAL_NEW_LOCATION
        _suspect_owner(world, user, login, signal, 0.3 + random.random() * 0.45)


def _log_in_on_new_device(world: World, user: User) -> Process:
    random = world.random
    connection = connection_in(random, user.region)
    login = yield from log_in(world, user, connection)
    if login:
        user.connections.append(connection)
        yield 0.2 + random.random()
        signal = SuspiciousSignal.SUSPICIOUS_SIGNAL_NEW_DEVICE
        _suspect_owner(world, user, login, signal, 0.1 + random.random() * 0.4)


def _suspect_owner(
    world: World, user: User, login: AuthEvent, signal: SuspiciousSignal.ValueType, risk: float
) -> None:
    if not user.gone:
        suspect(world, user, login, [signal], risk)


def _follow_a_whim(world: World, user: User) -> None:
    """What people do once they are logged in, seldom."""
    random = world.random
    unlinked = [platform for platform in PLATFORMS if platform not in user.platforms]
    # What they log in with stays linked, else they could not come back.
    loose = [platform for platform in user.platforms if platform != user.platform]
    chance = random.random()
    if chance < _LEAVE:
        delete(world, user, UserDeletionReason.USER_DELETION_REASON_USER_REQUEST)
    elif chance < _LEAVE + _RENAME:
        _rename(world, user)
    elif chance < _LEAVE + _RENAME + _LINK and unlinked:
        link(world, user, random.choice(unlinked))
    elif chance > 1 - _UNLINK * len(loose):
        unlink(world, user, random.choice(loose), DisconnectReason.DISCONNECT_REASON_USER_REQUEST)


def _rename(world: World, user: User) -> None:
    if world.chance(0.5) or not user.email:
        user.username = new_username(world.random)
        _update(world, user, username=user.username)
    else:
        user.email = email_of(new_username(world.random))
        _update(world, user, email=user.email, email_verified=True)


def _update(world: World, user: User, **changes: str | bool) -> None:
    at = world.moment()
    payload = UserUpdated(
        user_id=user.user_id,
        changed_fields=FieldMask(paths=list(changes)),
        updated_at=at,
        **changes,  # type: ignore[arg-type]  # names and values of the message's own fields
    )
    world.tell(at, payload, user)
