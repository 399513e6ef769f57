"""The Redis inbox for ``async`` handlers."""

# scripts/generate writes redis.py from this file.

from __future__ import annotations

from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from immersiverse.auth.events.errors import MissingExtra
from immersiverse.auth.events.inbox.interface import (
    MAX_VERSION_JUMP,
    REMEMBER,
    Admission,
    Forgotten,
    Verdict,
)

try:
    from redis.exceptions import RedisError

    from immersiverse.auth.events.inbox import redis_store
except ImportError as error:
    raise MissingExtra("redis", "AsyncRedisInbox") from error

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from redis.asyncio import Redis

    from immersiverse.auth.events.v1.events_pb2 import AuthEvent


class AsyncRedisInbox:
    """Records handled events in Redis, for ``async`` handlers: effects happen at least once.

    Redis is not part of the handler's transaction: if the process dies after the effects and before they are
    recorded, the event is handled again. No crash loses an event: while a handler runs, the event is only
    leased, and when the lease expires another attempt may take it. Until then other consumers that get the
    event retry.

    Args:
        redis: a client of redis-py, of a server with ``maxmemory-policy noeviction``; a warning is logged if
            the server evicts keys.
        consumer: name of the consumer, such as its group's id.
        lease: how long an event may be handled: longer than the slowest handler, or it may be handled twice
            at once. After a crash an event waits for this long.
        remember: how long ids and versions are remembered: longer than the topics keep events.
        max_version_jump: longest step between two versions of a user. An event beyond it is handled and
            reported, but its version is not recorded. None for no limit.

    Raises:
        ConfigurationError: if a time or ``max_version_jump`` is not positive.
        MissingExtra: on import, if redis-py is not installed.
        InboxUnavailable: by every method, if Redis does not answer, and if an event to admit is leased.
    """

    def __init__(
        self,
        redis: Redis,
        consumer: str,
        *,
        lease: timedelta = timedelta(minutes=1),
        remember: timedelta = REMEMBER,
        max_version_jump: int | None = MAX_VERSION_JUMP,
    ) -> None:
        self._store = redis_store.RedisStore(consumer, lease, remember, max_version_jump)
        self._redis = redis
        self._eviction_checked = False
        self._acquire = redis.register_script(redis_store.ACQUIRE)
        self._record = redis.register_script(redis_store.RECORD)
        self._release = redis.register_script(redis_store.RELEASE)

    @asynccontextmanager
    async def admit_async(self, event: AuthEvent, topic: str, key: bytes | None) -> AsyncIterator[Admission]:
        """See `Inbox.admit`."""
        lease = redis_store.RedisLease(self._store, event, topic, key)
        with redis_store.redis_errors():
            admission = lease.admission(await self._acquire(lease.keys, lease.acquiring))
        await self._check_eviction()
        if admission.verdict is not Verdict.FRESH:
            yield admission
            return
        try:
            yield admission
        except BaseException:
            with suppress(RedisError):  # the lease expires by itself
                await self._release(lease.keys, [lease.token])
            raise
        with redis_store.redis_errors():
            erased = [] if lease.erased is None else await self._version_keys(lease.erased)
            await self._record([*lease.keys, *erased], lease.recording(admission))

    async def forget(self, key: bytes) -> Forgotten:
        """Forget the versions of a user (its message key): its next event is fresh, whatever its version."""
        with redis_store.redis_errors():
            return Forgotten(versions=await self._redis.delete(*await self._version_keys(key)))

    async def forget_all(self) -> Forgotten:
        """Forget all that the consumer handled. Stop its subscribers first: they would go on recording.

        It reads every key of the server, in steps between which Redis does other work.
        """
        with redis_store.redis_errors():
            keys = [key async for key in self._redis.scan_iter(self._store.pattern, redis_store.BATCH)]
            for start in range(0, len(keys), redis_store.BATCH):
                await self._redis.delete(*keys[start : start + redis_store.BATCH])
        return self._store.count(keys)

    async def _version_keys(self, key: bytes) -> list[bytes]:
        topics: Any = await self._redis.smembers(self._store.topics_key)
        return self._store.version_keys(topics, key)

    async def _check_eviction(self) -> None:
        """Once, and without failing: INFO may be forbidden, and some services do not offer it."""
        if not self._eviction_checked:
            self._eviction_checked = True
            with suppress(RedisError):
                redis_store.warn_if_evicting(await self._redis.info("memory"))
