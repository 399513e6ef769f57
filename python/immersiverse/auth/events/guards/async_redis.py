"""The Redis guard for ``async`` handlers."""

from __future__ import annotations

import uuid
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from immersiverse.auth.events.errors import MissingExtra
from immersiverse.auth.events.guards.guard import MAX_VERSION_JUMP, Admission, Forgotten, Verdict

try:
    from redis.exceptions import RedisError

    from immersiverse.auth.events.guards.redis_ledger import (
        ADMIT,
        BATCH,
        LET_GO,
        REMEMBER,
        Ledger,
        asking,
        warn_of_eviction,
    )
except ImportError as error:
    raise MissingExtra("redis", "AsyncRedisGuard") from error

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from redis.asyncio import Redis

    from immersiverse.auth.events.v1.events_pb2 import AuthEvent


class AsyncRedisGuard:
    """`RedisGuard` for ``async`` handlers, on redis-py's asyncio client; with the same memory.

    Args:
        redis: a client of ``redis.asyncio``, on a server that evicts no keys.
        consumer: whose memory it is, such as the group's id.
        lease: how long an event may be in hand; see `RedisGuard`.
        remember: how long ids and versions are remembered; see `RedisGuard`.
        max_version_jump: how far a version may be beyond the last one; see `RedisGuard`.

    Raises:
        ConfigurationError: if a time or the limit is not positive.
        MissingExtra: on import, if redis-py is not installed.
    """

    def __init__(
        self,
        redis: Redis,
        consumer: str,
        *,
        lease: timedelta = timedelta(minutes=1),
        remember: timedelta = timedelta(days=8),
        max_version_jump: int | None = MAX_VERSION_JUMP,
    ) -> None:
        self._ledger = Ledger(consumer, lease, remember, max_version_jump)
        self._redis = redis
        self._looked_for_eviction = False
        self._admit = redis.register_script(ADMIT)
        self._remember = redis.register_script(REMEMBER)
        self._let_go = redis.register_script(LET_GO)

    @asynccontextmanager
    async def admit_async(self, event: AuthEvent, topic: str, key: bytes | None) -> AsyncIterator[Admission]:
        """See `Guard.admit`.

        Raises:
            GuardUnavailable: if Redis does not answer, or another consumer has the event in hand.
        """
        entry = self._ledger.entry(event, topic, key, uuid.uuid4().hex)
        with asking():
            admission = entry.admission(await self._admit(entry.keys, entry.admit))
        await self._look_for_eviction()
        if admission.verdict is not Verdict.FRESH:
            yield admission
            return
        try:
            yield admission
        except BaseException:
            with suppress(RedisError):  # the lease ends by itself
                await self._let_go(entry.keys, [entry.token])
            raise
        with asking():
            erased = [] if entry.erased is None else await self._version_keys(entry.erased)
            await self._remember([*entry.keys, *erased], entry.done(admission))

    async def forget(self, key: bytes) -> Forgotten:
        """Forget the last versions of one user, on all topics: its next event is fresh, whatever its version.

        Args:
            key: the user's, as its messages have it.

        Raises:
            GuardUnavailable: if Redis does not answer.
        """
        with asking():
            return Forgotten(versions=await self._redis.delete(*await self._version_keys(key)))

    async def forget_all(self) -> Forgotten:
        """Forget all that the consumer handled. Stop its subscribers first, or they go on remembering.

        It looks at every key of the server, beside other work.

        Raises:
            GuardUnavailable: if Redis does not answer.
        """
        with asking():
            keys = [key async for key in self._redis.scan_iter(self._ledger.pattern, BATCH)]
            for start in range(0, len(keys), BATCH):
                await self._redis.delete(*keys[start : start + BATCH])
        return self._ledger.forgotten(keys)

    async def _version_keys(self, key: bytes) -> list[bytes]:
        topics: Any = await self._redis.smembers(self._ledger.topics_key)
        return self._ledger.version_keys(topics, key)

    async def _look_for_eviction(self) -> None:
        """Once, and only a hint: not every user may ask, and not every service answers."""
        if not self._looked_for_eviction:
            self._looked_for_eviction = True
            with suppress(RedisError):
                warn_of_eviction(await self._redis.info("memory"))
