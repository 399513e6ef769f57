"""The thread that owns the Kafka consumer: it fetches, heeds rebalances, and commits.

It never runs a handler, so however long those take, the group hears from it in time.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from immersiverse.auth.events.errors import ConfigurationError, ConsumeError
from immersiverse.auth.events.observability.hooks import Committed, Statistics

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping, Sequence

    from immersiverse.auth.events.kafka.dispatcher import Dispatcher
    from immersiverse.auth.events.observability.hooks import Detail

    Partition = tuple[str, int]

_log = logging.getLogger(__name__)
_BATCH = 500  # messages handed over at a time
_WAIT = 0.1  # seconds; how late a stop is noticed
_HOPELESS = (
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.SASL_AUTHENTICATION_FAILED,
    KafkaError.UNSUPPORTED_SASL_MECHANISM,
    KafkaError._FATAL,  # noqa: SLF001 - librdkafka's name
)


class Poller:
    """Feeds a dispatcher from a consumer group.

    Args:
        settings: librdkafka's settings.
        topics: what to subscribe to.
        dispatcher: what handles the messages, in its own event loop.
        loop: that loop.
        backlog: how many messages may be under way; beyond it all partitions are paused.
        drain: how long a partition that is given away may finish what runs, in seconds.
        tell: what hears of commits and statistics; None if nobody listens.
        fail: is called with an error that must stop the subscriber.

    Raises:
        ConfigurationError: if librdkafka refuses a setting.
    """

    def __init__(
        self,
        settings: Mapping[str, Any],
        topics: Sequence[str],
        dispatcher: Dispatcher,
        loop: asyncio.AbstractEventLoop,
        *,
        backlog: int,
        drain: float,
        tell: Callable[[Detail], None] | None,
        fail: Callable[[BaseException], None],
    ) -> None:
        self._topics = list(topics)
        self._dispatcher = dispatcher
        self._loop = loop
        self._backlog = backlog
        self._drain = drain
        self._tell = tell
        self._fail = fail
        self._stored = str(settings.get("enable.auto.commit")).lower() == "true"
        self._consumer = _consumer({**settings, "on_commit": self._on_commit, **self._statistics(settings)})
        self._stopping = threading.Event()
        self._paused = False
        self._handed = 0
        self._to_commit: deque[dict[Partition, int]] = deque()
        self._thread = threading.Thread(target=self._run, name="auth-events-poller", daemon=True)

    def start(self) -> None:
        """Join the group."""
        self._thread.start()

    async def stop(self) -> None:
        """Let what runs finish, commit, and leave the group."""
        self._stopping.set()
        await self._loop.run_in_executor(None, self._thread.join)

    def commit(self) -> None:
        """Have the thread commit what has finished. From the event loop's thread, where progress is made.

        Two threads in one consumer can lock each other out: librdkafka's locks and Python's are taken in either
        order. So the consumer is only ever touched by its own thread.
        """
        if offsets := self._dispatcher.take_commits():
            self._to_commit.append(offsets)

    def _run(self) -> None:
        try:
            self._consumer.subscribe(
                self._topics, on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost
            )
            while not self._stopping.is_set():
                self._poll()
        except Exception as error:  # noqa: BLE001 - the thread's end must be known
            self._loop.call_soon_threadsafe(self._fail, error)
        finally:
            self._close()

    def _poll(self) -> None:
        while self._to_commit:
            self._commit(self._to_commit.popleft())
        under_way = self._handed - self._dispatcher.finished
        if self._paused and under_way <= self._backlog // 2:
            self._pause(pause=False)
        elif not self._paused and under_way >= self._backlog:
            self._pause(pause=True)
        first = self._consumer.poll(_WAIT)
        if first is None:
            return
        # The first message ends the wait; the rest comes without one.
        messages = [first, *self._consumer.consume(_BATCH - 1, 0)]
        good = [message for message in messages if message.error() is None]
        if len(good) < len(messages):
            _heed_errors(message for message in messages if message.error() is not None)
        self._handed += len(good)
        if good:
            self._loop.call_soon_threadsafe(self._dispatcher.deliver, good)

    def _commit(self, offsets: Mapping[Partition, int]) -> None:
        """Commit, or store for librdkafka to commit."""
        try:
            if self._stored:
                self._consumer.store_offsets(offsets=_positions(offsets))
            else:
                self._consumer.commit(offsets=_positions(offsets), asynchronous=True)
        except KafkaException as error:
            self._loop.call_soon_threadsafe(self._not_committed, offsets, error.args[0])

    def _pause(self, *, pause: bool) -> None:
        partitions = self._consumer.assignment()
        if pause:
            self._consumer.pause(partitions)
        else:
            self._consumer.resume(partitions)
        self._paused = pause

    def _on_assign(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        self._call(self._assign([(p.topic, p.partition) for p in partitions]))
        self._paused = False  # new partitions are not paused: look again

    def _on_revoke(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        leaving = [(p.topic, p.partition) for p in partitions]
        finished = self._call(self._dispatcher.release(leaving, self._drain))
        if offsets := {**self._withdraw(leaving), **finished}:
            self._commit_now(offsets)

    def _on_lost(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        """Others have them already: what runs counts no more."""
        self._call(self._dispatcher.release([(p.topic, p.partition) for p in partitions], 0))

    def _withdraw(self, leaving: list[Partition]) -> dict[Partition, int]:
        """Take back what waits to be committed for these partitions: later it might overwrite another's commit."""
        withdrawn: dict[Partition, int] = {}
        for offsets in self._to_commit:
            withdrawn.update(
                {partition: offsets.pop(partition) for partition in leaving if partition in offsets}
            )
        return withdrawn

    async def _assign(self, partitions: list[Partition]) -> None:
        self._dispatcher.assign(partitions)

    def _commit_now(self, offsets: Mapping[Partition, int]) -> None:
        try:
            self._consumer.commit(offsets=_positions(offsets), asynchronous=False)
        except KafkaException as error:
            _log.warning("offsets of partitions that leave were not committed: %s", error.args[0].str())
        self._told_commit(offsets, "")

    def _on_commit(self, error: KafkaError | None, partitions: list[TopicPartition]) -> None:
        offsets = {(p.topic, p.partition): p.offset for p in partitions if p.offset >= 0}
        if error is not None and error.code() != KafkaError._NO_OFFSET:  # noqa: SLF001 - librdkafka's name
            self._loop.call_soon_threadsafe(self._not_committed, offsets, error)
        else:
            self._told_commit(offsets, "")

    def _not_committed(self, offsets: Mapping[Partition, int], error: KafkaError) -> None:
        _log.warning("offsets were not committed, later ones will be: %s", error.str())
        for partition in offsets:
            if assignment := self._dispatcher.assignments.get(partition):
                assignment.progress.commit_failed()
        self._told_commit(offsets, error.name())

    def _told_commit(self, offsets: Mapping[Partition, int], error: str) -> None:
        if self._tell and offsets:
            self._tell(Committed(offsets, error))

    def _statistics(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        if self._tell is None or not settings.get("statistics.interval.ms"):
            return {}
        tell = self._tell
        return {"stats_cb": lambda text: tell(Statistics("consumer", json.loads(text)))}

    def _call(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run something in the event loop, and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _close(self) -> None:
        try:
            self._consumer.close()  # gives up the partitions first, which drains and commits them
        except (KafkaException, RuntimeError) as error:
            _log.warning("the consumer did not close cleanly: %s", error)


def _consumer(settings: dict[str, Any]) -> Consumer:
    try:
        return Consumer(settings, logger=_log)
    except KafkaException as error:
        raise ConfigurationError("consumer", error.args[0].str()) from error


def _positions(offsets: Mapping[Partition, int]) -> list[TopicPartition]:
    return [TopicPartition(topic, partition, offset) for (topic, partition), offset in offsets.items()]


def _heed_errors(messages: Any) -> None:
    """Errors that pass are logged; those that need a person stop the subscriber.

    Raises:
        ConsumeError: for the latter.
    """
    for message in messages:
        error = message.error()
        if error.fatal() or error.code() in _HOPELESS:
            raise ConsumeError(error.name(), error.str())
        if error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 - librdkafka's name
            _log.warning("while consuming: %s", error.str())
