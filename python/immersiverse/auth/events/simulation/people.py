"""The users of a simulated world."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from immersiverse.auth.events.simulation.places import Connection, Country, Region, connection_in
from immersiverse.auth.events.v1.events_pb2 import AccountStatus, AuthenticationMethod

if TYPE_CHECKING:
    from random import Random

    from google.protobuf.timestamp_pb2 import Timestamp

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


@dataclass(frozen=True, slots=True)
class Session:
    """A session that goes on.

    Attributes:
        connection: where it began.
        began_at: when.
    """

    connection: Connection
    began_at: Timestamp


@dataclass(slots=True)
class User:
    """Somebody with an account, and the account.

    Attributes:
        user_id: identifies them.
        username: what they call themselves.
        email: their address; empty if they gave none.
        region: where they live.
        country: where in it.
        locale: the language that they chose; empty if none.
        connections: where they usually connect from; never empty.
        method: how they log in.
        platform: the platform whose account they log in with; empty for another method.
        visits_per_day: how often they come.
        clumsiness: how often a proof of theirs is wrong, from 0 to 1.
        version: of the last event about them.
        status: what the account may do.
        verified: whether the address is confirmed, or there is none.
        failures: logins that failed in a row.
        locked_until: when the lock ends by itself, if it does.
        factors: what is asked for beyond the method, and the credential of each, in the order in which
            they were added.
        devices: those that they logged in from.
        consents: the purposes that they agreed to.
        sessions: those that go on, in the order in which they began.
        platforms: linked accounts by platform.
        gone: whether the account was deleted.
    """

    user_id: str
    username: str
    email: str
    region: Region
    country: Country
    locale: str
    connections: list[Connection]
    method: AuthenticationMethod.ValueType
    platform: str
    visits_per_day: float
    clumsiness: float
    version: int = 0
    status: AccountStatus.ValueType = AccountStatus.ACCOUNT_STATUS_ACTIVE
    verified: bool = True
    failures: int = 0
    locked_until: Timestamp | None = None
    factors: dict[AuthenticationMethod.ValueType, str] = field(default_factory=dict)
    devices: set[int] = field(default_factory=set)
    consents: list[str] = field(default_factory=list)
    sessions: dict[str, Session] = field(default_factory=dict)
    platforms: dict[str, str] = field(default_factory=dict)
    gone: bool = False

    @property
    def has_password(self) -> bool:
        """Whether they log in with a password."""
        return self.method == AuthenticationMethod.AUTHENTICATION_METHOD_PASSWORD

    def next_version(self) -> int:
        """The version of another event about them."""
        self.version += 1
        return self.version


def somebody(world: World, region: Region) -> User:
    """A new user of a region."""
    random = world.random
    method = random.choices(_METHODS, _METHOD_WEIGHTS)[0]
    by_platform = method == AuthenticationMethod.AUTHENTICATION_METHOD_PLATFORM
    name = new_username(random)
    country = random.choice(region.countries)
    email = "" if by_platform and world.chance(0.5) else email_of(name)
    return User(
        user_id=world.token(),
        username=name,
        email=email,
        region=region,
        country=country,
        locale=country.locale if world.chance(0.8) else "",
        connections=[connection_in(random, region, country) for _ in range(random.randint(1, 3))],
        method=method,
        platform=random.choice(PLATFORMS) if by_platform else "",
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
