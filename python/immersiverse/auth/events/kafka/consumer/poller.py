"""The thread that owns the Kafka consumer: it fetches, answers rebalances, and commits.

It never runs a handler, so however long those take, the group hears from it in time. `Poller.start`, `stop`
and `commit` belong to the event loop's thread; everything else, librdkafka's callbacks included, to its own.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import defaultdict
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, cast

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from immersiverse.auth.events.errors import ConsumeError
from immersiverse.auth.events.kafka.config import config_error_from, with_statistics
from immersiverse.auth.events.kafka.connection_log import ConnectionLog
from immersiverse.auth.events.kafka.consumer.backpressure import Backpressure
from immersiverse.auth.events.kafka.consumer.log_throttle import LogThrottle
from immersiverse.auth.events.kafka.consumer.offsets import OffsetCommitter
from immersiverse.auth.events.kafka.consumer.records import split_batches
from immersiverse.auth.events.kafka.consumer.retention import RetentionWatch
from immersiverse.auth.events.logs import get_logger
from immersiverse.auth.events.observability.hooks import Statistics
from immersiverse.auth.events.observability.lag import LagReport
from immersiverse.auth.events.partition import Partition

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from confluent_kafka import Message

    from immersiverse.auth.events.kafka.consumer.options import Policy
    from immersiverse.auth.events.kafka.consumer.scheduler import Scheduler
    from immersiverse.auth.events.kafka.instrumentation import HookDispatcher
    from immersiverse.auth.events.kafka.record import Record

_log = get_logger(__name__)
_LEAVE = 10.0  # seconds to leave the group, beyond what running handlers get
_LAST_COMMIT = 5.0  # seconds of those for the group to accept the last commit
_TICK = 0.02  # seconds between looks whether it has
_MARGIN = 1.0  # seconds for the event loop to report that running handlers have finished
_BEGINNING = ("earliest", "smallest", "beginning")
_FATAL_CODES = (
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.SASL_AUTHENTICATION_FAILED,
    KafkaError.UNSUPPORTED_SASL_MECHANISM,
    KafkaError._AUTHENTICATION,  # noqa: SLF001 - librdkafka's name, as the next ones
    KafkaError._AUTO_OFFSET_RESET,  # noqa: SLF001
    KafkaError._FATAL,  # noqa: SLF001
)
_LOGGED_ELSEWHERE = (
    KafkaError._PARTITION_EOF,  # noqa: SLF001 - no error
    KafkaError._TRANSPORT,  # noqa: SLF001 - by ConnectionLog, as the next ones
    KafkaError._RESOLVE,  # noqa: SLF001
    KafkaError._SSL,  # noqa: SLF001
    KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001
)


class Poller:
    """Feeds a scheduler, in its event loop, from a consumer group.

    ``on_error`` is called in the event loop with an error that must stop the subscriber.

    Raises:
        ConfigurationError: if librdkafka refuses a setting.
    """

    def __init__(  # noqa: PLR0913 - its parts, by keyword
        self,
        settings: Mapping[str, Any],
        topics: Sequence[str],
        scheduler: Scheduler,
        *,
        loop: asyncio.AbstractEventLoop,
        policy: Policy,
        notify: HookDispatcher,
        on_error: Callable[[BaseException], None],
    ) -> None:
        self._topics = list(topics)
        self._group = settings["group.id"]
        self._scheduler = scheduler
        self._loop = loop
        # At most half of the interval, beyond which the group would give up this member.
        self._drain = min(policy.drain, int(settings["max.poll.interval.ms"]) / 2000)
        self._on_error = on_error
        self._backpressure = Backpressure(policy.backlog)
        self._fetched: list[Message] = []
        self._commits = OffsetCommitter(
            stored=str(settings.get("enable.auto.commit")).lower() == "true",
            notify=notify,
            on_failure=lambda partitions: self._call_in_loop(scheduler.commit_failed, partitions),
        )
        from_beginning = settings.get("auto.offset.reset") in _BEGINNING
        self._lag = LagReport(self._group, notify, from_beginning=from_beginning)
        self._retention = RetentionWatch(self._group, notify, from_beginning=from_beginning)
        self._warnings = LogThrottle()
        self._consumer = self._new_consumer(settings, notify)
        self._last_drain: Future[dict[Partition, int]] | None = None
        self._gone: set[Partition] = set()
        self._stopping = threading.Event()
        self._ended = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="auth-events-poller", daemon=True)

    def start(self) -> None:
        """Join the group."""
        self._thread.start()

    async def stop(self) -> None:
        """Let what runs finish, commit, and leave the group."""
        self._stopping.set()
        try:
            await asyncio.wait_for(self._ended.wait(), self._drain + _LEAVE)
        except TimeoutError:
            _log.warning("group %s: the consumer does not close; its session will time out", self._group)

    def commit(self) -> None:
        """Have the thread commit what has finished."""
        if offsets := self._scheduler.take_commits():
            self._commits.request(offsets)

    def _run(self) -> None:
        try:
            self._consumer.subscribe(
                self._topics, on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost
            )
            while not self._stopping.is_set():
                self._poll()
            self._leave()
        except KafkaException as error:
            self._call_in_loop(self._on_error, ConsumeError(error.args[0].name(), error.args[0].str()))
        except BaseException as error:  # noqa: BLE001 - the subscriber must end with it, also a callback's exit
            self._call_in_loop(self._on_error, error)
        finally:
            self._close()
            self._call_in_loop(self._ended.set)

    def _poll(self) -> None:
        self._commits.commit_pending(self._consumer)
        timeout = self._backpressure.poll_timeout(self._consumer, self._scheduler)
        if timeout is None:
            return
        first = self._consumer.poll(timeout)
        if first is None:
            return
        # The first message ends the wait; the rest comes without one.
        self._fetched.append(first)
        self._fetched.extend(self._consumer.consume(self._backpressure.batch - 1, 0))
        self._hand_over()

    def _leave(self) -> None:
        """Let what runs finish, and commit until the group accepts it: ``close`` would try only once."""
        drained_by = time.monotonic() + self._drain
        self._consumer.pause(self._consumer.assignment())
        assigned = _names(self._consumer.assignment())
        self._gone.clear()
        self._last_drain = last = self._drained(assigned)
        self._serve(last.done, drained_by + _MARGIN)
        offsets = {**self._commits.cancel(assigned), **(last.result() if last.done() else {})}

        def is_settled() -> bool:
            # What was revoked meanwhile was committed then, and another member may be further by now.
            left = {p: offset for p, offset in offsets.items() if p not in self._gone}
            return self._commits.commit_before_leaving(self._consumer, left)

        self._serve(is_settled, drained_by + _LAST_COMMIT)
        self._last_drain = Future()
        self._last_drain.set_result({})  # so that `close` commits nothing

    def _serve(self, holds: Callable[[], bool], until: float) -> None:
        """Let librdkafka call back until something holds. Messages that come are not handled any more."""
        while not holds():
            if time.monotonic() > until:
                _log.warning("leaving the group without a last commit: its events will be redelivered")
                return
            message = self._consumer.poll(_TICK)
            if message is not None and (error := message.error()) is not None:
                self._log_or_raise(error)

    def _hand_over(self) -> None:
        messages, self._fetched = self._fetched, []
        good = [message for message in messages if message.error() is None]
        if good:
            self._backpressure.handed += len(good)
            batches = split_batches(cast("list[Record]", good))
            self._retention.check(self._consumer, batches)
            self._call_in_loop(self._scheduler.deliver, batches)
        if len(good) < len(messages):
            for message in messages:
                if (error := message.error()) is not None:
                    self._log_or_raise(error)

    def _on_assign(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        self._hand_over()
        assigned = _names(partitions)
        if assigned:
            _log.info("group %s: assigned %s", self._group, _listed(assigned))
        self._retention.assign(assigned)
        self._call_in_loop(self._scheduler.assign, assigned)
        self._backpressure.assigned_anew = True

    def _on_revoke(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        self._hand_over()  # what was fetched before must not seem to belong to a later assignment
        leaving = _names(partitions)
        finished = self._wait(self._last_drain or self._drained(leaving))
        offsets = {**self._commits.cancel(leaving), **finished}
        self._commits.commit_now(self._consumer, {p: offsets[p] for p in leaving if p in offsets})
        _log.info("group %s: revoked %s", self._group, _listed(leaving))
        self._forget(leaving)

    def _on_lost(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        """Others own them already: what runs is not committed."""
        self._hand_over()
        leaving = _names(partitions)
        _log.warning(
            "group %s: lost %s, since the group did not hear from this member in time; "
            "events that were not committed will be redelivered",
            self._group, _listed(leaving),
        )  # fmt: skip
        self._call_in_loop(self._scheduler.lose, leaving)
        self._commits.cancel(leaving)
        self._forget(leaving)

    def _forget(self, partitions: list[Partition]) -> None:
        self._gone.update(partitions)
        self._commits.forget(partitions)
        self._retention.revoke(partitions)
        self._lag.withdraw(partitions)

    def _drained(self, leaving: list[Partition]) -> Future[dict[Partition, int]]:
        """Begin nothing more of partitions, and let the handlers that run finish.

        They are withdrawn in order with the other calls into the event loop. A coroutine would begin a turn
        later: if a handler blocks the loop, after the partition was assigned again.
        """
        outcome: Future[dict[Partition, int]] = Future()

        def report(draining: asyncio.Task[dict[Partition, int]]) -> None:
            outcome.set_result({} if draining.cancelled() else draining.result())

        def begin() -> None:
            revoked = self._scheduler.withdraw(leaving)
            self._loop.create_task(self._scheduler.drained(revoked, self._drain)).add_done_callback(report)

        if not self._call_in_loop(begin):
            outcome.set_result({})
        return outcome

    def _wait(self, drained: Future[dict[Partition, int]]) -> dict[Partition, int]:
        """The offsets to commit; none if a plain handler keeps the event loop from answering in time."""
        try:
            return drained.result(self._drain + _MARGIN)
        except TimeoutError:
            _log.warning(
                "a handler did not finish within the drain time; its partitions are revoked and their events "
                "will be redelivered"
            )
            return {}

    def _call_in_loop(self, call: Callable[..., object], *arguments: object) -> bool:
        """Call something in the event loop, in order; whether the loop still exists."""
        try:
            self._loop.call_soon_threadsafe(call, *arguments)
        except RuntimeError:  # the loop was closed without waiting for this thread
            self._stopping.set()
            return False
        return True

    def _new_consumer(self, settings: Mapping[str, Any], notify: HookDispatcher) -> Consumer:
        ours: dict[str, Any] = {
            "on_commit": self._commits.on_commit,
            "error_cb": self._error_callback(settings),
        }
        all_settings = {**settings, **ours}
        if notify:
            all_settings = with_statistics(all_settings, lambda values: self._on_statistics(values, notify))
        connection = ConnectionLog("consumer", all_settings, _log)
        try:
            return Consumer(connection.settings, logger=connection)
        except (KafkaException, TypeError, ValueError) as error:
            raise config_error_from("consumer", error) from error

    def _on_statistics(self, values: dict[str, Any], notify: HookDispatcher) -> None:
        self._lag.update(values)
        notify(Statistics("consumer", values))

    def _error_callback(self, settings: Mapping[str, Any]) -> Callable[[KafkaError], None]:
        """For errors that belong to no message; the user's own callback is called first."""
        users = settings.get("error_cb")

        def on_error(error: KafkaError) -> None:
            if users is not None:
                users(error)
            try:
                self._log_or_raise(error)
            except ConsumeError as fatal:
                self._call_in_loop(self._on_error, fatal)

        return on_error

    def _log_or_raise(self, error: KafkaError) -> None:
        """Log errors that pass; those that only a person can fix stop the subscriber.

        Raises:
            ConsumeError: for the latter.
        """
        if error.fatal() or error.code() in _FATAL_CODES:
            raise ConsumeError(error.name(), error.str())
        if error.code() not in _LOGGED_ELSEWHERE and self._warnings.is_due(error.name()):
            _log.warning("while consuming: %s", error.str())

    def _close(self) -> None:
        try:
            self._consumer.close()  # revokes the partitions first, which drains and commits them
        except BaseException as error:  # noqa: BLE001 - also a callback's exit: `_ended` must be set
            _log.warning("the consumer did not close cleanly: %s", error)
        self._lag.end()


def _names(partitions: list[TopicPartition]) -> list[Partition]:
    return [Partition(partition.topic, partition.partition) for partition in partitions]


def _listed(partitions: Iterable[Partition]) -> str:
    """Such as ``auth.events.login [0, 1], auth.events.user [0]``."""
    numbers: defaultdict[str, list[int]] = defaultdict(list)
    for topic, number in sorted(partitions):
        numbers[topic].append(number)
    return ", ".join(f"{topic} {found}" for topic, found in numbers.items()) or "nothing"
