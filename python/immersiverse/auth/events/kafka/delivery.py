"""The fate of one published event."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from confluent_kafka import KafkaError, Message

    from immersiverse.auth.events.errors import PublishError
    from immersiverse.auth.events.observability.tracing import Sending
    from immersiverse.auth.events.v1.events_pb2 import AuthEvent

    OnDone = Callable[["Delivery"], None]

_log = logging.getLogger(__name__)


class Ledger(Protocol):
    """The publisher, seen from one of its deliveries."""

    def settle(self, delivery: Delivery, error: KafkaError | None, record: Message) -> None:
        """Enter what librdkafka says of it."""
        ...

    def wait_for(self, delivery: Delivery, seconds: float | None) -> None:
        """Return when its fate is known, or raise TimeoutError."""
        ...

    def looked_at(self, delivery: Delivery) -> None:
        """Somebody saw how it ended: a flush need not tell."""
        ...


class Delivery:
    """One published event: unacknowledged, acknowledged, or failed. Wait for it, or await it.

    Attributes:
        event: the event.
        topic: where it goes.
        done: whether its fate is known.
        error: why it failed; None as long as it has not.
        partition: where it is, once acknowledged; -1 before.
        offset: where it is, once acknowledged; -1 before.
    """

    __slots__ = (
        "_callbacks", "_ledger", "begun", "done", "error", "event", "kind", "offset", "partition", "sending",
        "topic",
    )  # fmt: skip

    def __init__(self, event: AuthEvent, topic: str, ledger: Ledger, on_done: OnDone | None) -> None:
        self.event = event
        self.topic = topic
        self.done = False
        self.error: PublishError | None = None
        self.partition = -1
        self.offset = -1
        self.begun = 0.0
        self.kind = ""
        self.sending: Sending | None = None
        self._ledger = ledger
        self._callbacks = None if on_done is None else [on_done]

    def result(self, timeout: float | None = None) -> Delivery:
        """Itself, when a broker has acknowledged the event.

        Args:
            timeout: how long to wait in seconds; until the fate is known, unless given.

        Raises:
            PublishError: if it failed.
            PublisherUnusable: if it is not known, and the publisher can no longer learn it.
            TimeoutError: if its fate is not known in time; it may still arrive.
        """
        if not self.done:
            self._ledger.wait_for(self, timeout)
        self._ledger.looked_at(self)
        if self.error is not None:
            raise self.error
        return self

    def __await__(self) -> Generator[object, None, Delivery]:
        """Like ``result``, in an event loop."""
        if not self.done:
            loop = asyncio.get_running_loop()
            waiter: asyncio.Future[None] = loop.create_future()
            self.add_done_callback(lambda _: _wake(waiter, loop))
            yield from waiter
        return self.result()

    def __call__(self, error: KafkaError | None, record: Message) -> None:
        """Take librdkafka's report: as its own callback it is one object less for each event under way."""
        self._ledger.settle(self, error, record)

    def add_done_callback(self, call: OnDone) -> None:
        """Call this once when the fate is known, after what was asked before; now if it is known already."""
        with _adding:
            if self._callbacks is None:
                self._callbacks = []
            self._callbacks.append(call)
        if self.done:  # it may have become known meanwhile, in another thread: whoever takes a call makes it
            self.call_back()

    def settle(self, record: Message, error: PublishError | None) -> bool:
        """Say how it ended, once. Whether somebody wants to be called back."""
        if error is None:
            self.partition, self.offset = (
                record.partition() or 0,
                record.offset() or 0,
            )  # never None, as typed
        self.error, self.done = error, True
        return self._callbacks is not None

    def call_back(self) -> None:
        """Tell whoever asked how it ended. One that raises keeps it from nobody else."""
        callbacks = self._callbacks or []
        interrupt: BaseException | None = None
        while callbacks:
            try:
                call = callbacks.pop(0)
            except IndexError:  # another thread took the last one
                return
            try:
                call(self)
            except (KeyboardInterrupt, SystemExit) as error:
                interrupt = error
            except BaseException:  # noqa: BLE001 - the caller's callback
                _log.exception("a delivery callback raised")
        if interrupt is not None:
            _interrupt(interrupt)


def _interrupt(error: BaseException) -> None:
    """Raise an exit in the main thread only: in the publisher's own it would end the work for everyone."""
    if threading.current_thread() is threading.main_thread():
        raise error
    _log.error("a delivery callback raised", exc_info=error)


_adding = threading.Lock()  # one for all: it is held for an instant, and rarely


def _wake(waiter: asyncio.Future[None], loop: asyncio.AbstractEventLoop) -> None:
    """From the loop's own thread at once, from another through the loop."""

    def wake() -> None:
        if not waiter.done():
            waiter.set_result(None)

    if asyncio._get_running_loop() is loop:  # noqa: SLF001 - documented in asyncio for exactly this
        wake()
    elif not loop.is_closed():
        loop.call_soon_threadsafe(wake)
