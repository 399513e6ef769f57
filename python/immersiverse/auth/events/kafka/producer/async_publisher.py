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
from immersiverse.auth.events.kafka.config import require_method
from immersiverse.auth.events.kafka.producer.callbacks import LoopCallbacks
from immersiverse.auth.events.kafka.producer.core import ProducerCore
from immersiverse.auth.events.kafka.producer.publisher import REGISTRY_RETRY, REGISTRY_TIMEOUT
from immersiverse.auth.events.kafka.workers import Workers
from immersiverse.auth.events.v1.events_pb2 import AuthEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from immersiverse.auth.events.kafka.producer.delivery import Delivery, OnDone
    from immersiverse.auth.events.kafka.producer.serving import ProducerClient
    from immersiverse.auth.events.observability.hooks import Hook
    from immersiverse.auth.events.observability.tracing import Tracer
    from immersiverse.auth.events.serialization.serializer import AuthEventSerializer

_TURN: Final = 256  # events after which other tasks get a turn
_ENTERING: Final = 5.0  # seconds for schema ids; the first event waits for those that are missing then


class AsyncPublisher:
    """`Publisher` for asyncio, with the same guarantees. It belongs to the event loop that first uses it.

    Entering its ``async with`` block looks schema ids up; leaving it waits until every event is acknowledged
    or has failed. Arguments and errors are those of `Publisher`. While an event waits for a registry, other
    tasks do not, nor do events whose schema ids are known.
    """

    _client: ProducerClient | None = None  # in Kafka's place, in tests

    def __init__(
        self,
        config: Mapping[str, Any],
        *,
        serializer: AuthEventSerializer,
        hooks: Sequence[Hook] = (),
        tracer: Tracer | None = None,
        registry_timeout: float = REGISTRY_TIMEOUT,
    ) -> None:
        require_method("serialize", serializer=serializer)
        require_method("sending", tracer=tracer)
        self._callbacks = LoopCallbacks()
        self._core = ProducerCore(config, self._callbacks, hooks=hooks, tracer=tracer, client=self._client)
        self._serializer = serializer
        self._serialize = serializer.serialize
        self._registry_timeout = registry_timeout
        self._id_reader = Workers(1, "auth-events-schema-ids")
        self._gates: dict[str, _Gate] = {}
        self._known: set[str | None] = {None}  # what is not an event is refused without a registry
        self._sent = 0
        weakref.finalize(self, self._core.abandon).atexit = False

    async def ready(self, *topics: str) -> None:
        """See `Publisher.ready`. Await it before the first event."""
        self._callbacks.claim(asyncio.get_running_loop())
        await self._id_reader.run(lambda: self._core.fit_batches(topics or self._serializer.topics))
        for topic in topics or self._serializer.topics:
            await self._look_up_id(topic)

    async def send(self, event: AuthEvent, *, on_done: OnDone | None = None) -> Delivery:
        """`Publisher.send`: await its delivery for the acknowledgement; `on_done` is called in the loop.

        Raises:
            PublisherUnusable: also in another event loop.
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
        """Send an event and wait until a broker has acknowledged it; see `Publisher.publish`."""
        return await (await self.send(event))

    async def flush(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 - the same as Publisher's
        """See `Publisher.flush`."""
        self._callbacks.claim(asyncio.get_running_loop())
        await self._core.flush_async(timeout)

    async def close(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 - the same as Publisher's
        """See `Publisher.close`."""
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
