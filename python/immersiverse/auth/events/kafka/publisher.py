"""Publish events from threads."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Self

from immersiverse.auth.events.kafka.outgoing import Outgoing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from immersiverse.auth.events.kafka.delivery import Delivery, OnDone
    from immersiverse.auth.events.observability.hooks import Hook
    from immersiverse.auth.events.observability.tracing import Tracer
    from immersiverse.auth.events.serialization.serializer import AuthEventSerializer
    from immersiverse.auth.events.v1.events_pb2 import AuthEvent

_TICK = 0.01  # seconds; how late a settled delivery may be noticed
_SETTLED_EVERY = 16  # events; to look after each would take longer than to queue it


class Publisher:
    """Publishes events, each user's in order, at least once. Use it from any number of threads.

    Leaving its ``with`` block waits until every event is acknowledged or has failed.

    Args:
        config: librdkafka's settings, at least ``bootstrap.servers``.
        serializer: how events become messages: format, registry, topics.
        hooks: what is told about the events.
        tracer: what follows each event through the services.

    Raises:
        ConfigurationError: if a setting is wrong or breaks a guarantee.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        *,
        serializer: AuthEventSerializer,
        hooks: Sequence[Hook] = (),
        tracer: Tracer | None = None,
    ) -> None:
        self._out = Outgoing(config, serializer, hooks, tracer, self.wait_for)
        self._busy = threading.Event()
        self._last = 0
        self._sent = 0
        self._closing = False
        self._settler = threading.Thread(
            target=self._settle_when_idle, name="auth-events-publisher", daemon=True
        )
        self._settler.start()

    def publish(self, event: AuthEvent, *, on_done: OnDone | None = None) -> Delivery:
        """Queue an event; wait for room if the queue is full.

        Args:
            event: an event made by ``new_event``. Do not change it before its fate is known.
            on_done: is called with the delivery when its fate is known, in a thread that publishes, waits, or
                belongs to the publisher. It must be quick, and may publish.

        Returns:
            Its delivery: ``result()`` waits for the acknowledgement. A failure that neither it nor `on_done`
            tells is told by ``flush`` or ``close``.

        Raises:
            InvalidEvent: if the event breaks the contract.
            RegistryError: if its schema id is not known yet and cannot be had.
            PublishError: if the producer refuses it at once.
            PublisherUnusable: if the publisher is closed, or was made before a fork.
        """
        out = self._out
        delivery, message = out.prepare(event, on_done)
        while not out.offer(delivery, message):
            out.poll(_TICK)
        self._sent += 1
        if not self._sent % _SETTLED_EVERY:
            out.poll(0)
        if not self._busy.is_set():
            self._busy.set()
        return delivery

    def flush(self, timeout: float | None = None) -> None:
        """Wait until every event is acknowledged or has failed.

        Args:
            timeout: how long, in seconds; as long as ``delivery.timeout.ms`` allows, unless given.

        Raises:
            UndeliveredEvents: if some failed and nobody looked, or are unacknowledged in the end.
            PublisherUnusable: if the publisher was made before a fork.
        """
        self._out.require_own_process()
        self._wait(timeout)
        self._out.raise_failures()

    def close(self, timeout: float | None = None) -> None:
        """Flush, and publish nothing more. Closing again does nothing, nor does closing after a fork.

        Args:
            timeout: how long to wait, in seconds; what is unacknowledged then is given up.

        Raises:
            UndeliveredEvents: if some failed and nobody looked, or are unacknowledged in the end.
        """
        if self._closing or not self._out.is_own_process:
            return
        self._closing = True
        try:
            self._wait(timeout)
        finally:
            self._busy.set()
            self._out.close()

    def wait_for(self, delivery: Delivery, seconds: float | None) -> None:
        """Return when the fate of a delivery is known.

        Raises:
            TimeoutError: if it is not in time.
            PublisherUnusable: if the publisher was made before a fork.
        """
        self._out.require_own_process()
        end = None if seconds is None else time.monotonic() + seconds
        while not delivery.done:
            if end is not None and time.monotonic() > end:
                raise TimeoutError(f"event {delivery.event.event_id} is not acknowledged after {seconds} s")
            self._out.poll(_TICK)

    def _wait(self, seconds: float | None) -> None:
        end = None if seconds is None else time.monotonic() + seconds
        self._out.poll(0)
        while self._out.has_work and (end is None or time.monotonic() < end):
            self._out.poll(_TICK)

    def _settle_when_idle(self) -> None:
        """Settle what is pending while nobody publishes: a publishing thread does so itself.

        Two threads that settle at once would spend their time waiting for each other's turn.
        """
        while not self._closing:
            self._busy.wait()
            if self._last == self._sent:
                self._out.poll(0)
                self._rest()
            self._last = self._sent
            time.sleep(_TICK)

    def _rest(self) -> None:
        """Sleep until the next event if nothing is pending; in this order, lest an event slip in unseen."""
        self._busy.clear()
        if self._out.has_work or self._closing:
            self._busy.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
