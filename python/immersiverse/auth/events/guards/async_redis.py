"""The Redis guard for ``async`` handlers."""

from __future__ import annotations

import uuid
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from immersiverse.auth.events.errors import GuardUnavailable, MissingExtra
from immersiverse.auth.events.guards.guard import Admission, Verdict
from immersiverse.auth.events.guards.redis_ledger import ADMIT, LET_GO, REMEMBER, Ledger, admission

try:
    from redis.exceptions import RedisError
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

    Raises:
        ConfigurationError: if a time is not positive.
        MissingExtra: on import, if redis-py is not installed.
    """

    def __init__(
        self,
        redis: Redis,
        consumer: str,
        *,
        lease: timedelta = timedelta(minutes=1),
        remember: timedelta = timedelta(days=8),
    ) -> None:
        self._ledger = Ledger(consumer, lease, remember)
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
        admitted = admission(await _run(self._admit, entry.keys, entry.admit))
        if admitted.verdict is not Verdict.FRESH:
            yield admitted
            return
        try:
            yield admitted
        except BaseException:
            with suppress(GuardUnavailable):  # the lease ends by itself
                await _run(self._let_go, entry.keys, [entry.token])
            raise
        await _run(self._remember, entry.keys, entry.done)


async def _run(script: Any, keys: list[bytes], arguments: list[Any]) -> Any:
    try:
        return await script(keys, arguments)
    except RedisError as error:
        raise GuardUnavailable(f"Redis does not answer: {error}") from error
