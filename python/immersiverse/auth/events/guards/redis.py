"""A guard in Redis: shared by all processes of a consumer, beside whatever database its effects are in."""

from __future__ import annotations

import uuid
from contextlib import contextmanager, suppress
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
        redis: a client of redis-py, on a server that evicts no keys (``maxmemory-policy noeviction``): of one
            that does a warning is logged.
        consumer: whose memory it is, such as the group's id.
        lease: how long an event may be in hand: longer than the slowest handler takes, or it may run twice at
            once; after a crash an event waits this long.
        remember: how long ids and versions are remembered: longer than the topics keep events.
        max_version_jump: how far a version may be beyond the last one of its user and still be remembered. An
            event further beyond is handled and reported, and its version does not count. None: no limit.

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

    @contextmanager
    def admit(self, event: AuthEvent, topic: str, key: bytes | None) -> Iterator[Admission]:
        """See `Guard.admit`.

        Raises:
            GuardUnavailable: if Redis does not answer, or another consumer has the event in hand.
        """
        entry = self._ledger.entry(event, topic, key, uuid.uuid4().hex)
        with asking():
            admission = entry.admission(self._admit(entry.keys, entry.admit))
        self._look_for_eviction()
        if admission.verdict is not Verdict.FRESH:
            yield admission
            return
        try:
            yield admission
        except BaseException:
            with suppress(RedisError):  # the lease ends by itself
                self._let_go(entry.keys, [entry.token])
            raise
        with asking():
            erased = [] if entry.erased is None else self._version_keys(entry.erased)
            self._remember([*entry.keys, *erased], entry.done(admission))

    def forget(self, key: bytes) -> Forgotten:
        """Forget the last versions of one user, on all topics: its next event is fresh, whatever its version.

        Args:
            key: the user's, as its messages have it.

        Raises:
            GuardUnavailable: if Redis does not answer.
        """
        with asking():
            return Forgotten(versions=self._redis.delete(*self._version_keys(key)))

    def forget_all(self) -> Forgotten:
        """Forget all that the consumer handled. Stop its subscribers first, or they go on remembering.

        It looks at every key of the server, beside other work.

        Raises:
            GuardUnavailable: if Redis does not answer.
        """
        with asking():
            keys = list(self._redis.scan_iter(self._ledger.pattern, BATCH))
            for start in range(0, len(keys), BATCH):
                self._redis.delete(*keys[start : start + BATCH])
        return self._ledger.forgotten(keys)

    def _version_keys(self, key: bytes) -> list[bytes]:
        topics: Any = self._redis.smembers(self._ledger.topics_key)
        return self._ledger.version_keys(topics, key)

    def _look_for_eviction(self) -> None:
        """Once, and only a hint: not every user may ask, and not every service answers."""
        if not self._looked_for_eviction:
            self._looked_for_eviction = True
            with suppress(RedisError):
                warn_of_eviction(self._redis.info("memory"))
