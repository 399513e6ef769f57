"""The Redis inbox's keys and scripts, without I/O. Redis runs each script as one step.

- ``...id:ID`` holds ``done`` for a handled event, or the token of the lease under which it is being handled.
- ``...version:TOPIC:KEY`` holds the last handled version of a user.
- ``...topics`` is the set of all topics that have versions.
"""

from __future__ import annotations

import logging
import re
import uuid
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import RedisError

from immersiverse.auth.events.catalog import TOPICS
from immersiverse.auth.events.errors import InboxUnavailable
from immersiverse.auth.events.inbox.interface import (
    Admission,
    Forgotten,
    Verdict,
    erases,
    jumps,
    require_duration,
    require_limit,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from immersiverse.auth.events.v1.events_pb2 import AuthEvent

# Versions are compared as text of 19 digits: a Lua number loses the last digits of a large one.
ACQUIRE: Final = """
local holder = redis.call('GET', KEYS[1])
if holder == 'done' then return {'duplicate', ''} end
local last = ARGV[2] ~= '' and redis.call('GET', KEYS[2]) or ''
if not last then last = '' end
if last ~= '' and ARGV[2] <= last then return {'stale', last} end
if holder then return {'leased', ''} end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
return {'fresh', last}
"""

# Keys from the fourth on are versions of a user who is erased.
RECORD: Final = """
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

RELEASE: Final = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
"""

BATCH: Final = 1_000  # keys

_log = logging.getLogger(__name__)


class RedisStore:
    """One consumer's keys and settings; arguments are those of the inboxes.

    Attributes:
        lease: milliseconds that an event may be handled before another consumer may take it.
        remember: milliseconds that ids and versions are remembered.
        max_version_jump: longest step between two versions of a user; None for no limit.
        prefix: start of all keys.
        pattern: glob pattern of all keys.
        topics_key: key of the set of topics.
    """

    def __init__(
        self, consumer: str, lease: timedelta, remember: timedelta, max_version_jump: int | None
    ) -> None:
        require_limit(max_version_jump)
        require_duration("lease", lease)
        require_duration("remember", remember)
        self.lease = lease // timedelta(milliseconds=1)
        self.remember = remember // timedelta(milliseconds=1)
        self.max_version_jump = max_version_jump
        # Redis Cluster keeps keys with equal text in braces on one node, as scripts require.
        self.prefix = f"auth-events:{{{consumer}}}:".encode()
        self.pattern = re.sub(rb"[\\*?\[\]]", rb"\\\g<0>", self.prefix) + b"*"
        self.topics_key = self.prefix + b"topics"

    def version_key(self, topic: str, key: bytes) -> bytes:
        """Key of a user's version on a topic."""
        return b"%bversion:%b:%b" % (self.prefix, topic.encode(), key)

    def version_keys(self, topics: Iterable[bytes | str], key: bytes) -> list[bytes]:
        """Keys of a user's versions on the given topics and on those of the contract."""
        names = {*TOPICS, *(topic.decode() if isinstance(topic, bytes) else topic for topic in topics)}
        return [self.version_key(topic, key) for topic in names]

    def count(self, keys: Collection[bytes | str]) -> Forgotten:
        """How many of the keys are those of ids and of versions."""
        encoded = [key.encode() if isinstance(key, str) else key for key in keys]
        return Forgotten(
            *(sum(key.startswith(self.prefix + kind) for key in encoded) for kind in (b"id:", b"version:"))
        )


class RedisLease:
    """Keys and arguments of the scripts for one event, as it was when it came: handlers may change it.

    Args:
        store: the consumer's.
        event: the event.
        topic: the topic that it came from.
        key: the user's message key; None for an event of no user.

    Attributes:
        keys: of its id, of its user's version, and of the topics.
        token: marks this attempt to handle it.
        erased: message key of a user whose versions are deleted with it; None for none.
    """

    def __init__(self, store: RedisStore, event: AuthEvent, topic: str, key: bytes | None) -> None:
        self._store = store
        self._topic = topic
        self._version = max(event.version, 0) if key is not None else 0
        self.token = uuid.uuid4().hex
        self.erased = key if erases(event) else None
        event_id = (event.event_id or self.token).encode(errors="surrogatepass")
        self.keys = [b"%bid:%b" % (store.prefix, event_id), store.version_key(topic, key or b""),
                     store.topics_key]  # fmt: skip

    @property
    def acquiring(self) -> list[Any]:
        """Arguments of ``ACQUIRE``."""
        return [self.token, _digits(self._version), self._store.lease]

    def recording(self, admission: Admission) -> list[Any]:
        """Arguments of ``RECORD``."""
        version = 0 if admission.jumped else self._version
        return [_digits(version), self._store.remember, self._topic]

    def admission(self, answer: list[bytes | str]) -> Admission:
        """What ``ACQUIRE`` answered.

        Raises:
            InboxUnavailable: if the event is leased.
        """
        verdict, last = (part.decode() if isinstance(part, bytes) else part for part in answer)
        if verdict == "leased":
            raise InboxUnavailable("the event is leased by another consumer, or by one that crashed")
        jumped = verdict == Verdict.FRESH.value and jumps(
            self._version, int(last or 0), self._store.max_version_jump
        )
        return Admission(Verdict(verdict), int(last or 0), jumped=jumped)


@contextmanager
def redis_errors() -> Iterator[None]:
    """Around calls of Redis.

    Raises:
        InboxUnavailable: instead of redis-py's errors.
    """
    try:
        yield
    except RedisError as error:
        raise InboxUnavailable(f"Redis does not answer: {error}") from error


def warn_if_evicting(memory: Mapping[str, Any]) -> None:
    """Log a warning if a server deletes keys when its memory is full: the inbox would forget events.

    Args:
        memory: the answer of ``INFO memory``, of one node or by node.
    """
    nodes: list[Mapping[str, Any]] = [node for node in memory.values() if isinstance(node, dict)] or [memory]
    policies = {node.get("maxmemory_policy") for node in nodes if node.get("maxmemory")}
    for policy in policies - {None, "noeviction"}:
        _log.warning(
            "Redis evicts keys when its memory is full (maxmemory-policy %s): events whose keys are evicted "
            "are handled again when redelivered; set maxmemory-policy noeviction",
            policy,
        )


def _digits(version: int) -> str:
    return f"{version:019}" if version else ""
