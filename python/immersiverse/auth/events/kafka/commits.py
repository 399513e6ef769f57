"""Commits of a consumer, made by the one thread that may touch it.

A commit counts when it is answered, not when it is sent. While a classic group waits for a member to rejoin,
the coordinator does not even read the commits of those that have: they queue behind their JoinGroup request
on the same connection, and are refused then, since the group's generation has changed (ILLEGAL_GENERATION).
"""

from __future__ import annotations

import logging
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from confluent_kafka import KafkaError, KafkaException, TopicPartition

from immersiverse.auth.events.observability.hooks import Committed
from immersiverse.auth.events.partition import Partition

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from confluent_kafka import Consumer

    from immersiverse.auth.events.kafka.instrumentation import HookDispatcher

_log = logging.getLogger(__name__)
_WAIT = 5.0  # seconds for another coordinator to take over, while a partition is being revoked
_AGAIN = 0.1  # seconds between such attempts
_PASSING: Final = frozenset(
    {
        *("COORDINATOR_LOAD_IN_PROGRESS", "COORDINATOR_NOT_AVAILABLE", "NOT_COORDINATOR", "_WAIT_COORD"),
        *("_TRANSPORT", "_TIMED_OUT", "REQUEST_TIMED_OUT", "NETWORK_EXCEPTION", "REBALANCE_IN_PROGRESS"),
    }
)
_AFTER_REJOINING: Final = frozenset({"ILLEGAL_GENERATION", "UNKNOWN_MEMBER_ID", "STALE_MEMBER_EPOCH"})


class Commits:
    """What waits to be committed, and how it is.

    Two threads in one consumer can lock each other out: librdkafka's locks and Python's are taken in either
    order. So other threads only `ask`.

    Args:
        stored: whether librdkafka commits in its own time what is stored with it (``enable.auto.commit``).
        tell: what hears of commits.
        failed: is called with the partitions whose offsets were not committed.
    """

    def __init__(
        self, *, stored: bool, tell: HookDispatcher, failed: Callable[[Iterable[Partition]], object]
    ) -> None:
        self._stored = stored
        self._tell = tell
        self._failed = failed
        self._asked: deque[dict[Partition, int]] = deque()
        self._settled: dict[Partition, int] = {}  # the last that was accepted, or refused for good
        self._refusal = ""  # the last answer; empty if it was accepted
        self._answered = True

    def ask(self, offsets: dict[Partition, int]) -> None:
        """Have these committed soon. From any thread."""
        self._asked.append(offsets)

    def make(self, consumer: Consumer) -> None:
        """Commit what was asked for of partitions that are ours, without waiting for the answer."""
        while self._asked:
            asked = self._asked.popleft()
            # One that was lost may have been asked for before the event loop heard of that.
            ours = {(position.topic, position.partition) for position in consumer.assignment()}
            offsets = {partition: offset for partition, offset in asked.items() if partition in ours}
            try:
                if offsets:
                    self._make(consumer, offsets)
            except KafkaException as error:
                self._answer(offsets, error.args[0])

    def withdraw(self, leaving: Iterable[Partition]) -> dict[Partition, int]:
        """Take back what was asked for these partitions: later it might overwrite another owner's commit.

        Returns:
            What was asked and not sent.
        """
        withdrawn: dict[Partition, int] = {}
        for partition in leaving:
            for offsets in tuple(self._asked):  # at once: another thread may ask meanwhile
                if partition in offsets:
                    withdrawn[partition] = offsets.pop(partition)
        return withdrawn

    def forget(self, leaving: Iterable[Partition]) -> None:
        """These partitions are gone: what was settled says nothing about their next assignment."""
        for partition in leaving:
            self._settled.pop(partition, None)

    def make_now(self, consumer: Consumer, offsets: Mapping[Partition, int]) -> None:
        """Commit what is not settled yet, and wait for the answer; again while the coordinator moves."""
        until = time.monotonic() + _WAIT
        while left := self._unsettled(offsets):
            try:
                self._store(consumer, left)
                done = consumer.commit(offsets=_positions(left), asynchronous=False) or ()
            except KafkaException as error:
                self._answer(left, error.args[0])
            else:
                self.on_commit(None, list(done))  # librdkafka does not call it for these
            if self._refusal not in _PASSING or time.monotonic() > until:
                return
            time.sleep(_AGAIN)

    def make_before_leaving(self, consumer: Consumer, offsets: Mapping[Partition, int]) -> bool:
        """Commit what is not settled yet, unless an answer is due. Call it again after a poll.

        Returns:
            Whether everything is settled.
        """
        left = self._unsettled(offsets)
        if left and self._answered:
            self._answered = False
            try:
                self._store(consumer, left)
                consumer.commit(offsets=_positions(left), asynchronous=True)
            except KafkaException as error:
                self._answer(left, error.args[0])
        return not left

    def on_commit(self, error: KafkaError | None, partitions: list[TopicPartition]) -> None:
        """Hear of a commit from librdkafka."""
        if error is not None and error.code() == KafkaError._NO_OFFSET:  # noqa: SLF001 - librdkafka's name
            error = None
        answers: dict[str, tuple[dict[Partition, int], KafkaError | None]] = {}
        for position in partitions:
            reason = error or position.error
            offsets, _ = answers.setdefault(reason.name() if reason else "", ({}, reason))
            if position.offset >= 0:
                offsets[Partition(position.topic, position.partition)] = position.offset
        for offsets, reason in answers.values():
            self._answer(offsets, reason)

    def _make(self, consumer: Consumer, offsets: Mapping[Partition, int]) -> None:
        self._store(consumer, offsets)
        if not self._stored:
            consumer.commit(offsets=_positions(offsets), asynchronous=True)

    def _store(self, consumer: Consumer, offsets: Mapping[Partition, int]) -> None:
        """Give librdkafka what it commits in its own time: else it might commit an older offset later."""
        if self._stored:
            consumer.store_offsets(offsets=_positions(offsets))

    def _unsettled(self, offsets: Mapping[Partition, int]) -> dict[Partition, int]:
        return {p: offset for p, offset in offsets.items() if self._settled.get(p) != offset}

    def _answer(self, offsets: Mapping[Partition, int], error: KafkaError | None) -> None:
        self._answered, self._refusal = True, "" if error is None else error.name()
        if self._refusal not in _PASSING | _AFTER_REJOINING:
            self._settled.update(offsets)
        if error is not None:
            _log.warning("offsets were not committed, later ones will be: %s", error.str())
            self._failed(tuple(offsets))
        self._told(offsets, self._refusal)

    def _told(self, offsets: Mapping[Partition, int], error: str) -> None:
        if self._tell and offsets:
            self._tell(Committed(offsets, error))


def _positions(offsets: Mapping[Partition, int]) -> Any:
    return [TopicPartition(*partition, offset) for partition, offset in offsets.items()]
