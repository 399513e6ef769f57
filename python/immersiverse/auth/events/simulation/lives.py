"""What users do with their accounts, from the first day to the last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from immersiverse.auth.events.simulation.accounts import delete, link
from immersiverse.auth.events.simulation.consents import answer_the_questions
from immersiverse.auth.events.simulation.factors import enrol
from immersiverse.auth.events.simulation.logins import log_in, succeed, suspect
from immersiverse.auth.events.simulation.people import User, somebody
from immersiverse.auth.events.simulation.places import Region, abroad, connection_in
from immersiverse.auth.events.simulation.profiles import confirm_address
from immersiverse.auth.events.simulation.rhythm import until_next
from immersiverse.auth.events.simulation.whims import follow_a_whim
from immersiverse.auth.events.v1.events_pb2 import (
    SuspiciousSignal,
    UserCreated,
    UserDeletionReason,
)

if TYPE_CHECKING:
    from immersiverse.auth.events.simulation.world import Process, World
    from immersiverse.auth.events.v1.events_pb2 import AuthEvent

_TRAVEL = 0.02
_NEW_DEVICE = 0.02
_ENROL_AT_ONCE = 0.3
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
        locale=user.locale,
    )
    world.tell(at, payload, user)
    answer_the_questions(world, user)
    if user.platform:
        link(world, user, user.platform)


def _life(world: World, user: User) -> Process:
    random = world.random
    yield 1 + random.expovariate(0.5)
    succeed(world, user, user.connections[0])
    if not user.verified:
        world.begin(_confirm(world, user))
    if user.has_password and world.chance(_ENROL_AT_ONCE):
        enrol(world, user)
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
        confirm_address(world, user)


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
                follow_a_whim(world, user, login.login_succeeded.session_id)


def _log_in_from_abroad(world: World, user: User) -> Process:
    random = world.random
    connection = abroad(random, random.choice(user.connections), user.region)
    login = yield from log_in(world, user, connection)
    if login:
        yield 0.2 + random.random()
        signal = SuspiciousSignal.SUSPICIOUS_SIGNAL_NEW_LOCATION
        _suspect_owner(world, user, login, signal, 0.3 + random.random() * 0.45)


def _log_in_on_new_device(world: World, user: User) -> Process:
    random = world.random
    connection = connection_in(random, user.region, user.country)
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
