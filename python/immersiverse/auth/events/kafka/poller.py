"""The thread that owns the Kafka consumer: it fetches, heeds rebalances, and commits.

It never runs a handler, so however long those take, the group hears from it in time.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, cast

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from immersiverse.auth.events.errors import ConsumeError
from immersiverse.auth.events.kafka.commits import Commits
from immersiverse.auth.events.kafka.flow import Flow
from immersiverse.auth.events.kafka.refusals import refused_setting
from immersiverse.auth.events.kafka.statistics import with_statistics
from immersiverse.auth.events.observability.hooks import Statistics
from immersiverse.auth.events.observability.lag import LagReport
from immersiverse.auth.events.partition import Partition

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from confluent_kafka import Message

    from immersiverse.auth.events.kafka.dispatcher import Dispatcher
    from immersiverse.auth.events.kafka.record import Record
    from immersiverse.auth.events.kafka.telling import Telling

_log = logging.getLogger(__name__)
_LEAVE = 10.0  # seconds to leave the group, beyond what running handlers get
_LAST_COMMIT = 5.0  # seconds of those for the group to accept the last commit
_TICK = 0.02  # seconds between looks whether it has
_MARGIN = 1.0  # seconds for the event loop to say that running handlers were let finish
_BEGINNING = ("earliest", "smallest", "beginning")
_HOPELESS = (
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.SASL_AUTHENTICATION_FAILED,
    KafkaError.UNSUPPORTED_SASL_MECHANISM,
    KafkaError._AUTHENTICATION,  # noqa: SLF001 - librdkafka's name, as the next ones
    KafkaError._AUTO_OFFSET_RESET,  # noqa: SLF001
    KafkaError._FATAL,  # noqa: SLF001
)


class Poller:
    """Feeds a dispatcher from a consumer group.

    Args:
        settings: librdkafka's settings.
        topics: what to subscribe to.
        dispatcher: what handles the messages, in its own event loop.
        loop: that loop.
        backlog: how many messages may be under way; beyond it nothing is fetched.
        drain: how long a partition that is given away may finish what runs, in seconds; at most half of
            ``max.poll.interval.ms``, beyond which the group would give up this member.
        tell: what hears of commits and statistics.
        fail: is called with an error that must stop the subscriber.

    Raises:
        ConfigurationError: if librdkafka refuses a setting.
    """

    def __init__(  # noqa: PLR0913 - what it is made of, by keyword
        self,
        settings: Mapping[str, Any],
        topics: Sequence[str],
        dispatcher: Dispatcher,
        *,
        loop: asyncio.AbstractEventLoop,
        backlog: int,
        drain: float,
        tell: Telling,
        fail: Callable[[BaseException], None],
    ) -> None:
        self._topics = list(topics)
        self._dispatcher = dispatcher
        self._loop = loop
        self._drain = min(drain, int(settings["max.poll.interval.ms"]) / 2000)
        self._fail = fail
        self._flow = Flow(backlog)
        self._in_hand: list[Message] = []
        self._commits = Commits(
            stored=str(settings.get("enable.auto.commit")).lower() == "true",
            tell=tell,
            failed=lambda partitions: self._soon(dispatcher.commit_failed, partitions),
        )
        self._lag = LagReport(
            settings["group.id"], tell, from_beginning=settings.get("auto.offset.reset") in _BEGINNING
        )
        self._consumer = self._made(settings, tell)
        self._last: Future[dict[Partition, int]] | None = None
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
            _log.warning("the consumer does not end; the group will notice that it is gone")

    def commit(self) -> None:
        """Have the thread commit what has finished. From the event loop, where progress is made."""
        if offsets := self._dispatcher.take_commits():
            self._commits.ask(offsets)

    def _run(self) -> None:
        try:
            self._consumer.subscribe(
                self._topics, on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost
            )
            while not self._stopping.is_set():
                self._poll()
            self._leave()
        except KafkaException as error:
            self._soon(self._fail, ConsumeError(error.args[0].name(), error.args[0].str()))
        except BaseException as error:  # noqa: BLE001 - the thread's end must be known, also by a callback's exit
            self._soon(self._fail, error)
        finally:
            self._close()
            self._soon(self._ended.set)

    def _poll(self) -> None:
        self._commits.make(self._consumer)
        wait = self._flow.regulate(self._consumer, self._dispatcher)
        if wait is None:
            return
        first = self._consumer.poll(wait)
        if first is None:
            return
        # The first message ends the wait; the rest comes without one.
        self._in_hand.append(first)
        rest = self._consumer.consume(self._flow.batch - 1, 0)
        self._in_hand.extend(rest)
        self._hand_over()

    def _leave(self) -> None:
        """Let what runs finish, and commit until the group accepts it: ``close`` could try only once."""
        drained = time.monotonic() + self._drain
        self._consumer.pause(self._consumer.assignment())
        ours = _names(self._consumer.assignment())
        self._gone.clear()
        self._last = last = self._drained(ours)
        self._serve(last.done, drained + _MARGIN)
        offsets = {**self._commits.withdraw(ours), **(last.result() if last.done() else {})}

        def settled() -> bool:
            # What was revoked meanwhile was committed then, and another member may be further by now.
            left = {p: offset for p, offset in offsets.items() if p not in self._gone}
            return self._commits.make_before_leaving(self._consumer, left)

        self._serve(settled, drained + _LAST_COMMIT)
        self._last = Future()
        self._last.set_result({})  # so that `close` commits nothing

    def _serve(self, holds: Callable[[], bool], until: float) -> None:
        """Let librdkafka call back until something holds. A message that comes is not begun any more."""
        while not holds():
            if time.monotonic() > until:
                _log.warning("leaving the group without a last commit: its events will be redelivered")
                return
            message = self._consumer.poll(_TICK)
            if message is not None and (error := message.error()) is not None:
                _heed(error)

    def _hand_over(self) -> None:
        messages, self._in_hand = self._in_hand, []
        good = [message for message in messages if message.error() is None]
        if good:
            self._flow.handed += len(good)
            fetched = self._dispatcher.look_at(cast("list[Record]", good))
            self._soon(self._dispatcher.deliver, fetched)
        if len(good) < len(messages):
            for message in messages:
                if (error := message.error()) is not None:
                    _heed(error)

    def _on_assign(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        self._hand_over()
        self._soon(self._dispatcher.assign, _names(partitions))
        self._flow.assigned_anew = True

    def _on_revoke(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        self._hand_over()  # what was fetched before must not seem to belong to a later assignment
        leaving = _names(partitions)
        finished = self._wait(self._last or self._drained(leaving))
        offsets = {**self._commits.withdraw(leaving), **finished}
        self._commits.make_now(self._consumer, {p: offsets[p] for p in leaving if p in offsets})
        self._left(leaving)

    def _on_lost(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        """Others have them already: what runs counts no more."""
        self._hand_over()
        leaving = _names(partitions)
        self._soon(self._dispatcher.lose, leaving)
        self._commits.withdraw(leaving)
        self._left(leaving)

    def _left(self, partitions: list[Partition]) -> None:
        self._gone.update(partitions)
        self._commits.forget(partitions)
        self._lag.withdraw(partitions)

    def _drained(self, leaving: list[Partition]) -> Future[dict[Partition, int]]:
        """Begin nothing more of partitions, and let finish what runs of them.

        They are withdrawn in order with what else is asked of the event loop. A coroutine begins a turn
        later: if a handler keeps the loop from its turn, after the next life of a partition has begun.
        """
        outcome: Future[dict[Partition, int]] = Future()

        def tell(draining: asyncio.Task[dict[Partition, int]]) -> None:
            outcome.set_result({} if draining.cancelled() else draining.result())

        def begin() -> None:
            ours = self._dispatcher.withdraw(leaving)
            self._loop.create_task(self._dispatcher.drained(ours, self._drain)).add_done_callback(tell)

        if not self._soon(begin):
            outcome.set_result({})
        return outcome

    def _wait(self, releasing: Future[dict[Partition, int]]) -> dict[Partition, int]:
        """The offsets to commit; none if a plain handler keeps the event loop from answering in time."""
        try:
            return releasing.result(self._drain + _MARGIN)
        except TimeoutError:
            _log.warning(
                "a handler outlasts the drain time: its partitions go, their events will be repeated"
            )
            return {}

    def _soon(self, call: Callable[..., object], *arguments: object) -> bool:
        """Call something in the event loop, in order; whether there still is one."""
        try:
            self._loop.call_soon_threadsafe(call, *arguments)
        except RuntimeError:  # the loop was closed: nobody waits for this thread any more
            self._stopping.set()
            return False
        return True

    def _made(self, settings: Mapping[str, Any], tell: Telling) -> Consumer:
        ours: dict[str, Any] = {"on_commit": self._commits.on_commit, "error_cb": self._on_error(settings)}
        all_settings = {**settings, **ours}
        if tell:
            all_settings = with_statistics(all_settings, lambda values: self._heed_statistics(values, tell))
        try:
            return Consumer(all_settings, logger=_log)
        except (KafkaException, TypeError, ValueError) as error:
            raise refused_setting("consumer", error) from error

    def _heed_statistics(self, values: dict[str, Any], tell: Telling) -> None:
        self._lag.update(values)
        tell(Statistics("consumer", values))

    def _on_error(self, settings: Mapping[str, Any]) -> Callable[[KafkaError], None]:
        """What hears of errors that belong to no message; the user's own callback hears of them first."""
        users = settings.get("error_cb")

        def heed(error: KafkaError) -> None:
            if users is not None:
                users(error)
            try:
                _heed(error)
            except ConsumeError as hopeless:
                self._soon(self._fail, hopeless)

        return heed

    def _close(self) -> None:
        try:
            self._consumer.close()  # gives up the partitions first, which drains and commits them
        except BaseException as error:  # noqa: BLE001 - also a callback's exit: the thread's end must be known
            _log.warning("the consumer did not close cleanly: %s", error)
        self._lag.end()


def _names(partitions: list[TopicPartition]) -> list[Partition]:
    return [Partition(partition.topic, partition.partition) for partition in partitions]


def _heed(error: KafkaError) -> None:
    """Errors that pass are logged; those that need a person stop the subscriber.

    Raises:
        ConsumeError: for the latter.
    """
    if error.fatal() or error.code() in _HOPELESS:
        raise ConsumeError(error.name(), error.str())
    if error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 - librdkafka's name
        _log.warning("while consuming: %s", error.str())
