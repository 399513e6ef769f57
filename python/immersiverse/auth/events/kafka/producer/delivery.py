"""The outcome of one message that was sent.

A delivery is completed by the producer, in whatever thread serves librdkafka, and may be waited for in any
number of threads and event loops. It does not know the producer. One lock, held for an instant and rarely,
serves all deliveries: it covers who watches a delivery, which matters to those that fail.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from immersiverse.auth.events.errors import PublisherUnusable
from immersiverse.auth.events.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from immersiverse.auth.events.errors import PublishError
    from immersiverse.auth.events.v1.events_pb2 import AuthEvent

    OnDone = Callable[["Delivery"], None]

_log = get_logger(__name__)
_KEPT: Final = 100  # failures
_watching = threading.Lock()
_here = threading.local()


class Delivery:
    """One published event: unacknowledged, acknowledged, or failed. Wait for it, or await it.

    Attributes:
        event: the event.
        topic: where it goes.
        done: whether the outcome is known.
        error: why it failed; None as long as it has not.
        partition: where it is, once acknowledged; -1 before.
        offset: where it is, once acknowledged; -1 before.
    """

    __slots__ = (
        "_arrived", "_callbacks", "_refuse_to_wait", "_unobserved", "_watchers", "done", "error", "event",
        "offset", "partition", "topic",
    )  # fmt: skip

    def __init__(
        self, event: AuthEvent, topic: str, on_done: OnDone | None = None, refuse_to_wait: str = ""
    ) -> None:
        self.event = event
        self.topic = topic
        self.done = False
        self.error: PublishError | None = None
        self.partition = -1
        self.offset = -1
        self._refuse_to_wait = refuse_to_wait
        self._watchers = 0 if on_done is None else 1
        self._callbacks = None if on_done is None else [on_done]
        self._arrived: threading.Event | None = None
        self._unobserved: UnobservedFailures | None = None

    def result(self, timeout: float | None = None) -> Delivery:
        """Itself, when a broker has acknowledged the event.

        Args:
            timeout: how long to wait in seconds; until the outcome is known, unless given.

        Raises:
            PublishError: if it failed.
            PublisherUnusable: if it is not known yet and waiting here would never end: in a callback of
                librdkafka's, and for an `AsyncPublisher`'s delivery, which is awaited.
            TimeoutError: if the outcome is not known in time; the event may still arrive.
        """
        if not self.done:
            self._wait(timeout)
        if self.error is not None:
            self._observe()
            raise self.error
        return self

    def __await__(self) -> Generator[object, None, Delivery]:
        """Like ``result``, in an event loop."""
        if not self.done:
            loop = asyncio.get_running_loop()
            arrived: asyncio.Future[None] = loop.create_future()
            self.add_done_callback(lambda _: _wake(arrived, loop))
            try:
                yield from arrived
            except BaseException:  # cancelled: what fails later must not fail in silence
                self._stop_watching()
                raise
        return self.result()

    def add_done_callback(self, call: OnDone) -> None:
        """Call this once when the outcome is known; now, in this thread, if it is known already."""
        with _watching:
            self._watchers += 1
            self._callbacks = [*(self._callbacks or ()), call]
        # In this order, and `complete` the other way round: so one of the two sees what the other did.
        if self.done:
            self._observe()
            if (interrupt := self._run_callbacks()) is not None:
                raise interrupt

    def watch(self) -> None:
        """Say that the caller looks at the outcome: a failure is neither logged nor raised by a flush."""
        self._watchers += 1

    def complete(self, partition: int, offset: int, error: PublishError | None) -> bool:
        """Say how it ended, once; for the producer. Whether there are callbacks to run.

        It wakes who waits, and calls nothing: it may itself be called within librdkafka's callback.
        """
        if error is None:
            self.partition, self.offset = partition, offset
        self.error, self.done = error, True
        if self._arrived is not None:
            self._arrived.set()
        return self._callbacks is not None

    def run_callbacks(self) -> None:
        """Call what asked to be called, once; for the producer. One that raises stops no other."""
        if (interrupt := self._run_callbacks()) is not None:
            # Raised in the producer's own thread it would end the work for everyone, and not the program.
            _log.error("a delivery callback raised", exc_info=interrupt)

    def _run_callbacks(self) -> BaseException | None:
        with _watching:
            calls, self._callbacks = self._callbacks or (), None
        interrupt: BaseException | None = None
        for call in calls:
            try:
                call(self)
            except (KeyboardInterrupt, SystemExit) as error:
                interrupt = error
            except BaseException:  # noqa: BLE001 - the caller's callback
                _log.exception("a delivery callback raised")
        return interrupt

    def _wait(self, timeout: float | None) -> None:
        if refusal := self._refuse_to_wait or getattr(_here, "refusal", ""):
            raise PublisherUnusable(f"event {self.event.event_id} is not acknowledged yet: {refusal}")
        with _watching:
            self._watchers += 1
            if self._arrived is None:
                self._arrived = threading.Event()
        if not self.done and not self._arrived.wait(timeout):
            self._stop_watching()
            raise TimeoutError(f"event {self.event.event_id} is not acknowledged after {timeout} s")

    def _stop_watching(self) -> None:
        with _watching:
            self._watchers -= 1

    def _observe(self) -> None:
        """Its failure was seen: a flush need not raise it."""
        with _watching:
            self._watchers += 1
            if self._unobserved is not None:
                self._unobserved.count -= 1
                self._unobserved.last.pop(self, None)
                self._unobserved = None

    def lose(self, error: PublishError) -> None:
        """Say that the outcome cannot be learnt: after a fork, where no thread can be waiting for it."""
        self.error, self.done = error, True

    def add_to(self, failures: UnobservedFailures) -> bool:
        """Count a failure unless something watches it; for the producer. Whether it was counted."""
        with _watching:
            if self._watchers:
                return False
            self._unobserved = failures
            failures.count += 1
            failures.last[self] = None
            if len(failures.last) > _KEPT:
                failures.last.pop(next(iter(failures.last)))
        return True


class UnobservedFailures:
    """Failed deliveries that nothing has watched so far.

    Attributes:
        count: how many.
        last: the last of them, in order; not all, so that memory stays bounded in an outage.
    """

    def __init__(self) -> None:
        self.count = 0
        self.last: dict[Delivery, None] = {}


@contextmanager
def waiting_refused(reason: str) -> Iterator[None]:
    """While this lasts, no delivery can be waited for in this thread: it would have to serve itself."""
    _here.refusal = reason
    try:
        yield
    finally:
        _here.refusal = ""


def _wake(arrived: asyncio.Future[None], loop: asyncio.AbstractEventLoop) -> None:
    """From the loop's own thread at once, from another through the loop."""

    def wake() -> None:
        if not arrived.done():
            arrived.set_result(None)

    if asyncio._get_running_loop() is loop:  # noqa: SLF001 - documented in asyncio for exactly this
        wake()
    elif not loop.is_closed():
        loop.call_soon_threadsafe(wake)
