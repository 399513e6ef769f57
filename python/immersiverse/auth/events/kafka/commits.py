"""Commits of a consumer, made by the one thread that may touch it."""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING, Any

from confluent_kafka import KafkaError, KafkaException, TopicPartition

from immersiverse.auth.events.observability.hooks import Committed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from confluent_kafka import Consumer

    from immersiverse.auth.events.kafka.telling import Telling

    Partition = tuple[str, int]

_log = logging.getLogger(__name__)


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
        self, *, stored: bool, tell: Telling, failed: Callable[[Iterable[Partition]], object]
    ) -> None:
        self._stored = stored
        self._tell = tell
        self._failed = failed
        self._asked: deque[dict[Partition, int]] = deque()

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
                self._not_committed(offsets, error.args[0])

    def withdraw(self, leaving: Iterable[Partition]) -> dict[Partition, int]:
        """Take back what was asked for these partitions: later it might overwrite another owner's commit."""
        withdrawn: dict[Partition, int] = {}
        for partition in leaving:
            for offsets in tuple(self._asked):  # at once: another thread may ask meanwhile
                if partition in offsets:
                    withdrawn[partition] = offsets.pop(partition)
        return withdrawn

    def make_now(self, consumer: Consumer, offsets: Mapping[Partition, int]) -> None:
        """Commit, and wait for the answer."""
        try:
            done = consumer.commit(offsets=_positions(offsets), asynchronous=False) or ()
        except KafkaException as error:
            self._not_committed(offsets, error.args[0])
            return
        for position in done:  # of which `on_commit` is not told
            committed = {(position.topic, position.partition): position.offset}
            if position.error is not None:
                self._not_committed(committed, position.error)
            else:
                self._told(committed, "")

    def on_commit(self, error: KafkaError | None, partitions: list[TopicPartition]) -> None:
        """Hear of a commit from librdkafka."""
        offsets = {(p.topic, p.partition): p.offset for p in partitions if p.offset >= 0}
        if error is not None and error.code() != KafkaError._NO_OFFSET:  # noqa: SLF001 - librdkafka's name
            self._not_committed(offsets, error)
        else:
            self._told(offsets, "")

    def _make(self, consumer: Consumer, offsets: Mapping[Partition, int]) -> None:
        if self._stored:
            consumer.store_offsets(offsets=_positions(offsets))
        else:
            consumer.commit(offsets=_positions(offsets), asynchronous=True)

    def _not_committed(self, offsets: Mapping[Partition, int], error: KafkaError) -> None:
        _log.warning("offsets were not committed, later ones will be: %s", error.str())
        self._failed(tuple(offsets))
        self._told(offsets, error.name())

    def _told(self, offsets: Mapping[Partition, int], error: str) -> None:
        if self._tell and offsets:
            self._tell(Committed(offsets, error))


def _positions(offsets: Mapping[Partition, int]) -> Any:
    return [TopicPartition(topic, partition, offset) for (topic, partition), offset in offsets.items()]
