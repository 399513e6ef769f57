"""Keeps the backlog bounded: nothing is fetched while too much is under way."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from confluent_kafka import Consumer

_TICK = 0.002  # seconds between looks whether there is room again
_PATIENCE = 0.5  # seconds; how long it may go without a poll, which a rebalance waits for
_IDLE = 0.1  # seconds for a poll when there is room
_PAUSED = 0.02  # seconds for a poll that brings no message


class Flow:
    """Decides when to fetch.

    A pause throws away what was fetched ahead, so a backlog that drains soon is only waited for.

    Args:
        backlog: how many messages may be under way.

    Attributes:
        handed: how many messages were handed over so far.
        assigned_anew: set when partitions came, which may be paused or not: librdkafka remembers from an
            earlier assignment how they were.
    """

    def __init__(self, backlog: int) -> None:
        self._backlog = backlog
        self._paused = False
        self._full_since: float | None = None
        self.handed = 0
        self.assigned_anew = False

    def regulate(self, consumer: Consumer, finished: int) -> float | None:
        """How long to poll for messages now, in seconds; None to not poll.

        Args:
            consumer: is paused and resumed.
            finished: how many of the messages handed over are done with.
        """
        if self.assigned_anew:
            self._treat_alike(consumer)
        under_way = self.handed - finished
        if self._paused:
            return self._while_paused(consumer, under_way)
        if under_way < self._backlog:
            self._full_since = None
            return _IDLE
        now = time.monotonic()
        self._full_since = self._full_since or now
        if now - self._full_since < _PATIENCE:
            time.sleep(_TICK)
            return None
        consumer.pause(consumer.assignment())
        self._paused = True
        return _PAUSED

    def _treat_alike(self, consumer: Consumer) -> None:
        partitions = consumer.assignment()
        if self._paused:
            consumer.pause(partitions)
        else:
            consumer.resume(partitions)
        self.assigned_anew = False

    def _while_paused(self, consumer: Consumer, under_way: int) -> float:
        if under_way <= self._backlog // 2:
            consumer.resume(consumer.assignment())
            self._paused = False
            self._full_since = None
            return _IDLE
        return _PAUSED
