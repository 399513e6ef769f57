"""Publish events from an event loop.

An `AsyncPublisher` belongs to the loop that first uses it: deliveries' callbacks run there. Reports are
served as `core` says. A daemon thread of its own asks the registry for schema ids.
"""

from __future__ import annotations

import asyncio
import weakref
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Self

from immersiverse.auth.events.errors import RegistryError, RegistryUnavailable
from immersiverse.auth.events.kafka.producer.callbacks import LoopCallbacks
from immersiverse.auth.events.kafka.producer.core import ProducerCore
from immersiverse.auth.events.kafka.producer.publisher import REGISTRY_RETRY, REGISTRY_TIMEOUT
from immersiverse.auth.events.kafka.workers import Workers
from immersiverse.auth.events.v1.events_pb2 import AuthEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from immersiverse.auth.events.kafka.producer.delivery import Delivery, OnDone
    from immersiverse.auth.events.observability.hooks import Hook
    from immersiverse.auth.events.observability.tracing import Tracer
    from immersiverse.auth.events.serialization.serializer import AuthEventSerializer

_TURN: Final = 256  # events after which other tasks get a turn
_ENTERING: Final = (
    5.0  # seconds for schema ids before the first event, which waits for those that are missing
)


class AsyncPublisher:
    """`Publisher` for asyncio, with the same guarantees. It belongs to the event loop that first uses it.

    Entering its ``async with`` block looks schema ids up; leaving it waits until every event is acknowledged
    or has failed.

    Args:
        config: librdkafka's settings, at least ``bootstrap.servers``.
        serializer: how events become messages: format, registry, topics.
        hooks: what is notified of the events.
        tracer: what follows each event through the services.
        registry_timeout: how long an event waits for a registry that is away, in seconds. Other tasks, and
            events whose schema ids are known, do not wait.

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
        registry_timeout: float = REGISTRY_TIMEOUT,
    ) -> None:
        self._callbacks = LoopCallbacks()
        self._core = ProducerCore(config, self._callbacks, hooks=hooks, tracer=tracer)
        self._serializer = serializer
        self._serialize = serializer.serialize
        self._registry_timeout = registry_timeout
        self._id_reader = Workers(1, "auth-events-schema-ids")
        self._gates: dict[str, _Gate] = {}
        self._known: set[str | None] = {None}  # what is not an event is refused without a registry
        self._sent = 0
        weakref.finalize(self, self._core.abandon).atexit = False

    async def ready(self, *topics: str) -> None:
        """Look up schema ids, and how large batches may be. Await it before the first event.

        Args:
            topics: whose; those of all events unless given.

        Raises:
            RegistryError: if one of them cannot be had, or not in time.
        """
        self._callbacks.claim(asyncio.get_running_loop())
        await self._id_reader.run(lambda: self._core.fit_batches(topics or self._serializer.topics))
        for topic in topics or self._serializer.topics:
            await self._look_up_id(topic)

    async def send(self, event: AuthEvent, *, on_done: OnDone | None = None) -> Delivery:
        """Queue an event; wait for room if the queue is full, and for its schema id if that is not known.

        Args:
            event: an event made by ``new_event``. Do not change it before its outcome is known.
            on_done: is called in the loop with the delivery when its outcome is known. It must be quick.

        Returns:
            Its delivery: await it for the acknowledgement. A failure that neither it nor `on_done` shows is
            logged, and raised by ``flush`` or ``close``.

        Raises:
            InvalidEvent: if the event breaks the contract.
            RegistryError: if its schema id cannot be had, or not within ``registry_timeout``.
            PublishError: if the producer refuses it at once.
            PublisherUnusable: if the publisher is closed, from before a fork, or of another event loop.
        """
        self._callbacks.claim(asyncio.get_running_loop())
        payload = _payload_field(event)
        if payload not in self._known:
            await self._look_up(event, payload)
        delivery = await self._core.send_async(self._serialize(event), event, on_done=on_done)
        self._sent += 1
        if not self._sent % _TURN:
            await asyncio.sleep(0)
        return delivery

    async def publish(self, event: AuthEvent) -> Delivery:
        """Send an event and wait until a broker has acknowledged it.

        Args:
            event: an event made by ``new_event``.

        Returns:
            Its delivery, which says where the event is.

        Raises:
            PublishError: if it failed.
            InvalidEvent, RegistryError, PublisherUnusable: as `send` does.
        """
        return await (await self.send(event))

    async def flush(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 - the same as Publisher's
        """Wait until every event is acknowledged or has failed.

        Args:
            timeout: how long, in seconds; as long as ``delivery.timeout.ms`` allows, unless given.

        Raises:
            UndeliveredEvents: if some failed unobserved, or are unacknowledged in the end.
            PublisherUnusable: if the publisher is from before a fork, or of another event loop.
        """
        self._callbacks.claim(asyncio.get_running_loop())
        await self._core.flush_async(timeout)

    async def close(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 - the same as Publisher's
        """Flush, and publish nothing more. Closing again does nothing, nor does closing after a fork.

        Args:
            timeout: how long to wait, in seconds; what is unacknowledged then is given up.

        Raises:
            UndeliveredEvents: if some failed unobserved, or are unacknowledged in the end.
            PublisherUnusable: if the publisher is of another event loop.
        """
        self._callbacks.claim(asyncio.get_running_loop())
        self._id_reader.close()
        await self._core.close_async(timeout)

    async def _look_up_id(self, topic: str) -> None:
        await self._through_gate(topic, partial(self._serializer.look_up, topic))

    async def _look_up(self, event: AuthEvent, payload: str | None) -> None:
        """Learn the schema id of an event's topic by serializing it once, in a thread.

        Its type counts as known when no event of the topic waits any more: so none overtakes another.
        """
        topic = self._serializer.topic_of(event)
        gate = self._gates.setdefault(topic, _Gate())
        await self._through_gate(topic, partial(self._serialize, event))
        gate.payloads.add(payload)
        if not gate.waiting:
            self._known |= gate.payloads

    async def _through_gate(self, topic: str, ask: Callable[[], object]) -> None:
        """Return, in the order of the calls for a topic, when the registry has answered the first of them."""
        gate = self._gates.setdefault(topic, _Gate())
        gate.waiting += 1
        try:
            async with asyncio.timeout(self._registry_timeout), gate.lock:
                if not gate.is_open:
                    await self._asked(ask)
                    gate.is_open = True
        except TimeoutError as error:
            raise RegistryUnavailable(
                f"the schema id of {topic} is not known after {self._registry_timeout} s"
            ) from error
        finally:
            gate.waiting -= 1

    async def _asked(self, ask: Callable[[], object]) -> None:
        failures = 0
        while True:
            try:
                await self._id_reader.run(ask)
            except RegistryUnavailable:
                failures += 1
                await asyncio.sleep(REGISTRY_RETRY.delay(failures))
            else:
                return

    async def __aenter__(self) -> Self:
        self._callbacks.claim(asyncio.get_running_loop())
        with suppress(TimeoutError):
            async with asyncio.timeout(_ENTERING):
                for topic in self._serializer.topics:
                    with suppress(RegistryError):  # an event that needs it asks again, and says so
                        await self._look_up_id(topic)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def _payload_field(event: Any) -> str | None:
    return event.WhichOneof("payload") if isinstance(event, AuthEvent) else None


class _Gate:
    """What the events of one topic wait for. Its lock lets them through in their order."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.waiting = 0
        self.is_open = False
        self.payloads: set[str | None] = set()
