"""Where people and attackers connect from: addresses that belong to nobody, and the names of their clients.

Source: RFC 5737 and RFC 3849, the addresses reserved for documentation.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from random import Random


@dataclass(frozen=True, slots=True)
class Country:
    """Where somebody is, and what is spoken there.

    Attributes:
        code: of ISO 3166-1, two letters.
        locale: a BCP 47 tag.
    """

    code: str
    locale: str


@dataclass(frozen=True, slots=True)
class Region:
    """A part of the world.

    Attributes:
        network: the beginning of its addresses; an IPv6 prefix ends with a colon.
        utc_offset: hours that its clocks are ahead of UTC.
        erasure: whether the law there gives a right to erasure.
        signups_per_day: how many people join from there.
        countries: those that it consists of.
    """

    network: str
    utc_offset: int
    erasure: bool
    signups_per_day: float
    countries: tuple[Country, ...]


@dataclass(frozen=True, slots=True)
class Connection:
    """Where somebody connects from.

    Attributes:
        address: the IP address.
        user_agent: the client's name for itself.
        country: the code of the address' country; empty if not known.
        device: tells devices apart.
    """

    address: str
    user_agent: str
    country: str
    device: int


_KOREA, _JAPAN = Country("KR", "ko-KR"), Country("JP", "ja-JP")
_GERMANY, _FRANCE = Country("DE", "de-DE"), Country("FR", "fr-FR")
_USA, _CANADA = Country("US", "en-US"), Country("CA", "en-CA")

REGIONS: Final = (
    Region("192.0.2.", 9, erasure=False, signups_per_day=260, countries=(_KOREA, _JAPAN)),
    Region("2001:db8:", 2, erasure=True, signups_per_day=220, countries=(_GERMANY, _FRANCE)),
    Region("198.51.100.", -5, erasure=False, signups_per_day=180, countries=(_USA, _CANADA)),
)

COUNTRIES: Final = tuple(country for region in REGIONS for country in region.countries)

_ATTACK_NETWORK = "203.0.113."

_CLIENTS = (
    "ImmersiVerse/4.2 (Windows 11; x64)",
    "ImmersiVerse/4.2 (macOS 15; arm64)",
    "ImmersiVerse/4.1 (Headset; Android 14)",
    "ImmersiVerse/4.2 (Phone; Android 15)",
    "ImmersiVerse/4.2 (Phone; iOS 18)",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:139.0) Gecko/20100101 Firefox/139.0",
    "Mozilla/5.0 (X11; Linux x86_64; rv:139.0) Gecko/20100101 Firefox/139.0",
)
_ATTACK_TOOLS = ("curl/8.7.1", "Go-http-client/2.0", "Mozilla/5.0 (compatible)")


def connection_in(random: Random, region: Region, country: Country) -> Connection:
    """The connection of a new device in a region."""
    return Connection(
        _address_in(random, region), random.choice(_CLIENTS), country.code, random.getrandbits(32)
    )


def abroad(random: Random, connection: Connection, home: Region) -> Connection:
    """The same device in another region."""
    region = random.choice([region for region in REGIONS if region is not home])
    return replace(
        connection, address=_address_in(random, region), country=random.choice(region.countries).code
    )


def attacker(random: Random) -> Connection:
    """An attacker's connection, from nobody knows where."""
    address = f"{_ATTACK_NETWORK}{random.randint(1, 254)}"
    return Connection(address, random.choice(_ATTACK_TOOLS), "", random.getrandbits(32))


def network_of(address: str) -> str:
    """The network of an attacker's address, in CIDR notation."""
    return f"{address.rpartition('.')[0]}.0/24"


def _address_in(random: Random, region: Region) -> str:
    if region.network.endswith(":"):
        return f"{region.network}{random.randint(1, 0xFFFF):x}::{random.randint(1, 0xFFFF):x}"
    return f"{region.network}{random.randint(1, 254)}"
