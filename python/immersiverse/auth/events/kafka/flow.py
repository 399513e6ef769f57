"""Decides when to fetch: not much further ahead than is handled, and never beyond the backlog."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confluent_kafka import Consumer

    from immersiverse.auth.events.partition import Partition

_TICK = 0.0005  # seconds between looks whether there is room again
_BATCH = 250  # messages; what waits behind more has left the processor's cache when it is handled
_BRIEFLY = 0.01  # seconds; slower handlers want messages of other keys rather than warm ones
_PATIENCE = 0.5  # seconds; how long it may go without a poll, which a rebalance waits for
_IDLE = 0.1  # seconds for a poll when there is room
_PAUSED = 0.02  # seconds for a poll that brings no message


class Account(Protocol):
    """What became of the messages that were handed over."""

    @property
    def finished(self) -> int:
        """How many are done with."""
        ...

    @property
    def waiting(self) -> int:
        """How many nobody has looked at yet."""
        ...

    @property
    def held(self) -> Mapping[Partition, int]:
        """How many are under way of each partition that must be paused."""
        ...


class Flow:
    """Decides when to fetch.

    A pause throws away what was fetched ahead, so a backlog that drains soon is only waited for.

    Args:
        backlog: how many messages may be under way; those of paused partitions are not counted, up to as many
            again.

    Attributes:
        batch: how many messages to hand over at a time.
        handed: how many messages were handed over so far.
        assigned_anew: set when partitions came, which may be paused or not: librdkafka remembers from an
            earlier assignment how they were.
    """

    def __init__(self, backlog: int) -> None:
        self._backlog = backlog
        self.batch = max(min(_BATCH, backlog // 10), 2)
        self._paused = False
        self._held: frozenset[Partition] = frozenset()
        self._waits_since: float | None = None
        self.handed = 0
        self.assigned_anew = False

    def regulate(self, consumer: Consumer, account: Account) -> float | None:
        """How long to poll for messages now, in seconds; None to not poll.

        Args:
            consumer: is paused and resumed.
            account: what became of the messages handed over.
        """
        held = account.held
        if self.assigned_anew or held.keys() != self._held:
            self._held, self.assigned_anew = frozenset(held), False
            self._pause_and_resume(consumer)
        wait = self._wait(consumer, account)
        if wait is not None:
            self._waits_since = None
        return wait

    def _wait(self, consumer: Consumer, account: Account) -> float | None:
        under_way = self.handed - account.finished - min(sum(account.held.values()), self._backlog)
        if self._paused:
            return self._while_paused(consumer, under_way)
        if under_way < self._backlog:
            return _IDLE if account.waiting < self.batch or self._has_waited(_BRIEFLY) else None
        if not self._has_waited(_PATIENCE):
            return None
        self._paused = True
        self._pause_and_resume(consumer)
        return _PAUSED

    def _has_waited(self, seconds: float) -> bool:
        """Wait a little; whether it was that long in all since a poll."""
        now = time.monotonic()
        self._waits_since = self._waits_since or now
        if now - self._waits_since < seconds:
            time.sleep(_TICK)
            return False
        return True

    def _pause_and_resume(self, consumer: Consumer) -> None:
        ours = consumer.assignment()
        rest = [p for p in ours if self._paused or (p.topic, p.partition) in self._held]
        consumer.pause(rest)
        consumer.resume([p for p in ours if p not in rest])

    def _while_paused(self, consumer: Consumer, under_way: int) -> float:
        if under_way <= self._backlog // 2:
            self._paused = False
            self._pause_and_resume(consumer)
            return _IDLE
        return _PAUSED
