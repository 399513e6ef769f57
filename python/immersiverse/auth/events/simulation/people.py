"""The users of a simulated world."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from immersiverse.auth.events.simulation.places import Connection, Region, connection_in
from immersiverse.auth.events.v1.events_pb2 import AccountStatus, AuthenticationMethod

if TYPE_CHECKING:
    from random import Random

    from immersiverse.auth.events.simulation.world import World

PLATFORMS = ("steam", "discord", "google", "apple", "twitch", "epic")

_METHODS = (
    AuthenticationMethod.AUTHENTICATION_METHOD_PASSWORD,
    AuthenticationMethod.AUTHENTICATION_METHOD_PLATFORM,
    AuthenticationMethod.AUTHENTICATION_METHOD_PASSKEY,
    AuthenticationMethod.AUTHENTICATION_METHOD_MAGIC_LINK,
    AuthenticationMethod.AUTHENTICATION_METHOD_SINGLE_SIGN_ON,
)
_METHOD_WEIGHTS = (58, 24, 11, 4, 3)

_QUALITIES = (
    *("amber", "brave", "calm", "daring", "eager", "fuzzy", "gentle", "happy"),
    *("icy", "jolly", "keen", "lucky", "mellow", "nimble", "polite", "quiet"),
)
_ANIMALS = (
    *("badger", "crane", "dolphin", "eagle", "ferret", "gecko", "heron", "ibex"),
    *("jackal", "koala", "lynx", "magpie", "newt", "otter", "panda", "raven"),
)


@dataclass(slots=True)
class User:
    """Somebody with an account, and the account.

    Attributes:
        user_id: identifies them.
        username: what they call themselves.
        email: their address; empty if they gave none.
        region: where they live.
        connections: where they usually connect from; never empty.
        method: how they log in.
        platform: the platform whose account they log in with; empty for another method.
        factors: what is asked for beyond the method.
        visits_per_day: how often they come.
        clumsiness: how often a proof of theirs is wrong, from 0 to 1.
        version: of the last event about them.
        status: what the account may do.
        verified: whether the address is confirmed, or there is none.
        failures: logins that failed in a row.
        sessions: those that go on, in the order in which they began.
        platforms: linked accounts by platform.
        gone: whether the account was deleted.
    """

    user_id: str
    username: str
    email: str
    region: Region
    connections: list[Connection]
    method: AuthenticationMethod.ValueType
    platform: str
    factors: tuple[AuthenticationMethod.ValueType, ...]
    visits_per_day: float
    clumsiness: float
    version: int = 0
    status: AccountStatus.ValueType = AccountStatus.ACCOUNT_STATUS_ACTIVE
    verified: bool = True
    failures: int = 0
    sessions: dict[str, Connection] = field(default_factory=dict)
    platforms: dict[str, str] = field(default_factory=dict)
    gone: bool = False

    def next_version(self) -> int:
        """The version of another event about them."""
        self.version += 1
        return self.version


def somebody(world: World, region: Region) -> User:
    """A new user of a region."""
    random = world.random
    method = random.choices(_METHODS, _METHOD_WEIGHTS)[0]
    by_password = method == AuthenticationMethod.AUTHENTICATION_METHOD_PASSWORD
    by_platform = method == AuthenticationMethod.AUTHENTICATION_METHOD_PLATFORM
    name = new_username(random)
    email = "" if by_platform and world.chance(0.5) else email_of(name)
    return User(
        user_id=world.token(),
        username=name,
        email=email,
        region=region,
        connections=[connection_in(random, region) for _ in range(random.randint(1, 3))],
        method=method,
        platform=random.choice(PLATFORMS) if by_platform else "",
        factors=_factors(world) if by_password else (),
        visits_per_day=0.3 + random.expovariate(0.6),
        clumsiness=0.03 + random.random() * 0.12,
        verified=not email,
    )


def new_username(random: Random) -> str:
    """A name that says nothing about anybody."""
    return f"{random.choice(_QUALITIES)}_{random.choice(_ANIMALS)}{random.randint(1, 9999)}"


def email_of(username: str) -> str:
    """An address that reaches nobody (RFC 2606)."""
    return f"{username}@example.com"


def _factors(world: World) -> tuple[AuthenticationMethod.ValueType, ...]:
    if world.chance(0.75):
        return ()
    app = AuthenticationMethod.AUTHENTICATION_METHOD_TOTP
    text_message = AuthenticationMethod.AUTHENTICATION_METHOD_SMS_CODE
    return (app if world.chance(0.7) else text_message,)
