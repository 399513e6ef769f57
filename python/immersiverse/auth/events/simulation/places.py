"""Where people and attackers connect from: addresses that belong to nobody, and the names of their clients.

Source: RFC 5737 and RFC 3849, the addresses reserved for documentation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from random import Random


@dataclass(frozen=True, slots=True)
class Region:
    """A part of the world.

    Attributes:
        network: the beginning of its addresses; an IPv6 prefix ends with a colon.
        utc_offset: hours that its clocks are ahead of UTC.
        erasure: whether the law there gives a right to erasure.
        signups_per_day: how many people join from there.
    """

    network: str
    utc_offset: int
    erasure: bool
    signups_per_day: float


@dataclass(frozen=True, slots=True)
class Connection:
    """Where somebody connects from.

    Attributes:
        address: the IP address.
        user_agent: the client's name for itself.
    """

    address: str
    user_agent: str


REGIONS: Final = (
    Region("192.0.2.", 9, erasure=False, signups_per_day=260),
    Region("2001:db8:", 2, erasure=True, signups_per_day=220),
    Region("198.51.100.", -5, erasure=False, signups_per_day=180),
)

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


def connection_in(random: Random, region: Region) -> Connection:
    """Somebody's connection in a region."""
    if region.network.endswith(":"):
        address = f"{region.network}{random.randint(1, 0xFFFF):x}::{random.randint(1, 0xFFFF):x}"
    else:
        address = f"{region.network}{random.randint(1, 254)}"
    return Connection(address, random.choice(_CLIENTS))


def attacker(random: Random) -> Connection:
    """An attacker's connection."""
    return Connection(f"{_ATTACK_NETWORK}{random.randint(1, 254)}", random.choice(_ATTACK_TOOLS))


def network_of(address: str) -> str:
    """The network of an attacker's address, in CIDR notation."""
    return f"{address.rpartition('.')[0]}.0/24"
