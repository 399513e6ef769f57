"""The Redis inbox, for plain and for ``async`` handlers: both carry out the plans of `redis_store`."""

from __future__ import annotations

from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from immersiverse.auth.events.errors import InboxUnavailable, MissingExtra
from immersiverse.auth.events.inbox.interface import (
    MAX_VERSION_JUMP,
    REMEMBER,
    Admission,
    Forgotten,
    Verdict,
)

try:
    from immersiverse.auth.events.inbox.redis_store import RedisStore, redis_errors, run, run_async
except ImportError as error:
    raise MissingExtra("redis", "RedisInbox") from error

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from redis import Redis
    from redis.asyncio import Redis as AsyncRedis

    from immersiverse.auth.events.v1.events_pb2 import AuthEvent

_LEASE: Final = timedelta(minutes=1)
_SCANNED: Final = 1_000  # keys at a time


class RedisInbox:
    """Records handled events in Redis, for plain handlers: effects happen at least once.

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
        lease: timedelta = _LEASE,
        remember: timedelta = REMEMBER,
        max_version_jump: int | None = MAX_VERSION_JUMP,
    ) -> None:
        self._redis = redis
        self._store = RedisStore(redis, consumer, lease, remember, max_version_jump)

    @contextmanager
    def admit(self, event: AuthEvent, topic: str, key: bytes | None) -> Iterator[Admission]:
        """See `Inbox.admit`."""
        lease = self._store.lease(event, topic, key)
        admission = run(self._store.acquire(lease))
        with suppress(InboxUnavailable):  # INFO may be forbidden, and some services do not offer it
            run(self._store.check_eviction())
        if admission.verdict is not Verdict.FRESH:
            yield admission
            return
        try:
            yield admission
        except BaseException:
            with suppress(InboxUnavailable):  # the lease expires by itself
                run(self._store.release(lease))
            raise
        run(self._store.record(lease, admission))

    def forget(self, key: bytes) -> Forgotten:
        """Forget the versions of a user (its message key): its next event is fresh, whatever its version."""
        return run(self._store.forget(key))

    def forget_all(self) -> Forgotten:
        """Forget all that the consumer handled. Stop its subscribers first: they would go on recording.

        It reads every key of the server, in steps between which Redis does other work.
        """
        with redis_errors():
            keys = list(self._redis.scan_iter(self._store.pattern, _SCANNED))
        return run(self._store.forget_keys(keys))


class AsyncRedisInbox:
    """`RedisInbox` for ``async`` handlers, on redis-py's asyncio client and with the same keys.

    Arguments and errors are those of `RedisInbox`.
    """

    def __init__(
        self,
        redis: AsyncRedis,
        consumer: str,
        *,
        lease: timedelta = _LEASE,
        remember: timedelta = REMEMBER,
        max_version_jump: int | None = MAX_VERSION_JUMP,
    ) -> None:
        self._redis = redis
        self._store = RedisStore(redis, consumer, lease, remember, max_version_jump)

    @asynccontextmanager
    async def admit_async(self, event: AuthEvent, topic: str, key: bytes | None) -> AsyncIterator[Admission]:
        """See `RedisInbox.admit`."""
        lease = self._store.lease(event, topic, key)
        admission = await run_async(self._store.acquire(lease))
        with suppress(InboxUnavailable):
            await run_async(self._store.check_eviction())
        if admission.verdict is not Verdict.FRESH:
            yield admission
            return
        try:
            yield admission
        except BaseException:
            with suppress(InboxUnavailable):
                await run_async(self._store.release(lease))
            raise
        await run_async(self._store.record(lease, admission))

    async def forget(self, key: bytes) -> Forgotten:
        """See `RedisInbox.forget`."""
        return await run_async(self._store.forget(key))

    async def forget_all(self) -> Forgotten:
        """See `RedisInbox.forget_all`."""
        with redis_errors():
            keys = [key async for key in self._redis.scan_iter(self._store.pattern, _SCANNED)]
        return await run_async(self._store.forget_keys(keys))
