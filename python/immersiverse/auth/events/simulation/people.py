"""Simulated users: who they are, where they connect from, and when they are active.

Addresses are reserved for documentation (RFC 5737, RFC 3849), the mail domain for examples (RFC 2606).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple
from uuid import UUID

from immersiverse.auth.events.v1 import events_pb2 as v1

if TYPE_CHECKING:
    from random import Random

    from google.protobuf.timestamp_pb2 import Timestamp

PLATFORMS: Final = ("steam", "discord", "google", "apple", "twitch", "epic")
ATTACK_NETWORK: Final = "203.0.113.0/24"

_METHODS = {
    v1.AUTHENTICATION_METHOD_PASSWORD: 58,
    v1.AUTHENTICATION_METHOD_PLATFORM: 24,
    v1.AUTHENTICATION_METHOD_PASSKEY: 11,
    v1.AUTHENTICATION_METHOD_MAGIC_LINK: 4,
    v1.AUTHENTICATION_METHOD_SINGLE_SIGN_ON: 3,
}
_ADJECTIVES = ("amber", "brave", "calm", "eager", "fuzzy", "gentle", "happy", "jolly", "keen", "quiet")
_ANIMALS = ("badger", "crane", "dolphin", "eagle", "gecko", "heron", "koala", "lynx", "otter", "raven")
_CLIENTS = (
    "ImmersiVerse/4.2 (Windows 11; x64)",
    "ImmersiVerse/4.1 (Headset; Android 14)",
    "ImmersiVerse/4.2 (Phone; iOS 18)",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:139.0) Gecko/20100101 Firefox/139.0",
)
_ATTACK_TOOLS = ("curl/8.7.1", "Go-http-client/2.0", "Mozilla/5.0 (compatible)")
# How active each hour of a local day is, from midnight: quiet nights, long evenings. The mean is 1.
_ACTIVITY = (
    *(0.4, 0.2, 0.1, 0.1, 0.1, 0.2, 0.4, 0.8, 1.0, 1.0, 0.9, 1.0),
    *(1.4, 1.2, 1.0, 1.0, 1.1, 1.4, 1.7, 2.0, 2.2, 2.1, 1.7, 1.0),
)


class Region(NamedTuple):
    """A part of the world: how its addresses begin, and whether its law gives a right to erasure."""

    network: str
    utc_offset: int
    erasure: bool
    signups_per_day: float
    locales: tuple[str, ...]


REGIONS: Final = (
    Region("192.0.2.", 9, erasure=False, signups_per_day=260, locales=("ko-KR", "ja-JP")),
    Region("2001:db8:", 2, erasure=True, signups_per_day=220, locales=("de-DE", "fr-FR")),
    Region("198.51.100.", -5, erasure=False, signups_per_day=180, locales=("en-US", "en-CA")),
)


class Connection(NamedTuple):
    """Where a login comes from. `country` is empty if it is not known; `device` tells devices apart."""

    address: str
    user_agent: str
    country: str
    device: int


@dataclass(slots=True)
class User:
    """A user, and the state of the account.

    `error_rate` is how often the first proof is wrong, from 0 to 1; `failures` counts failed logins in a row;
    `factors` has the credential of each additional factor, `platforms` the linked account of each platform,
    `sessions` the address and the beginning of each open session.
    """

    user_id: str
    username: str
    email: str
    region: Region
    locale: str
    connections: list[Connection]
    method: int
    platform: str
    visits_per_day: float
    error_rate: float
    email_verified: bool
    version: int = 0
    locked: bool = False
    locked_until: Timestamp | None = None
    failures: int = 0
    factors: dict[int, str] = field(default_factory=dict)
    devices: set[int] = field(default_factory=set)
    consents: list[str] = field(default_factory=list)
    sessions: dict[str, tuple[str, Timestamp]] = field(default_factory=dict)
    platforms: dict[str, str] = field(default_factory=dict)
    deleted: bool = False

    @property
    def has_password(self) -> bool:
        """Whether they log in with a password."""
        return self.method == v1.AUTHENTICATION_METHOD_PASSWORD


def new_user(random: Random, region: Region) -> User:
    """A user of a region, before anything has happened to the account."""
    (method,) = random.choices([*_METHODS], [*_METHODS.values()])
    by_platform = method == v1.AUTHENTICATION_METHOD_PLATFORM
    username, locale = new_username(random), random.choice(region.locales)
    return User(
        user_id=new_token(random),
        username=username,
        email="" if by_platform else email_of(username),
        region=region,
        locale=locale,
        connections=[connection_from(random, region, locale) for _ in range(random.randint(1, 3))],
        method=method,
        platform=random.choice(PLATFORMS) if by_platform else "",
        visits_per_day=0.3 + random.expovariate(0.6),
        error_rate=0.03 + random.random() * 0.12,
        email_verified=by_platform,
    )


def new_username(random: Random) -> str:
    """A name of no real person."""
    return f"{random.choice(_ADJECTIVES)}_{random.choice(_ANIMALS)}{random.randint(1, 9999)}"


def email_of(username: str) -> str:
    """An address that no mail reaches."""
    return f"{username}@example.com"


def connection_from(random: Random, region: Region, locale: str) -> Connection:
    """A new device in a region, in the country of a locale."""
    if region.network.endswith(":"):
        address = f"{region.network}{random.randint(1, 0xFFFF):x}::{random.randint(1, 0xFFFF):x}"
    else:
        address = f"{region.network}{random.randint(1, 254)}"
    country = locale.rpartition("-")[2]
    return Connection(address, random.choice(_CLIENTS), country, random.getrandbits(32))


def attacker_connection(random: Random) -> Connection:
    """Where an attacker connects from."""
    address = ATTACK_NETWORK.replace("0/24", str(random.randint(1, 254)))
    return Connection(address, random.choice(_ATTACK_TOOLS), "", random.getrandbits(32))


def seconds_until_active(random: Random, now: float, per_day: float, region: Region) -> float:
    """Seconds until the next of so many activities a day, which follow a region's local time.

    An inhomogeneous Poisson process by thinning: candidates come at the rate of the busiest hour, and each
    counts with the share of that rate that its own hour has. `now` is in seconds since 1970.
    """
    busiest = max(_ACTIVITY)
    wait = 0.0
    while True:
        wait += random.expovariate(per_day * busiest / 86_400)
        hour = int((now + wait) / 3_600 + region.utc_offset) % 24
        if random.random() * busiest < _ACTIVITY[hour]:
            return wait


def new_token(random: Random) -> str:
    """A random identifier: a UUIDv4 (RFC 9562)."""
    return str(UUID(int=random.getrandbits(128), version=4))
