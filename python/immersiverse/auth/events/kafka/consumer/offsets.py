"""Which offsets may be committed, and how they are.

`OffsetTracker` belongs to the event loop's thread. `OffsetCommitter` belongs to the poller's: two threads in
one consumer can deadlock, since librdkafka's locks and Python's are taken in either order. The one method
for other threads is `OffsetCommitter.request`.

A commit counts when it is answered, not when it is sent. While a classic group waits for a member to rejoin,
the coordinator does not even read the commits of those that have: they queue behind their JoinGroup request
on the same connection, and are refused then, since the group's generation has changed (ILLEGAL_GENERATION).
"""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from confluent_kafka import KafkaError, KafkaException, TopicPartition

from immersiverse.auth.events.kafka.consumer.log_throttle import LogThrottle
from immersiverse.auth.events.logs import get_logger
from immersiverse.auth.events.observability.hooks import Committed
from immersiverse.auth.events.partition import Partition

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from collections.abc import Set as AbstractSet

    from confluent_kafka import Consumer

    from immersiverse.auth.events.kafka.instrumentation import HookDispatcher


_log = get_logger(__name__)
_COORDINATOR_WAIT = 5.0  # seconds for another coordinator to take over, while a partition is revoked
_RETRY_AFTER = 0.1  # seconds between such attempts
_TRANSIENT: Final = frozenset(
    {
        *("COORDINATOR_LOAD_IN_PROGRESS", "COORDINATOR_NOT_AVAILABLE", "NOT_COORDINATOR", "_WAIT_COORD"),
        *("_TRANSPORT", "_TIMED_OUT", "REQUEST_TIMED_OUT", "NETWORK_EXCEPTION", "REBALANCE_IN_PROGRESS"),
    }
)
_OVER_AFTER_REJOINING: Final = frozenset({"ILLEGAL_GENERATION", "UNKNOWN_MEMBER_ID", "STALE_MEMBER_EPOCH"})


class OffsetTracker:
    """Which offsets of one assigned partition are finished, and up to where that may be committed.

    Offsets begin in order and finish in any order. Only what lies before the first unfinished one may be
    committed, or an event could be lost.

    Attributes:
        position: the offset after the last that began; -1 before the first.
    """

    __slots__ = ("_first", "_taken", "_unfinished", "position")

    def __init__(self) -> None:
        self.position = -1
        self._taken = -1
        self._first = -1  # where nothing has finished yet
        self._unfinished: dict[int, None] = {}  # in the order of offsets, since they begin in order

    def begin(self, offset: int) -> None:
        """An event began that will finish later."""
        if self.position < 0:
            self._first = offset
        self._unfinished[offset] = None
        self.position = offset + 1

    def finish(self, offset: int) -> None:
        """An event that began has finished."""
        del self._unfinished[offset]

    @property
    def unfinished(self) -> int:
        """How many events began and have not finished."""
        return len(self._unfinished)

    @property
    def committable(self) -> int:
        """The offset to read next after a crash now, which may be committed; -1 if there is none yet."""
        return next(iter(self._unfinished), self.position)

    def end_of_work(self, running: AbstractSet[int]) -> int:
        """The offset after the last event that finished or is one of the running; later ones only wait.

        Where offsets are missing from the log, events that wait just before the gap count as well.
        """
        end = self.position
        for offset in reversed(self._unfinished):
            if offset != end - 1 or offset in running:
                break
            end = offset
        return end

    def take_commit(self) -> int | None:
        """What to commit now; None if nothing finished since the last call."""
        offset = self.last_commit
        if offset == self._taken:
            return None
        self._taken = -1 if offset is None else offset
        return offset

    @property
    def last_commit(self) -> int | None:
        """What to commit if nothing more finishes, taken before or not; None if nothing finished."""
        offset = self.committable
        return None if offset in (-1, self._first) else offset

    def commit_failed(self) -> None:
        """What was taken was not committed: offer it again."""
        self._taken = -1


class OffsetCommitter:
    """Commits offsets, and keeps track of the answers.

    Args:
        stored: whether librdkafka commits by itself what is stored with it (``enable.auto.commit``).
        notify: the hooks.
        on_failure: is called with the partitions whose offsets were not committed.
    """

    def __init__(
        self, *, stored: bool, notify: HookDispatcher, on_failure: Callable[[Iterable[Partition]], object]
    ) -> None:
        self._stored = stored
        self._notify = notify
        self._on_failure = on_failure
        self._requests: deque[dict[Partition, int]] = deque()
        self._settled: dict[Partition, int] = {}  # the last offset that was accepted, or refused for good
        self._refusal = ""  # the last answer; empty if it was accepted
        self._answered = True
        self._warnings = LogThrottle()

    def request(self, offsets: dict[Partition, int]) -> None:
        """Have these committed soon. From any thread."""
        self._requests.append(offsets)

    def commit_pending(self, consumer: Consumer) -> None:
        """Commit what was requested for assigned partitions, without waiting for the answer."""
        while self._requests:
            requested = self._requests.popleft()
            # A partition may have been lost after the request, before the event loop learned of it.
            assigned = {Partition(position.topic, position.partition) for position in consumer.assignment()}
            offsets = {partition: offset for partition, offset in requested.items() if partition in assigned}
            try:
                if offsets:
                    self._commit(consumer, offsets)
            except KafkaException as error:
                self._on_answer(offsets, error.args[0])

    def cancel(self, leaving: Iterable[Partition]) -> dict[Partition, int]:
        """Cancel requests for these partitions: sent later they might overwrite another owner's commit.

        Returns:
            What was requested and not sent.
        """
        cancelled: dict[Partition, int] = {}
        for partition in leaving:
            for offsets in tuple(self._requests):  # a copy: another thread may add a request meanwhile
                if partition in offsets:
                    cancelled[partition] = offsets.pop(partition)
        return cancelled

    def forget(self, leaving: Iterable[Partition]) -> None:
        """These partitions are gone: answers for them say nothing about their next assignment."""
        for partition in leaving:
            self._settled.pop(partition, None)

    def commit_now(self, consumer: Consumer, offsets: Mapping[Partition, int]) -> None:
        """Commit what is not settled yet and wait for the answer; try again while the coordinator moves."""
        until = time.monotonic() + _COORDINATOR_WAIT
        while left := self._unsettled(offsets):
            try:
                self._store(consumer, left)
                done = consumer.commit(offsets=_positions(left), asynchronous=False) or ()
            except KafkaException as error:
                self._on_answer(left, error.args[0])
            else:
                self.on_commit(None, list(done))  # librdkafka does not call it for these
            if self._refusal not in _TRANSIENT or time.monotonic() > until:
                return
            time.sleep(_RETRY_AFTER)

    def commit_before_leaving(self, consumer: Consumer, offsets: Mapping[Partition, int]) -> bool:
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
                self._on_answer(left, error.args[0])
        return not left

    def on_commit(self, error: KafkaError | None, partitions: list[TopicPartition]) -> None:
        """Take librdkafka's answer: its ``on_commit`` callback."""
        if error is not None and error.code() == KafkaError._NO_OFFSET:  # noqa: SLF001 - librdkafka's name
            error = None
        answers: dict[str, tuple[dict[Partition, int], KafkaError | None]] = {}
        for position in partitions:
            reason = error or position.error
            offsets, _ = answers.setdefault(reason.name() if reason else "", ({}, reason))
            if position.offset >= 0:
                offsets[Partition(position.topic, position.partition)] = position.offset
        for offsets, reason in answers.values():
            self._on_answer(offsets, reason)

    def _commit(self, consumer: Consumer, offsets: Mapping[Partition, int]) -> None:
        self._store(consumer, offsets)
        if not self._stored:
            consumer.commit(offsets=_positions(offsets), asynchronous=True)

    def _store(self, consumer: Consumer, offsets: Mapping[Partition, int]) -> None:
        """Replace what librdkafka commits by itself: else it might commit an older offset later."""
        if self._stored:
            consumer.store_offsets(offsets=_positions(offsets))

    def _unsettled(self, offsets: Mapping[Partition, int]) -> dict[Partition, int]:
        return {p: offset for p, offset in offsets.items() if self._settled.get(p) != offset}

    def _on_answer(self, offsets: Mapping[Partition, int], error: KafkaError | None) -> None:
        self._answered, self._refusal = True, "" if error is None else error.name()
        if self._refusal not in _TRANSIENT | _OVER_AFTER_REJOINING:
            self._settled.update(offsets)
        if error is not None:
            if self._warnings.is_due(self._refusal):  # a rebalance refuses commits one after the other
                _log.warning("offsets were not committed, later commits will include them: %s", error.str())
            self._on_failure(tuple(offsets))
        if self._notify and offsets:
            self._notify(Committed(offsets, self._refusal))


def _positions(offsets: Mapping[Partition, int]) -> Any:
    return [TopicPartition(*partition, offset) for partition, offset in offsets.items()]
