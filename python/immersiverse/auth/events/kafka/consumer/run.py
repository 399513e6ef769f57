"""One run of a subscriber, from joining the group to leaving it.

`SubscriberRun` belongs to the event loop's thread, except for `stop`.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Protocol

from immersiverse.auth.events.kafka.consumer.pruning import prune_regularly

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from immersiverse.auth.events.kafka.consumer.handlers import Handler
    from immersiverse.auth.events.kafka.consumer.records import Invocation
    from immersiverse.auth.events.kafka.consumer.scheduler import Scheduler
    from immersiverse.auth.events.kafka.dead_letters import DeadLetterProducer
    from immersiverse.auth.events.kafka.workers import Workers
    from immersiverse.auth.events.observability.hooks import Detail

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class RecordSource(Protocol):
    """Where a run's records come from: a `Poller`, or what stands in its place in tests."""

    def start(self) -> None:
        """Assign partitions to the scheduler and deliver their records, from now on."""

    async def stop(self) -> None:
        """Let what runs finish, and commit."""

    def commit(self) -> None:
        """Commit what has finished."""


class KafkaStandIn(Protocol):
    """What stands in Kafka's place around a subscriber under test; all between is the real code."""

    @property
    def producer(self) -> DeadLetterProducer:
        """What takes the dead letters."""

    def hook(self, detail: Detail, /) -> None:
        """Is called after the subscriber's own hooks."""

    def source(self, topics: Sequence[str], run: SubscriberRun) -> RecordSource:
        """What delivers the records of a run."""

    def watched(self, handler: Handler, invocation_of: Callable[[Handler], Invocation]) -> Invocation:
        """How a handler is called, so that its calls are seen."""


class SubscriberRun:
    """One run of a subscriber: its event loop, its scheduler and how it ends.

    Attributes:
        loop: the event loop.
        scheduler: the scheduler.
        failure: the first error that must stop the subscriber; None if there was none.
    """

    def __init__(
        self,
        new_scheduler: Callable[[Workers | None, Callable[[BaseException], None]], Scheduler],
        workers: Workers | None,
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.failure: BaseException | None = None
        self._workers = workers
        self._stop = asyncio.Event()
        self.scheduler = new_scheduler(workers, self.fail)

    @property
    def waits_for_threads(self) -> bool:
        """Whether a worker thread handles an event or asks a registry."""
        return self.scheduler.asks_registry or (self._workers is not None and self._workers.busy)

    async def consume(self, poller: RecordSource, commit_interval: float, inbox: object) -> None:
        """Handle events until `stop`; then let what runs finish, commit, and leave the group."""
        poller.start()
        pruning = self.loop.create_task(prune_regularly(inbox))
        try:
            await self._commit_until_stopped(poller, commit_interval)
        finally:
            pruning.cancel()
            try:
                self.scheduler.release()
                await poller.stop()
            finally:  # also if this is cancelled
                await self.scheduler.close()
                if self._workers is not None:
                    self._workers.close()

    def stop(self) -> None:
        """Begin nothing new, at once. From any thread."""
        self.scheduler.stop()  # the event loop may be some events away from its next turn
        with suppress(RuntimeError):  # the loop is closed: the run has ended
            self.loop.call_soon_threadsafe(self._halt)

    def fail(self, error: BaseException) -> None:
        """Stop with an error. In the event loop's thread."""
        self.failure = self.failure or error
        self.scheduler.abort()
        self._halt()

    def _halt(self) -> None:
        self.scheduler.release()
        self._stop.set()

    async def _commit_until_stopped(self, poller: RecordSource, interval: float) -> None:
        while not self._stop.is_set():
            try:
                await asyncio.wait_for(self._stop.wait(), interval)
            except TimeoutError:
                poller.commit()


@contextmanager
def stop_on_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Stop on the first signal; a second one does what signals do by default, which ends the process.

    Elsewhere than in the main thread, where Python handles no signals, it does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}

    def restore() -> None:
        for number, handler in before.items():
            if handler is not None:  # None: installed by something that is not Python
                signal.signal(number, handler)

    def on_signal(_number: int, _frame: Any) -> None:
        restore()
        stop()

    # Not the event loop's own handlers: those wait for its turn, which a plain handler may delay.
    for number in _SIGNALS:
        signal.signal(number, on_signal)
    try:
        yield
    finally:
        restore()
