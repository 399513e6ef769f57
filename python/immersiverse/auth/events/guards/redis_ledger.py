"""What a Redis guard asks and writes: three scripts, each run by Redis as one step, and their keys.

An event's id leads to the token of the consumer that has it in hand, for as long as a lease, or to ``done``.
A user's topic and key lead to the last version.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from immersiverse.auth.events.errors import ConfigurationError, GuardUnavailable
from immersiverse.auth.events.guards.guard import Admission, Verdict

if TYPE_CHECKING:
    from immersiverse.auth.events.v1.events_pb2 import AuthEvent

# Versions are compared as text of 19 digits: Lua's numbers lose the last digits of large ones.
ADMIT: Final = """
local holder = redis.call('GET', KEYS[1])
if holder == 'done' then return {'duplicate', ''} end
local last = ARGV[2] ~= '' and redis.call('GET', KEYS[2]) or ''
if not last then last = '' end
if last ~= '' and ARGV[2] <= last then return {'stale', last} end
if holder then return {'held', ''} end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
return {'fresh', last}
"""

REMEMBER: Final = """
redis.call('SET', KEYS[1], 'done', 'PX', ARGV[2])
if ARGV[1] ~= '' then
  local last = redis.call('GET', KEYS[2])
  if not last or last < ARGV[1] then last = ARGV[1] end
  redis.call('SET', KEYS[2], last, 'PX', ARGV[2])
end
"""

LET_GO: Final = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
"""


@dataclass(frozen=True, slots=True)
class Ledger:
    """How one consumer's memory is kept.

    Attributes:
        consumer: whose memory it is.
        lease: how long an event may be in hand before another consumer may take it.
        remember: how long what was handled is remembered.
    """

    consumer: str
    lease: timedelta
    remember: timedelta

    def __post_init__(self) -> None:
        for name, value in (("lease", self.lease), ("remember", self.remember)):
            if value < timedelta(milliseconds=1):
                raise ConfigurationError(name, "must be a millisecond or more")

    def entry(self, event: AuthEvent, topic: str, key: bytes | None, token: str) -> Entry:
        """The keys and arguments of one event's admission."""
        # Redis Cluster keeps keys with the same part in braces together, as a script needs them.
        place = f"auth-events:{{{self.consumer}}}".encode()
        counts = event.version > 0 and key is not None
        return Entry(
            keys=[
                b"%b:id:%b" % (place, (event.event_id or token).encode(errors="surrogatepass")),
                b"%b:version:%b:%b" % (place, topic.encode(), key or b""),
            ],
            token=token,
            version=f"{event.version:019}" if counts else "",
            lease=_milliseconds(self.lease),
            remember=_milliseconds(self.remember),
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """One event, as the scripts see it.

    Attributes:
        keys: what leads to its id and to its user's last version.
        token: who has it in hand.
        version: its version in 19 digits; empty if it does not count.
        lease: how long it may be in hand, in milliseconds.
        remember: how long it is remembered, in milliseconds.
    """

    keys: list[bytes]
    token: str
    version: str
    lease: int
    remember: int

    @property
    def admit(self) -> list[Any]:
        """The arguments of ``ADMIT``."""
        return [self.token, self.version, self.lease]

    @property
    def done(self) -> list[Any]:
        """The arguments of ``REMEMBER``."""
        return [self.version, self.remember]


def admission(answer: list[bytes | str]) -> Admission:
    """What ``ADMIT`` answered.

    Raises:
        GuardUnavailable: if another consumer has the event in hand.
    """
    verdict, last = (part.decode() if isinstance(part, bytes) else part for part in answer)
    if verdict == "held":
        raise GuardUnavailable("another consumer has this event in hand, or had when it crashed")
    return Admission(Verdict(verdict), int(last or 0))


def _milliseconds(time: timedelta) -> int:
    return time // timedelta(milliseconds=1)
