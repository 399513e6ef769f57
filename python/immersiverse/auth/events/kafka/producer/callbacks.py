"""Where delivery callbacks run: in a thread of their own, or in an event loop.

Never within librdkafka's own callback: a client that is polled again there, as sending and waiting do, ends
the process with a failed assertion. And never within each other, so that one that sends does not nest.

`CallbackThread` owns a thread, started with the first callback. `LoopCallbacks` belongs to one event loop.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from queue import SimpleQueue
from typing import TYPE_CHECKING, Protocol

from immersiverse.auth.events.errors import PublisherUnusable

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence

    from immersiverse.auth.events.kafka.producer.delivery import Delivery

_CLOSING = 5.0  # seconds for the callbacks of what was given up


class DeliveryCallbacks(Protocol):
    """Runs the callbacks of deliveries that are done, in their order."""

    refuse_to_wait: str
    """Why ``Delivery.result`` may not wait for these deliveries; empty if it may."""

    @property
    def pending(self) -> bool:
        """Whether there are callbacks to run, apart from the one that asks."""

    def run(self, deliveries: Sequence[Delivery]) -> None:
        """Run the callbacks of these soon, and return at once."""

    def close(self) -> None:
        """Run what is left; there will be no more."""


class CallbackThread:
    """Runs callbacks one after the other in a daemon thread.

    A message sent while its producer closes may be settled after `close`, which starts another thread.
    ``_lock`` covers starting, closing and counting.
    """

    refuse_to_wait = ""

    def __init__(self) -> None:
        self._batches: SimpleQueue[Sequence[Delivery] | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._running: set[int] = set()  # threads that run callbacks
        self._unfinished = 0  # batches

    @property
    def pending(self) -> bool:
        """Whether there are callbacks to run, apart from the one that asks."""
        return self._unfinished > 0 and threading.get_ident() not in self._running

    def run(self, deliveries: Sequence[Delivery]) -> None:
        """Run the callbacks of these soon, and return at once."""
        with self._lock:
            self._unfinished += 1
            self._batches.put(deliveries)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="auth-events-callbacks", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Run what is left, and end the thread."""
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            self._batches.put(None)
            if thread is not threading.current_thread():
                thread.join(_CLOSING)

    def _work(self) -> None:
        self._running.add(threading.get_ident())
        while (deliveries := self._batches.get()) is not None:
            for delivery in deliveries:
                delivery.run_callbacks()
            with self._lock:
                self._unfinished -= 1
        self._running.discard(threading.get_ident())


class LoopCallbacks:
    """Runs callbacks in the event loop that claims it first."""

    refuse_to_wait = "await the delivery instead, since waiting would block its event loop"

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._taken = 0  # batches; counted by whatever thread serves the producer
        self._finished = 0  # batches; counted in the loop

    def claim(self, loop: asyncio.AbstractEventLoop) -> None:
        """Belong to this loop.

        Raises:
            PublisherUnusable: if it belongs to another.
        """
        if self._loop is None:
            self._loop = loop
        elif self._loop is not loop:
            raise PublisherUnusable("the publisher belongs to another event loop: make one in each")

    @property
    def pending(self) -> bool:
        """Whether there are callbacks to run."""
        return self._taken != self._finished and self._loop is not None and not self._loop.is_closed()

    def run(self, deliveries: Sequence[Delivery]) -> None:
        """Run the callbacks of these soon, and return at once."""
        if self._loop is not None:
            self._taken += 1
            with suppress(RuntimeError):  # the loop was closed: what was to run in it cannot any more
                self._loop.call_soon_threadsafe(self._work, deliveries)

    def close(self) -> None:
        """Nothing to end."""

    def _work(self, deliveries: Sequence[Delivery]) -> None:
        for delivery in deliveries:
            delivery.run_callbacks()
        self._finished += 1
