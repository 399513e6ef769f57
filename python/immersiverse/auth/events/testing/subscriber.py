"""Test a subscriber without Kafka: feed it events, and see what its real code does with them.

Only what talks to Kafka is replaced: the poller and the producer of dead letters. Decoding, scheduling,
handlers, inbox, retries and hooks are the subscriber's own, in an event loop whose time runs by itself.

`SubscriberTest` runs that loop in the thread that feeds it; with ``async with`` in a thread of its own.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar, cast

from immersiverse.auth.events import catalog
from immersiverse.auth.events.errors import ConfigurationError
from immersiverse.auth.events.kafka.consumer.options import reads
from immersiverse.auth.events.serialization.schemas import MAX_SCHEMA_ID, PinnedSchemas
from immersiverse.auth.events.serialization.serializer import AuthEventSerializer
from immersiverse.auth.events.testing.in_memory_kafka import FeedResult, InMemoryKafka
from immersiverse.auth.events.testing.virtual_time import VirtualTimeLoop
from immersiverse.auth.events.v1.events_pb2 import AuthEvent

T = TypeVar("T")

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from immersiverse.auth.events.admin.dead_letters.dead_letter import DeadLetter
    from immersiverse.auth.events.kafka.consumer.subscriber import Subscriber
    from immersiverse.auth.events.kafka.record import Record

    Fed = AuthEvent | bytes | Record | None

_SCHEMAS: Final = PinnedSchemas(MAX_SCHEMA_ID)  # an id that no registry gives
_TURNS: Final = 8  # of the event loop before time passes
_FIRST_LOOK, _LAST_LOOK = 0.001, 1.0  # seconds between looks whether everything is finished


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
        self._kafka = InMemoryKafka()
        self._serializer = AuthEventSerializer(_SCHEMAS)
        self._runner: asyncio.Runner | None = None
        self._thread: ThreadPoolExecutor | None = None
        self._entered = ExitStack()
        self._run: asyncio.Task[None] | None = None

    @property
    def dead_letters(self) -> list[DeadLetter]:
        """What was sent to the dead letter topic, in order."""
        return self._kafka.producer.sent

    @property
    def delays(self) -> list[float]:
        """Seconds before each retry of any message, in order."""
        return self._kafka.delays

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
            entering.enter_context(self._subscriber.connected_to(self._kafka))
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
        begun = loop.create_task(self._kafka.begun.wait())
        await asyncio.wait((begun, self._run), return_when=asyncio.FIRST_COMPLETED)
        begun.cancel()
        if self._kafka.run is None:
            await self._run
            raise ConfigurationError("subscriber", "was stopped before it began")
        run = self._kafka.run
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
            return self._kafka.message(topic or self._topics[0], key, event, headers)
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
        return self._kafka.message(topic or own, _bytes(message.key), message.value, headers)

    @property
    def _topics(self) -> Sequence[str]:
        return self._kafka.topics

    def _reads(self, topic: str) -> bool:
        return reads(self._topics, topic)

    def _fed(self, records: list[Record], within: float) -> list[FeedResult]:
        _refuse_running_loop("feed")
        if self._runner is None or self._run is None or self._run.done():
            raise ConfigurationError(
                "feed", "the subscriber does not run: it has stopped, or not been entered"
            )
        results = self._kafka.expect(records)
        self._runner.run(self._settled(records, results, within))
        return results

    async def _settled(self, records: list[Record], results: list[FeedResult], within: float) -> None:
        """Deliver messages and wait until they are finished, or the subscriber has stopped."""
        loop, kafka, run = asyncio.get_running_loop(), self._kafka, cast("Any", self._run)
        kafka.deliver(records)
        until, look, turns = loop.time() + within, _FIRST_LOOK, 0
        while not (run.done() or kafka.is_finished(results)) and loop.time() < until:
            turns += 1
            if turns <= _TURNS:
                await asyncio.sleep(0)
            else:
                await asyncio.sleep(look)
                look = min(2 * look, _LAST_LOOK)
        all_finished = kafka.is_idle
        for result in results:
            result.skipped = all_finished and not result.settled and result.error is None
            result.stopped = run.done()
        if run.done() and not run.cancelled():
            run.exception()  # it is the error of a result: not one that was never looked at


def _bytes(value: str | bytes | None) -> bytes:
    return value.encode() if isinstance(value, str) else value or b""


def _refuse_running_loop(name: str) -> None:
    if asyncio._get_running_loop() is not None:  # noqa: SLF001 - documented in asyncio for such questions
        raise ConfigurationError(name, "an event loop is running: use `async with` and await feed_async()")
