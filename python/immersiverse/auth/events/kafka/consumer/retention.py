"""Notices events that retention removed before their group read them.

librdkafka then goes on with the next offset (``auto.offset.reset``), and says so in its own log only. Used in
the poller's thread.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from confluent_kafka import KafkaException, TopicPartition

from immersiverse.auth.events.logs import get_logger
from immersiverse.auth.events.observability.hooks import RetentionLoss
from immersiverse.auth.events.partition import Partition

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from confluent_kafka import Consumer

    from immersiverse.auth.events.kafka.consumer.records import RecordBatch
    from immersiverse.auth.events.kafka.instrumentation import HookDispatcher

_log = get_logger(__name__)
_TIMEOUT = 2.0  # seconds for a broker to answer; without an answer nothing is reported
_TRUSTED = 60.0  # seconds without a question about a partition whose gaps have another cause


class RetentionWatch:
    """Compares what is fetched with what should come next.

    A gap has other causes too: transactions and compaction leave offsets out. So the beginning of the
    partition's log decides, which costs a question to a broker for a gap, and nothing else.

    Args:
        group: the consumer group.
        notify: the hooks.
        from_beginning: whether the consumer goes on with the oldest event that is left, and not with the next
            one that is published (``auto.offset.reset``).
    """

    def __init__(self, group: str, notify: HookDispatcher, *, from_beginning: bool) -> None:
        self._group = group
        self._from_beginning = from_beginning
        self._notify = notify
        self._assigned: set[Partition] = set()  # those of which nothing was fetched yet
        self._next: dict[Partition, int] = {}
        self._trusted_until: dict[Partition, float] = {}

    def assign(self, partitions: Iterable[Partition]) -> None:
        """Partitions were assigned."""
        self._assigned.update(partitions)

    def revoke(self, partitions: Iterable[Partition]) -> None:
        """Partitions were revoked or lost."""
        for partition in partitions:
            self._assigned.discard(partition)
            self._next.pop(partition, None)
            self._trusted_until.pop(partition, None)

    def check(self, consumer: Consumer, batches: Sequence[RecordBatch]) -> None:
        """Look for gaps before and in what was fetched, and report those that retention left."""
        if self._assigned:
            self._expect_committed(consumer)
        for batch in batches:
            expected = self._next.get(batch.partition, batch.start)
            self._next[batch.partition] = batch.end
            if expected < batch.start:
                self._judge(consumer, batch.partition, expected, batch.start)
            for start, end in batch.gaps:
                self._judge(consumer, batch.partition, start, end)

    def _expect_committed(self, consumer: Consumer) -> None:
        """New partitions should begin where the group has committed."""
        wanted, self._assigned = self._assigned, set()
        try:
            found = consumer.committed([TopicPartition(*partition) for partition in wanted], _TIMEOUT)
        except KafkaException as error:
            _log.debug("cannot look for events that retention removed: %s", error)
            return
        for position in found:
            if position.error is None and position.offset >= 0:
                self._next[Partition(position.topic, position.partition)] = position.offset

    def _judge(self, consumer: Consumer, partition: Partition, start: int, end: int) -> None:
        """Report a gap, from the first offset that is missing to the next one that exists, if it is one."""
        now = time.monotonic()
        if now < self._trusted_until.get(partition, now):
            return
        try:
            oldest, _ = consumer.get_watermark_offsets(TopicPartition(*partition), timeout=_TIMEOUT)
        except KafkaException as error:
            _log.debug("cannot look for events that retention removed: %s", error)
            return
        if oldest <= start:
            self._trusted_until[partition] = now + _TRUSTED
            return
        lost_to = min(oldest, end) if self._from_beginning else end
        _log.error(
            "%s[%d]: retention removed events before group %s handled them: offsets %d to %d are lost to it; "
            "raise retention.ms, or find out why the group fell behind",
            *partition, self._group, start, lost_to - 1,
        )  # fmt: skip
        if self._notify:
            self._notify(RetentionLoss(*partition, start, lost_to))
