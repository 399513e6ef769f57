"""Publish events from an event loop."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Self

from immersiverse.auth.events.errors import PublisherUnusable
from immersiverse.auth.events.kafka.outgoing import Outgoing
from immersiverse.auth.events.kafka.workers import Workers
from immersiverse.auth.events.v1.events_pb2 import AuthEvent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from immersiverse.auth.events.kafka.delivery import Delivery, OnDone
    from immersiverse.auth.events.observability.hooks import Hook
    from immersiverse.auth.events.observability.tracing import Tracer
    from immersiverse.auth.events.serialization.serializer import AuthEventSerializer

_TICK = 0.002  # seconds; how late a settled delivery may be noticed
_SETTLED_EVERY = 16  # events; to look after each would take longer than to queue it
_TURN = 256  # events after which other tasks get a turn


class AsyncPublisher:
    """`Publisher` for asyncio, with the same guarantees. It belongs to the event loop that first uses it.

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
        self._loop: asyncio.AbstractEventLoop | None = None
        self._settler: asyncio.Task[None] | None = None
        self._sent = 0
        self._closing = False
        self._serialize = serializer.serialize
        self._id_reader = Workers(1, "auth-events-schema-ids")
        self._asking = 0
        self._asked: set[str | None] = set()

    async def publish(self, event: AuthEvent, *, on_done: OnDone | None = None) -> Delivery:
        """Queue an event; wait for room if the queue is full.

        Args:
            event: an event made by ``new_event``. Do not change it before its fate is known.
            on_done: is called in the loop with the delivery when its fate is known. It must be quick.

        Returns:
            Its delivery: await it for the acknowledgement. A failure that neither it nor `on_done` tells is
            told by ``flush`` or ``close``.

        Raises:
            InvalidEvent: if the event breaks the contract.
            RegistryError: if its schema id is not known yet and cannot be had.
            PublishError: if the producer refuses it at once.
            PublisherUnusable: if the publisher is closed, from before a fork, or of another event loop.
        """
        out = self._out
        self._claim()
        payload = _payload_field(event)
        if self._asking or payload not in self._asked:
            await self._ask(event, payload)
        delivery, message = out.prepare(event, on_done)
        while not out.offer(delivery, message):
            await self._turn()
        if self._settler is None:
            self._settler = asyncio.create_task(self._settle(), name="auth-events-publisher")
        self._sent += 1
        if not self._sent % _SETTLED_EVERY:
            out.poll(0)
        if not self._sent % _TURN:
            await asyncio.sleep(0)
        return delivery

    async def flush(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 - the same as Publisher's
        """Wait until every event is acknowledged or has failed.

        Args:
            timeout: how long, in seconds; as long as ``delivery.timeout.ms`` allows, unless given.

        Raises:
            UndeliveredEvents: if some failed and nobody looked, or are unacknowledged in the end.
            PublisherUnusable: if the publisher is from before a fork, or of another event loop.
        """
        self._out.require_own_process()
        self._claim()
        await self._wait(timeout)
        self._out.raise_failures()

    async def close(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 - the same as Publisher's
        """Flush, and publish nothing more. Closing again does nothing, nor does closing after a fork.

        Args:
            timeout: how long to wait, in seconds; what is unacknowledged then is given up.

        Raises:
            UndeliveredEvents: if some failed and nobody looked, or are unacknowledged in the end.
            PublisherUnusable: if the publisher is of another event loop.
        """
        if self._closing or not self._out.is_own_process:
            return
        self._claim()
        self._closing = True
        try:
            await self._wait(timeout)
        finally:
            if self._settler is not None:
                self._settler.cancel()
            self._id_reader.close()
            self._out.close()

    def wait_for(self, delivery: Delivery, seconds: float | None) -> None:
        """Refuse to block the loop.

        Raises:
            PublisherUnusable: always.
        """
        raise PublisherUnusable(
            f"await the delivery of {delivery.event.event_id} instead of waiting {seconds} s"
        )

    def _claim(self) -> None:
        loop = asyncio.get_running_loop()
        if self._loop is None:
            self._loop = loop
        elif self._loop is not loop:
            raise PublisherUnusable("the publisher belongs to another event loop: make one in each")

    async def _ask(self, event: AuthEvent, payload: str | None) -> None:
        """Have the serializer ask for a schema id in a thread, which then it knows.

        There is one thread, and while it asks everything goes through it: so events stay in order.
        """
        self._asking += 1
        try:
            await self._id_reader.run(lambda: self._serialize(event))
        finally:
            self._asking -= 1
        if payload is not None:
            self._asked.add(payload)

    async def _wait(self, seconds: float | None) -> None:
        end = None if seconds is None else time.monotonic() + seconds
        self._out.poll(0)
        while self._out.has_work and (end is None or time.monotonic() < end):
            await self._turn()

    async def _settle(self) -> None:
        """Settle what is pending while nobody publishes."""
        try:
            while self._out.has_work:
                await self._turn()
        finally:
            self._settler = None

    async def _turn(self) -> None:
        self._out.poll(0)
        await asyncio.sleep(_TICK)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def _payload_field(event: Any) -> str | None:
    return event.WhichOneof("payload") if isinstance(event, AuthEvent) else None
