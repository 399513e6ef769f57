"""Publish events from threads. The threads are the core's: see `core` and `callbacks`."""

from __future__ import annotations

import time
import weakref
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Self

from immersiverse.auth.events.errors import RegistryUnavailable
from immersiverse.auth.events.kafka.config import Retry, require_method
from immersiverse.auth.events.kafka.producer.callbacks import CallbackThread
from immersiverse.auth.events.kafka.producer.core import ProducerCore

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from immersiverse.auth.events.kafka.producer.delivery import Delivery, OnDone
    from immersiverse.auth.events.kafka.producer.serving import ProducerClient
    from immersiverse.auth.events.observability.hooks import Hook
    from immersiverse.auth.events.observability.tracing import Tracer
    from immersiverse.auth.events.serialization.serializer import AuthEventSerializer, SerializedEvent
    from immersiverse.auth.events.v1.events_pb2 import AuthEvent

REGISTRY_RETRY: Final = Retry(first=0.2, longest=5.0)
"""How soon a registry that is away is asked again."""
REGISTRY_TIMEOUT: Final = 30.0
"""Seconds that an event waits for a registry that is away, unless a publisher is made with others."""


class Publisher:
    """Publishes events, each user's in order, at least once. Use it from any number of threads.

    Leaving its ``with`` block waits until every event is acknowledged or has failed. Without
    being closed it delivers what it can in a few seconds when it is collected or the interpreter exits, and
    warns of the rest.

    Args:
        config: librdkafka's settings, at least ``bootstrap.servers``. Messages are compressed with lz4:
            kafkajs needs a codec for it, and reads ``"compression.type": "gzip"`` without one.
        serializer: how events become messages: format, registry, topics.
        hooks: what is notified of the events.
        tracer: what follows each event through the services.
        registry_timeout: how long an event waits for a registry that is away, in seconds; 0 for not at all.

    Raises:
        ConfigurationError: if a setting is wrong or breaks a guarantee.
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
        self._core = ProducerCore(config, CallbackThread(), hooks=hooks, tracer=tracer, client=self._client)
        self._serializer = serializer
        self._serialize = serializer.serialize
        self._registry_timeout = registry_timeout
        weakref.finalize(self, self._core.abandon).atexit = False

    def ready(self, *topics: str) -> None:
        """Look up schema ids, and how large batches may be. Call it before the first event.

        Args:
            topics: whose; those of all events unless given.

        Raises:
            RegistryError: if one of them cannot be had.
        """
        self._core.fit_batches(topics or self._serializer.topics)
        for topic in topics or self._serializer.topics:
            self._waiting_for_registry(partial(self._serializer.look_up, topic))

    def send(self, event: AuthEvent, *, on_done: OnDone | None = None) -> Delivery:
        """Queue an event; wait for room if the queue is full.

        Args:
            event: an event made by ``new_event``. Do not change it before its outcome is known.
            on_done: is called with the delivery when its outcome is known, in a thread of the publisher's
                that makes one call after the other. It must be quick, and may send, wait and flush.

        Returns:
            Its delivery: ``result()`` waits for the acknowledgement. A failure that neither it nor `on_done`
            shows is logged, and raised by ``flush`` or ``close``.

        Raises:
            InvalidEvent: if the event breaks the contract.
            RegistryError: if its schema id is not known yet and cannot be had.
            PublishError: if the producer refuses it at once.
            PublisherUnusable: if the publisher is closed, or was made before a fork.
        """
        try:
            message = self._serialize(event)
        except RegistryUnavailable:
            message = self._serialized_later(event)
        return self._core.send(message, event, on_done=on_done)

    def publish(self, event: AuthEvent, timeout: float | None = None) -> Delivery:
        """Send an event and wait until a broker has acknowledged it.

        Args:
            event: an event made by ``new_event``.
            timeout: how long to wait for the acknowledgement, in seconds; as long as ``delivery.timeout.ms``
                allows, unless given.

        Returns:
            Its delivery, which says where the event is.

        Raises:
            PublishError: if it failed.
            TimeoutError: if it is not acknowledged in time; it may still arrive.
            InvalidEvent, RegistryError, PublisherUnusable: as `send` does.
        """
        return self.send(event).result(timeout)

    def flush(self, timeout: float | None = None) -> None:
        """Wait until every event is acknowledged or has failed.

        Args:
            timeout: how long, in seconds; as long as ``delivery.timeout.ms`` allows, unless given.

        Raises:
            UndeliveredEvents: if some failed unobserved, or are unacknowledged in the end.
            PublisherUnusable: if the publisher was made before a fork.
        """
        self._core.flush(timeout)

    def close(self, timeout: float | None = None) -> None:
        """Flush, and publish nothing more. Closing again does nothing, nor does closing after a fork.

        Args:
            timeout: how long to wait, in seconds; what is unacknowledged then is given up.

        Raises:
            UndeliveredEvents: if some failed unobserved, or are unacknowledged in the end.
        """
        self._core.close(timeout)

    def _serialized_later(self, event: AuthEvent) -> SerializedEvent:
        self._waiting_for_registry(lambda: self._serialize(event))
        return self._serialize(event)

    def _waiting_for_registry(self, ask: Callable[[], object]) -> None:
        """Ask the registry until it answers, in this thread."""
        until, failures = time.monotonic() + self._registry_timeout, 0
        while True:
            try:
                ask()
            except RegistryUnavailable:
                failures += 1
                delay = REGISTRY_RETRY.delay(failures)
                if time.monotonic() + delay > until:
                    raise
                time.sleep(delay)
            else:
                return

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
