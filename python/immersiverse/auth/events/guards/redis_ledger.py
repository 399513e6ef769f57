"""What a Redis guard asks and writes: three scripts, each run by Redis as one step, and their keys.

An event's id leads to the token of the consumer that handles it, for as long as a lease, or to ``done``.
A user's topic and key lead to the last version. A set has all topics that a consumer has versions of.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import RedisError

from immersiverse.auth.events.catalog import TOPICS
from immersiverse.auth.events.errors import ConfigurationError, GuardUnavailable
from immersiverse.auth.events.guards.guard import (
    Admission,
    Forgotten,
    Verdict,
    erases,
    jumps,
    require_limit,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

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

# The keys from the fourth on are the versions of a user who is erased.
REMEMBER: Final = """
redis.call('SET', KEYS[1], 'done', 'PX', ARGV[2])
if #KEYS > 3 then
  redis.call('DEL', unpack(KEYS, 4))
elseif ARGV[1] ~= '' then
  local last = redis.call('GET', KEYS[2])
  if not last or last < ARGV[1] then last = ARGV[1] end
  redis.call('SET', KEYS[2], last, 'PX', ARGV[2])
  redis.call('SADD', KEYS[3], ARGV[3])
  redis.call('PEXPIRE', KEYS[3], ARGV[2])
end
"""

LET_GO: Final = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
"""


BATCH: Final = 1_000  # keys

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ledger:
    """How one consumer's memory is kept.

    Attributes:
        consumer: whose memory it is.
        lease: how long an event may be handled before another consumer may take it.
        remember: how long what was handled is remembered.
        max_version_jump: by how much a version may pass the last one; None for no limit.
    """

    consumer: str
    lease: timedelta
    remember: timedelta
    max_version_jump: int | None

    def __post_init__(self) -> None:
        require_limit(self.max_version_jump)
        for name, value in (("lease", self.lease), ("remember", self.remember)):
            if value < timedelta(milliseconds=1):
                raise ConfigurationError(name, "must be a millisecond or more")

    def entry(self, event: AuthEvent, topic: str, key: bytes | None, token: str) -> Entry:
        """The keys and arguments of one event's admission."""
        return Entry(
            keys=[
                b"%bid:%b" % (self.place, (event.event_id or token).encode(errors="surrogatepass")),
                self.version_key(topic.encode(), key or b""),
                self.topics_key,
            ],
            token=token,
            topic=topic,
            version=max(event.version, 0) if key is not None else 0,
            lease=_milliseconds(self.lease),
            remember=_milliseconds(self.remember),
            limit=self.max_version_jump,
            erased=key if erases(event) else None,
        )

    @property
    def place(self) -> bytes:
        """What all keys begin with. Redis Cluster keeps keys with the same part in braces together."""
        return f"auth-events:{{{self.consumer}}}:".encode()

    @property
    def pattern(self) -> bytes:
        """What all keys match."""
        escaped = (b"\\%c" % byte if byte in b"\\*?[]" else b"%c" % byte for byte in self.place)
        return b"".join((*escaped, b"*"))

    @property
    def topics_key(self) -> bytes:
        """What leads to the topics of all versions."""
        return self.place + b"topics"

    def version_key(self, topic: bytes, key: bytes) -> bytes:
        """What leads to a user's last version on a topic."""
        return b"%bversion:%b:%b" % (self.place, topic, key)

    def version_keys(self, topics: Iterable[bytes | str], key: bytes) -> list[bytes]:
        """What leads to a user's last version on each of the topics, and on those of the contract."""
        names = {*TOPICS, *(topic.decode() if isinstance(topic, bytes) else topic for topic in topics)}
        return [self.version_key(topic.encode(), key) for topic in names]

    def forgotten(self, keys: Collection[bytes | str]) -> Forgotten:
        """How many ids and versions these keys led to."""
        ids, versions = self.place + b"id:", self.place + b"version:"
        encoded = [key.encode() if isinstance(key, str) else key for key in keys]
        return Forgotten(
            sum(key.startswith(ids) for key in encoded), sum(key.startswith(versions) for key in encoded)
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """One event, as the scripts see it.

    Attributes:
        keys: what leads to its id, to its user's last version, and to all topics.
        token: which attempt handles it.
        topic: where it came from.
        version: its version; 0 if it does not count.
        lease: how long it may be handled, in milliseconds.
        remember: how long it is remembered, in milliseconds.
        limit: how far its version may be beyond the last one; None for no limit.
        erased: the key of the user that is to be forgotten with it; None for no one.
    """

    keys: list[bytes]
    token: str
    topic: str
    version: int
    lease: int
    remember: int
    limit: int | None
    erased: bytes | None

    @property
    def admit(self) -> list[Any]:
        """The arguments of ``ADMIT``."""
        return [self.token, _digits(self.version), self.lease]

    def done(self, admission: Admission) -> list[Any]:
        """The arguments of ``REMEMBER``."""
        return [_digits(0 if admission.jumped else self.version), self.remember, self.topic]

    def admission(self, answer: list[bytes | str]) -> Admission:
        """What ``ADMIT`` answered.

        Raises:
            GuardUnavailable: if another consumer handles the event.
        """
        verdict, text = (part.decode() if isinstance(part, bytes) else part for part in answer)
        if verdict == "held":
            raise GuardUnavailable("another consumer has this event in hand, or had when it crashed")
        last = int(text or 0)
        jumped = verdict == Verdict.FRESH.value and jumps(self.version, last, self.limit)
        return Admission(Verdict(verdict), last, jumped=jumped)


@contextmanager
def asking() -> Iterator[None]:
    """What is asked of Redis.

    Raises:
        GuardUnavailable: instead of redis-py's errors.
    """
    try:
        yield
    except RedisError as error:
        raise GuardUnavailable(f"Redis does not answer: {error}") from error


def warn_of_eviction(memory: Mapping[str, Any]) -> None:
    """Look at what ``INFO memory`` says, of one node or by node: a server that evicts keys forgets events."""
    nodes: list[Mapping[str, Any]] = [node for node in memory.values() if isinstance(node, dict)] or [memory]
    policies = {node.get("maxmemory_policy") for node in nodes if node.get("maxmemory")}
    for policy in policies - {None, "noeviction"}:
        _log.warning(
            "Redis evicts keys when its memory is full (maxmemory-policy %s): events whose keys are gone are "
            "handled again when they are redelivered; set maxmemory-policy noeviction",
            policy,
        )


def _digits(version: int) -> str:
    return f"{version:019}" if version else ""


def _milliseconds(time: timedelta) -> int:
    return time // timedelta(milliseconds=1)
