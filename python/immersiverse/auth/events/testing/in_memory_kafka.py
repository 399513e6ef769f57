"""What stands in Kafka's place around a subscriber under test, and what is seen of it from there.

Belongs to the thread of the subscriber's event loop, except for handlers that it calls in worker threads.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import wraps
from typing import TYPE_CHECKING, Any, cast

from confluent_kafka import Message

from immersiverse.auth.events.admin.dead_letters.dead_letter import DeadLetter, read_dead_letter
from immersiverse.auth.events.kafka.consumer.records import Invocation, split_batches
from immersiverse.auth.events.kafka.producer.delivery import Delivery
from immersiverse.auth.events.observability.hooks import Dropped, Retried
from immersiverse.auth.events.partition import Partition
from immersiverse.auth.events.v1.events_pb2 import AuthEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from immersiverse.auth.events.kafka.consumer.handlers import Handler
    from immersiverse.auth.events.kafka.consumer.run import SubscriberRun
    from immersiverse.auth.events.kafka.producer.core import RawMessage
    from immersiverse.auth.events.kafka.record import Record
    from immersiverse.auth.events.observability.hooks import Detail

    Place = tuple[str, int, int]  # topic, partition and offset


@dataclass(slots=True)
class FeedResult:
    """What a subscriber did with a message.

    Attributes:
        record: the message.
        handled: whether its handler was called and has succeeded.
        attempts: how often its handler was called.
        error: what its handler raised last; None if it succeeded or was not called.
        dropped: why its inbox kept it from its handler: ``duplicate`` or ``stale``; empty if it did not.
        dead_letter: what was sent to the dead letter topic; None if nothing was.
        skipped: whether it was passed over: nothing handles its type, or it is a tombstone.
        stopped: whether the subscriber has stopped, such as by an error of a fatal kind.
    """

    record: Record
    handled: bool = False
    attempts: int = 0
    error: BaseException | None = None
    dropped: str = ""
    dead_letter: DeadLetter | None = None
    skipped: bool = False
    stopped: bool = False

    @property
    def settled(self) -> bool:
        """Whether the subscriber is done with it; else it waits, such as for a registry."""
        return self.handled or bool(self.dropped) or self.dead_letter is not None or self.skipped


class InMemoryKafka:
    """Kafka's place around the subscriber, and what is seen from there."""

    def __init__(self) -> None:
        self.producer = _DeadLetterLog(self._on_dead_letter)
        self.delays: list[float] = []
        self.topics: Sequence[str] = ()
        self.run: SubscriberRun | None = None
        self.begun = asyncio.Event()
        self._results: dict[Place, FeedResult] = {}
        self._current: ContextVar[FeedResult | None] = ContextVar("result", default=None)
        self._offsets: Counter[Partition] = Counter()
        self._assigned: set[Partition] = set()
        self._delivered = 0

    def source(self, topics: Sequence[str], run: SubscriberRun) -> InMemoryKafka:
        """It is the source itself."""
        self.topics, self.run = topics, run
        self.begun.set()
        return self

    def start(self) -> None:
        """Partitions are assigned when the first message of each is fed."""

    def commit(self) -> None:
        """There is no group to commit to."""

    async def stop(self) -> None:
        """Let what runs finish."""
        if self.run is not None:
            scheduler = self.run.scheduler
            await scheduler.drained(scheduler.withdraw(self._assigned), 0)

    def message(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]]
    ) -> Record:
        """A message at the next offset of a topic's first partition."""
        message = Message(
            topic=topic, partition=0, offset=self._offsets[Partition(topic, 0)],
            key=key, value=value, headers=[*headers], timestamp=(1, 1_748_848_922_115),
        )  # fmt: skip
        self._offsets[Partition(topic, 0)] += 1
        return cast("Record", message)

    def expect(self, records: Sequence[Record]) -> list[FeedResult]:
        """The results of messages, to be filled in."""
        results = [FeedResult(record) for record in records]
        self._results |= {_place(result.record): result for result in results}
        return results

    def deliver(self, records: list[Record]) -> None:
        """Hand messages to the scheduler, as a poller does."""
        assert self.run is not None  # noqa: S101 - it has begun
        batches = split_batches(records)
        new = {batch.partition for batch in batches} - self._assigned
        self.run.scheduler.assign(new)
        self._assigned |= new
        self._delivered += len(records)
        self.run.scheduler.deliver(batches)

    @property
    def is_idle(self) -> bool:
        """Whether everything that was delivered is finished."""
        return self.run is not None and self.run.scheduler.finished >= self._delivered

    def is_finished(self, results: Sequence[FeedResult]) -> bool:
        """Whether these are finished, whatever still waits beside them."""
        return self.is_idle or all(result.settled for result in results)

    def watched(self, handler: Handler, invocation_of: Callable[[Handler], Invocation]) -> Invocation:
        """How a handler is called, with its calls counted for the message's result."""
        return self._observed(invocation_of(replace(handler, call=self._counted(handler.call))))

    def hook(self, detail: Detail, /) -> None:
        """Note what the subscriber says of the message that it works on."""
        if isinstance(detail, Dropped) and (result := self._current.get()) is not None:
            result.dropped = detail.reason
        elif isinstance(detail, Retried):
            self.delays.append(detail.delay)

    def _counted(self, call: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(call)
        def counted(*arguments: Any) -> Any:
            if (result := self._current.get()) is not None:
                result.attempts += 1
            return call(*arguments)

        return counted

    def _observed(self, invocation: Invocation) -> Invocation:
        def call(event: Any, field: str, record: Record, attempt: int) -> None:
            with self._attempt(record):
                invocation.call(event, field, record, attempt)

        async def awaited(event: Any, field: str, record: Record, attempt: int) -> None:
            with self._attempt(record):
                await cast("Any", invocation.call(event, field, record, attempt))

        return invocation._replace(call=awaited if invocation.waits else call)

    @contextmanager
    def _attempt(self, record: Record) -> Iterator[None]:
        result = self._results[_place(record)]
        before = self._current.set(result)
        try:
            yield
        except BaseException as error:
            result.error = error
            raise
        else:
            result.error, result.handled = None, not result.dropped
        finally:
            self._current.reset(before)

    def _on_dead_letter(self, dead_letter: DeadLetter) -> None:
        self._results[dead_letter.topic, dead_letter.partition, dead_letter.offset].dead_letter = dead_letter


class _DeadLetterLog:
    """Takes dead letters as a broker would."""

    is_usable = True

    def __init__(self, on_sent: Callable[[DeadLetter], None]) -> None:
        self._on_sent = on_sent
        self.sent: list[DeadLetter] = []

    async def send_async(self, message: RawMessage) -> Delivery:
        """Acknowledge it at once."""
        delivery, offset = Delivery(AuthEvent(), message.topic), len(self.sent)
        record = Message(
            topic=message.topic, partition=0, offset=offset, key=message.key, value=message.value,
            headers=[*message.headers], timestamp=(1, message.timestamp),
        )  # fmt: skip
        self.sent.append(read_dead_letter(cast("Record", record)))
        self._on_sent(self.sent[-1])
        delivery.complete(0, offset, None)
        return delivery

    def close(self, timeout: float | None = None) -> None:
        """Nothing to end."""


def _place(record: Record) -> Place:
    return record.topic(), record.partition(), record.offset()
