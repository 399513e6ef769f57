"""The Redis inbox's requests as plans: what to ask, without waiting. Redis runs each script as one step.

- ``...id:IDENTITY`` holds ``done`` for a handled event, or the token of the lease under which it is handled.
- ``...version:TOPIC:KEY`` holds the last handled version of a user.
- ``...topics`` is the set of all topics that have versions.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar

from redis.exceptions import RedisError

from immersiverse.auth.events.catalog import TOPICS
from immersiverse.auth.events.errors import ConfigurationError, InboxUnavailable
from immersiverse.auth.events.inbox.interface import (
    Admission,
    Forgotten,
    Verdict,
    erases,
    identity,
    jumps,
    require_settings,
)
from immersiverse.auth.events.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterator

    from redis import Redis
    from redis.asyncio import Redis as AsyncRedis

    from immersiverse.auth.events.v1.events_pb2 import AuthEvent

T = TypeVar("T")
Plan = Generator[Any, Any, T]
"""Yields each request as the client returns it, is sent the response, and returns a result."""

# Versions are compared as text of 19 digits: a Lua number loses the last digits of a large one.
_ACQUIRE: Final = """
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
_RECORD: Final = """
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

_RELEASE: Final = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
"""

_BATCH: Final = 1_000  # keys

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RedisLease:
    """An event while it is handled, as it was when it came: handlers may change it.

    Attributes:
        keys: of its id, of its user's version, and of the topics.
        token: marks this attempt to handle it.
        topic: the topic that it came from.
        version: its version; 0 for none.
        erased: message key of a user whose versions are deleted with it; None for none.
    """

    keys: list[bytes]
    token: str
    topic: str
    version: int
    erased: bytes | None


class RedisStore:
    """One consumer's keys, and the plans of all requests. Arguments are those of the inboxes.

    Attributes:
        pattern: glob pattern of all keys.
    """

    def __init__(
        self,
        redis: Redis | AsyncRedis,
        consumer: str,
        lease: timedelta,
        remember: timedelta,
        max_version_jump: int | None,
    ) -> None:
        require_settings(max_version_jump, lease=lease, remember=remember)
        if not callable(getattr(redis, "register_script", None)):
            raise ConfigurationError("redis", f"is a client of Redis, not a {type(redis).__name__}")
        self._redis = redis
        self._lease = lease // timedelta(milliseconds=1)
        self._remember = remember // timedelta(milliseconds=1)
        self._max_version_jump = max_version_jump
        self._eviction_checked = False
        self._acquire = redis.register_script(_ACQUIRE)
        self._record = redis.register_script(_RECORD)
        self._release = redis.register_script(_RELEASE)
        # Redis Cluster keeps keys with equal text in braces on one node, as scripts require.
        self._prefix = f"auth-events:{{{consumer}}}:".encode()
        self._topics_key = self._prefix + b"topics"
        self.pattern = re.sub(rb"[\\*?\[\]]", rb"\\\g<0>", self._prefix) + b"*"

    def lease(self, event: AuthEvent, topic: str, key: bytes | None) -> RedisLease:
        """The lease that `acquire` asks for."""
        token = uuid.uuid4().hex
        event_id = (identity(event) or token).encode(errors="surrogatepass")
        return RedisLease(
            keys=[self._prefix + b"id:" + event_id, self._version_key(topic, key or b""), self._topics_key],
            token=token,
            topic=topic,
            version=max(event.version, 0) if key is not None else 0,
            erased=key if erases(event) else None,
        )

    def acquire(self, lease: RedisLease) -> Plan[Admission]:
        """Ask whether an event is to be handled, and lease it then.

        Raises:
            InboxUnavailable: if it is leased already.
        """
        answer = yield self._acquire(lease.keys, [lease.token, _digits(lease.version), self._lease])
        verdict, last = (part.decode() if isinstance(part, bytes) else part for part in answer)
        if verdict == "leased":
            raise InboxUnavailable("the event is leased by another consumer, or by one that crashed")
        jumped = verdict == "fresh" and jumps(lease.version, int(last or 0), self._max_version_jump)
        return Admission(Verdict(verdict), int(last or 0), jumped=jumped)

    def record(self, lease: RedisLease, admission: Admission) -> Plan[None]:
        """Record a leased event as handled."""
        erased: list[bytes] = []
        if lease.erased is not None:
            erased = yield from self._version_keys(lease.erased)
        version = 0 if admission.jumped else lease.version
        yield self._record([*lease.keys, *erased], [_digits(version), self._remember, lease.topic])

    def release(self, lease: RedisLease) -> Plan[None]:
        """Give up the lease of an event that was not handled."""
        yield self._release(lease.keys, [lease.token])

    def forget(self, key: bytes) -> Plan[Forgotten]:
        """Delete the versions of a user."""
        keys = yield from self._version_keys(key)
        return Forgotten(versions=(yield self._redis.delete(*keys)))

    def forget_keys(self, found: list[bytes | str]) -> Plan[Forgotten]:
        """Delete all these keys, which match `pattern`."""
        keys = [key.encode() if isinstance(key, str) else key for key in found]
        for start in range(0, len(keys), _BATCH):
            yield self._redis.delete(*keys[start : start + _BATCH])
        kinds = (self._prefix + b"id:", self._prefix + b"version:")
        return Forgotten(*(sum(key.startswith(kind) for key in keys) for kind in kinds))

    def check_eviction(self) -> Plan[None]:
        """Once, log a warning if the server deletes keys when its memory is full."""
        if self._eviction_checked:
            return
        self._eviction_checked = True
        memory: dict[str, Any] = yield self._redis.info("memory")
        nodes = [node for node in memory.values() if isinstance(node, dict)] or [
            memory
        ]  # a cluster's, by node
        policies = {node.get("maxmemory_policy") for node in nodes if node.get("maxmemory")}
        for policy in policies - {None, "noeviction"}:
            _log.warning(
                "Redis evicts keys when its memory is full (maxmemory-policy %s): events whose keys are "
                "evicted are handled again when redelivered; set maxmemory-policy noeviction",
                policy,
            )

    def _version_key(self, topic: str, key: bytes) -> bytes:
        return b"%bversion:%b:%b" % (self._prefix, topic.encode(), key)

    def _version_keys(self, key: bytes) -> Plan[list[bytes]]:
        """Keys of a user's versions on all topics that have some, and on those of the contract."""
        topics = yield self._redis.smembers(self._topics_key)
        names = {*TOPICS, *(topic.decode() if isinstance(topic, bytes) else topic for topic in topics)}
        return [self._version_key(topic, key) for topic in names]


def run(plan: Plan[T]) -> T:
    """Carry a plan out with a client whose methods return responses.

    Raises:
        InboxUnavailable: if Redis does not answer.
    """
    response = None
    with redis_errors():
        while True:
            try:
                response = plan.send(response)
            except StopIteration as end:
                result: T = end.value
                return result


async def run_async(plan: Plan[T]) -> T:
    """`run` with a client whose methods return what is to be awaited."""
    response = None
    with redis_errors():
        while True:
            try:
                request: Awaitable[Any] = plan.send(response)
            except StopIteration as end:
                result: T = end.value
                return result
            response = await request


@contextmanager
def redis_errors() -> Iterator[None]:
    """Around requests. Redis-py's errors become `InboxUnavailable`."""
    try:
        yield
    except RedisError as error:
        raise InboxUnavailable(f"Redis does not answer: {error}") from error


def _digits(version: int) -> str:
    return f"{version:019}" if version else ""
