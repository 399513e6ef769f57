"""A guard in Redis: shared by all processes of a consumer, beside whatever database its effects are in."""

from __future__ import annotations

import uuid
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from immersiverse.auth.events.errors import GuardUnavailable, MissingExtra
from immersiverse.auth.events.guards.guard import Admission, Verdict
from immersiverse.auth.events.guards.redis_ledger import ADMIT, LET_GO, REMEMBER, Ledger, admission

try:
    from redis.exceptions import RedisError
except ImportError as error:
    raise MissingExtra("redis", "RedisGuard") from error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

    from immersiverse.auth.events.v1.events_pb2 import AuthEvent


class RedisGuard:
    """Remembers events in Redis, for plain handlers. Effects happen at least once.

    Redis is not part of the handler's transaction: if the process dies after the effects and before Redis has
    noted them, they happen again. Never the other way round: until a handler has returned, an event is only
    in hand, and that for no longer than the lease, so that no crash loses it. Whoever meets an event in hand
    tries again later, for as long as it takes.

    Args:
        redis: a client of redis-py, on a server that evicts no keys (``maxmemory-policy noeviction``).
        consumer: whose memory it is, such as the group's id.
        lease: how long an event may be in hand: longer than the slowest handler takes, or it may run twice at
            once; after a crash an event waits this long.
        remember: how long ids and versions are remembered: longer than the topics keep events.

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

    @contextmanager
    def admit(self, event: AuthEvent, topic: str, key: bytes | None) -> Iterator[Admission]:
        """See `Guard.admit`.

        Raises:
            GuardUnavailable: if Redis does not answer, or another consumer has the event in hand.
        """
        entry = self._ledger.entry(event, topic, key, uuid.uuid4().hex)
        admitted = admission(_run(self._admit, entry.keys, entry.admit))
        if admitted.verdict is not Verdict.FRESH:
            yield admitted
            return
        try:
            yield admitted
        except BaseException:
            with suppress(GuardUnavailable):  # the lease ends by itself
                _run(self._let_go, entry.keys, [entry.token])
            raise
        _run(self._remember, entry.keys, entry.done)


def _run(script: Any, keys: list[bytes], arguments: list[Any]) -> Any:
    try:
        return script(keys, arguments)
    except RedisError as error:
        raise GuardUnavailable(f"Redis does not answer: {error}") from error
