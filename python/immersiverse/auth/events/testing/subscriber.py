"""Test a subscriber without Kafka: feed it events, and see what its real code does with them.

Only what talks to Kafka is replaced: the poller and the producer of dead letters. Decoding, scheduling,
handlers, inbox, retries and hooks are the subscriber's own, in an event loop whose time runs by itself.

`SubscriberTest` runs that loop in the thread that feeds it; with ``async with`` in a thread of its own.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar, cast

from confluent_kafka import Message

from immersiverse.auth.events import catalog
from immersiverse.auth.events.admin.dead_letters.dead_letter import DeadLetter, read_dead_letter
from immersiverse.auth.events.errors import ConfigurationError
from immersiverse.auth.events.kafka.consumer.options import reads
from immersiverse.auth.events.kafka.consumer.records import Invocation, split_batches
from immersiverse.auth.events.kafka.producer.delivery import Delivery
from immersiverse.auth.events.observability.hooks import Dropped, Retried
from immersiverse.auth.events.partition import Partition
from immersiverse.auth.events.serialization.schemas import MAX_SCHEMA_ID, PinnedSchemas
from immersiverse.auth.events.serialization.serializer import AuthEventSerializer
from immersiverse.auth.events.testing.virtual_time import VirtualTimeLoop
from immersiverse.auth.events.v1.events_pb2 import AuthEvent

T = TypeVar("T")

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from immersiverse.auth.events.kafka.consumer.handlers import Handler
    from immersiverse.auth.events.kafka.consumer.run import SubscriberRun
    from immersiverse.auth.events.kafka.consumer.subscriber import Subscriber
    from immersiverse.auth.events.kafka.producer.core import RawMessage
    from immersiverse.auth.events.kafka.record import Record
    from immersiverse.auth.events.observability.hooks import Detail

    Fed = AuthEvent | bytes | Record | None
    Place = tuple[str, int, int]  # topic, partition and offset

_SCHEMAS: Final = PinnedSchemas(MAX_SCHEMA_ID)  # an id that no registry gives
_TURNS: Final = 8  # of the event loop before time passes
_FIRST_LOOK, _LAST_LOOK = 0.001, 1.0  # seconds between looks whether everything is finished


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


class SubscriberTest:
    """Feeds a subscriber in place of Kafka; a context manager, also with ``async with``.

    Handlers must be registered before it is entered. It connects to nothing: what it feeds as an event is
    framed as Protobuf, with a schema id that the subscriber's deserializer then trusts. Time passes by
    itself, also for handlers that sleep in asyncio; threads and sockets are really waited for. With ``async
    with`` everything runs in another thread and its loop: make a handler's connections there.

    Args:
        subscriber: what is tested.

    Raises:
        ConfigurationError: on entering, as ``Subscriber.run`` does.
    """

    def __init__(self, subscriber: Subscriber) -> None:
        self._subscriber = subscriber
        self._stand_in = _StandIn()
        self._serializer = AuthEventSerializer(_SCHEMAS)
        self._runner: asyncio.Runner | None = None
        self._thread: ThreadPoolExecutor | None = None
        self._entered = ExitStack()
        self._run: asyncio.Task[None] | None = None

    @property
    def dead_letters(self) -> list[DeadLetter]:
        """What was sent to the dead letter topic, in order."""
        return self._stand_in.producer.sent

    @property
    def delays(self) -> list[float]:
        """Seconds before each retry of any message, in order."""
        return self._stand_in.delays

    def feed(
        self,
        event: Fed,
        *,
        topic: str = "",
        key: bytes | None = None,
        headers: Sequence[tuple[str, bytes]] = (),
        within: float = 3_600.0,
    ) -> FeedResult:
        """Feed one message, and return what the subscriber did with it.

        Args:
            event: an event, the bytes of a value, None for a tombstone, or a message of Confluent's client.
            topic: where it comes from; an event's own topic or the first that is read, unless given.
            key: its key, if `event` is bytes or None.
            headers: its headers, if `event` is bytes or None.
            within: how many seconds may pass, by the loop's time, until it waits no longer.

        Raises:
            ConfigurationError: if the topic is not read, the subscriber has stopped, or a loop is running.
        """
        record = self._record(event, topic, key, headers)
        return self._fed([record], within)[0]

    def feed_all(self, events: Sequence[Fed], *, within: float = 3_600.0) -> list[FeedResult]:
        """Feed messages that are fetched together, as `feed` would each: they may overtake each other."""
        return self._fed([self._record(event) for event in events], within)

    async def feed_async(self, event: Fed, **options: Any) -> FeedResult:
        """`feed`, in an ``async with`` block."""
        return await self._in_thread(partial(self.feed, event, **options))

    async def feed_all_async(self, events: Sequence[Fed], *, within: float = 3_600.0) -> list[FeedResult]:
        """`feed_all`, in an ``async with`` block."""
        return await self._in_thread(partial(self.feed_all, events, within=within))

    def __enter__(self) -> Self:
        _refuse_running_loop("with")
        with ExitStack() as entering:
            self._runner = runner = asyncio.Runner(loop_factory=VirtualTimeLoop)
            entering.enter_context(runner)
            self._subscriber._deserializer.trust(_SCHEMAS.protobuf)  # noqa: SLF001 - the package's own
            entering.enter_context(self._subscriber.connected_to(self._stand_in))
            runner.run(self._begin())
            entering.callback(self._end)
            self._entered = entering.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._entered.close()

    async def __aenter__(self) -> Self:
        self._thread = ThreadPoolExecutor(1, "auth-events-test")
        try:
            await self._in_thread(self.__enter__)
        except BaseException:
            self._thread.shutdown()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            await self._in_thread(partial(self.__exit__, None))
        finally:
            if self._thread is not None:
                self._thread.shutdown()

    async def _in_thread(self, call: Callable[[], T]) -> T:
        if self._thread is None:
            raise ConfigurationError("feed_async", "enter the test with `async with` first")
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    async def _begin(self) -> None:
        loop = cast("VirtualTimeLoop", asyncio.get_running_loop())
        self._run = loop.create_task(self._subscriber._consume(owns_loop=True))  # noqa: SLF001 - the package's own
        begun = loop.create_task(self._stand_in.begun.wait())
        await asyncio.wait((begun, self._run), return_when=asyncio.FIRST_COMPLETED)
        begun.cancel()
        if self._stand_in.run is None:
            await self._run
            raise ConfigurationError("subscriber", "was stopped before it began")
        run = self._stand_in.run
        loop.waits_for_threads = lambda: run.waits_for_threads

    def _end(self) -> None:
        if self._runner is not None and self._run is not None and not self._run.done():
            self._runner.run(self._stopped(self._run))

    async def _stopped(self, run: asyncio.Task[None]) -> None:
        self._subscriber.stop()
        await run

    def _record(
        self,
        event: Fed,
        topic: str = "",
        key: bytes | None = None,
        headers: Sequence[tuple[str, bytes]] = (),
    ) -> Record:
        if isinstance(event, AuthEvent):
            return self._of_event(event, topic)
        if event is None or isinstance(event, bytes):
            return self._stand_in.message(topic or self._topics[0], key, event, headers)
        return event

    def _of_event(self, event: AuthEvent, topic: str) -> Record:
        message = self._serializer.serialize(event)
        own = message.topic if self._reads(message.topic) else catalog.SINGLE_TOPIC
        if not self._reads(topic or own):
            raise ConfigurationError(
                "topic",
                f"the subscriber does not read {topic or message.topic}, but {', '.join(self._topics)}",
            )
        headers = [(name, _bytes(value)) for name, value in message.headers]
        return self._stand_in.message(topic or own, _bytes(message.key), message.value, headers)

    @property
    def _topics(self) -> Sequence[str]:
        return self._stand_in.topics

    def _reads(self, topic: str) -> bool:
        return reads(self._topics, topic)

    def _fed(self, records: list[Record], within: float) -> list[FeedResult]:
        _refuse_running_loop("feed")
        if self._runner is None or self._run is None or self._run.done():
            raise ConfigurationError(
                "feed", "the subscriber does not run: it has stopped, or not been entered"
            )
        results = self._stand_in.expect(records)
        self._runner.run(self._settled(records, results, within))
        return results

    async def _settled(self, records: list[Record], results: list[FeedResult], within: float) -> None:
        """Deliver messages and wait until they are finished, or the subscriber has stopped."""
        loop, stand_in, run = asyncio.get_running_loop(), self._stand_in, cast("Any", self._run)
        stand_in.deliver(records)
        until, look, turns = loop.time() + within, _FIRST_LOOK, 0
        while not (run.done() or stand_in.is_finished(results)) and loop.time() < until:
            turns += 1
            if turns <= _TURNS:
                await asyncio.sleep(0)
            else:
                await asyncio.sleep(look)
                look = min(2 * look, _LAST_LOOK)
        all_finished = stand_in.is_idle
        for result in results:
            result.skipped = all_finished and not result.settled and result.error is None
            result.stopped = run.done()
        if run.done() and not run.cancelled():
            run.exception()  # it is the error of a result: not one that was never looked at


class _StandIn:
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

    def source(self, topics: Sequence[str], run: SubscriberRun) -> _StandIn:
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


def _bytes(value: str | bytes | None) -> bytes:
    return value.encode() if isinstance(value, str) else value or b""


def _refuse_running_loop(name: str) -> None:
    if asyncio._get_running_loop() is not None:  # noqa: SLF001 - documented in asyncio for such questions
        raise ConfigurationError(name, "an event loop is running: use `async with` and await feed_async()")
