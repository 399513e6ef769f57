"""What both publishers are made of: one librdkafka producer and the account of what became of each event."""

from __future__ import annotations

import logging
import os
import threading
import time
import weakref
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from confluent_kafka import KafkaError, KafkaException, Producer

from immersiverse.auth.events.errors import PublishError, PublisherUnusable, UndeliveredEvents
from immersiverse.auth.events.kafka.acknowledgements import UNCONFIRMED, Acknowledgements
from immersiverse.auth.events.kafka.config import config_error_from, producer_settings, with_statistics
from immersiverse.auth.events.kafka.delivery import Delivery
from immersiverse.auth.events.kafka.instrumentation import HookDispatcher, PublishMetrics
from immersiverse.auth.events.kafka.polling import Polling
from immersiverse.auth.events.observability.hooks import Statistics, Unconfirmed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from confluent_kafka import Message

    from immersiverse.auth.events.kafka.delivery import OnDone
    from immersiverse.auth.events.observability.hooks import Hook
    from immersiverse.auth.events.observability.tracing import Tracer
    from immersiverse.auth.events.serialization.serialized import SerializedEvent
    from immersiverse.auth.events.serialization.serializer import AuthEventSerializer
    from immersiverse.auth.events.v1.events_pb2 import AuthEvent

_log = logging.getLogger(__name__)
_GIVE_UP = 5.0  # seconds for librdkafka to report what was purged
_RETRYABLE = (KafkaError._MSG_TIMED_OUT, KafkaError._PURGE_QUEUE)  # noqa: SLF001 - librdkafka's names


class Outgoing:
    """Sends events without ever blocking, and remembers those whose fate is unknown or unseen.

    Args:
        config: librdkafka's settings.
        serializer: how events become messages.
        hooks: what is told about them.
        tracer: what follows each of them.
        wait_for: returns when the fate of a delivery is known, as `Ledger` says.

    Attributes:
        pending: the deliveries whose fate is unknown.
        wait_for: what was given.

    Raises:
        ConfigurationError: if a setting is wrong or breaks a guarantee.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        serializer: AuthEventSerializer,
        hooks: Sequence[Hook],
        tracer: Tracer | None,
        wait_for: Callable[[Delivery, float | None], None],
    ) -> None:
        self._serialize = serializer.serialize
        self._tell = tell = HookDispatcher(hooks)
        self._acknowledgements = Acknowledgements()
        self._deliveries = PublishMetrics(tell) if tell else None
        self._tracer = tracer
        self.wait_for = wait_for
        self._closed = False
        self._forked = False
        os.register_at_fork(after_in_child=_noting_forks(weakref.ref(self)))
        self._failed: set[Delivery] = set()
        self._lock = threading.Lock()  # for the rare: failures and the end
        self.pending: set[Delivery] = set()
        settings = producer_settings(config)
        if tell:
            settings = with_statistics(settings, lambda values: tell(Statistics("producer", values)))
        try:
            self._producer = Producer(settings, logger=_log)
        except (KafkaException, TypeError, ValueError) as error:
            raise config_error_from("producer", error) from error
        self._polling = Polling(self._producer)

    def prepare(self, event: AuthEvent, on_done: OnDone | None) -> tuple[Delivery, SerializedEvent]:
        """Write an event, before it is offered.

        Raises:
            InvalidEvent: if it breaks the contract.
            RegistryError: if its schema id cannot be had.
            PublisherUnusable: if the publisher is closed or from before a fork.
        """
        self._require_open()
        message = self._serialize(event)
        delivery = Delivery(event, message.topic, self, on_done)
        if self._deliveries is not None:
            delivery.kind, delivery.begun = message.event_type, time.perf_counter()
        if self._tracer is not None:
            delivery.sending = self._tracer.sending(message)
            message = replace(message, headers=(*message.headers, *delivery.sending.headers))
        return delivery, message

    def offer(self, delivery: Delivery, message: SerializedEvent) -> bool:
        """Queue a message; whether there was room.

        Raises:
            PublishError: if the producer refuses it at once, or gave it up since the publisher was closed.
            PublisherUnusable: if the publisher was closed meanwhile.
        """
        self._require_open()  # serializing may have taken a while
        self.pending.add(delivery)
        try:
            self._producer.produce(
                message.topic,
                message.value,
                message.key,
                headers=list(message.headers),
                on_delivery=delivery,
            )
        except BufferError:
            self.pending.discard(delivery)
            return False
        except KafkaException as error:
            self.pending.discard(delivery)
            failure = self._publish_error(delivery, error.args[0])
            if delivery.sending is not None:
                delivery.sending.end(-1, -1, failure.code)
            raise failure from error
        except Exception:  # such as of headers that a tracer made of something else
            self.pending.discard(delivery)
            raise
        if self._closed:
            self._settle_after_close(delivery)
        return True

    def poll(self, seconds: float) -> None:
        """Let deliveries be settled, waiting for the first this long. Makes callbacks.

        Raises:
            PublisherUnusable: if it is to wait within a callback of librdkafka's.
        """
        if self._polling.poll(seconds) and self._deliveries is not None:
            self._deliveries.report(more_to_come=bool(self.pending))

    @property
    def has_work(self) -> bool:
        """Whether polling may still settle deliveries or make callbacks."""
        return bool(self.pending) or self._polling.callbacks_are_due

    def require_own_process(self) -> None:
        """Only the process that made a producer has the threads that serve it.

        Raises:
            PublisherUnusable: in any other.
        """
        if not self.is_own_process:
            raise self._unusable()

    @property
    def is_own_process(self) -> bool:
        """Whether this is the process that made the producer."""
        return not self._forked

    def looked_at(self, delivery: Delivery) -> None:
        """Its failure need not be told by `raise_failures`."""
        if delivery.error is not None:
            with self._lock:
                self._failed.discard(delivery)

    def raise_failures(self) -> None:
        """Tell of failures that nobody looked at, and of events that are still unacknowledged.

        Raises:
            UndeliveredEvents: if there are any.
        """
        with self._lock:
            failed = tuple(delivery.error for delivery in self._failed if delivery.error)
            self._failed.clear()
        pending = tuple(delivery.event for delivery in list(self.pending))
        if failed or pending:
            raise UndeliveredEvents(failed, pending)

    def close(self) -> None:
        """Send nothing more; give up what is unacknowledged. Closing again does nothing.

        Raises:
            UndeliveredEvents: if there is any, or failures that nobody looked at.
        """
        with self._lock:
            if self._closed:
                return
            self._closed = True
        try:
            self.raise_failures()
        finally:
            self._give_up()

    def settle(self, delivery: Delivery, error: KafkaError | None, record: Message) -> None:
        """Enter what librdkafka says of a delivery, and tell whoever asked."""
        failure = self._failure(delivery, error, record)
        if delivery.settle(record, failure):
            self._polling.settled(delivery)
        elif failure:
            with self._lock:
                self._failed.add(delivery)
        self.pending.discard(delivery)  # last, lest a flush miss what came of it
        if self._deliveries is not None:
            self._deliveries.count(delivery)
        if delivery.sending is not None:
            delivery.sending.end(delivery.partition, delivery.offset, failure.code if failure else "")

    def _give_up(self) -> None:
        """Settle everything now: what no broker has acknowledged fails."""
        self._producer.purge()
        self._polling.flush(_GIVE_UP)
        if self._deliveries is not None:
            self._deliveries.report(more_to_come=False)

    def _settle_after_close(self, delivery: Delivery) -> None:
        """The publisher was closed by another thread meanwhile: nothing else would settle this delivery."""
        self._give_up()
        self.looked_at(delivery)
        if delivery.error is not None:
            raise delivery.error

    def _failure(self, delivery: Delivery, error: KafkaError | None, record: Message) -> PublishError | None:
        if error is not None:
            return self._publish_error(delivery, error)
        doubt = self._acknowledgements.doubt(record)
        if not doubt:
            return None
        _log.error(
            "event %s on %s[%d]: %s", delivery.event.event_id, delivery.topic, record.partition(), doubt
        )
        if self._tell:
            self._tell(Unconfirmed(delivery.topic, "publisher"))
        return PublishError(delivery.event, delivery.topic, UNCONFIRMED, doubt, retryable=True)

    def _publish_error(self, delivery: Delivery, error: KafkaError) -> PublishError:
        error = self._polling.fatal or error  # which is behind all that come after it
        retryable = error.retriable() or error.code() in _RETRYABLE
        return PublishError(delivery.event, delivery.topic, error.name(), error.str(), retryable=retryable)

    def _require_open(self) -> None:
        if self._closed or self._forked:
            raise self._unusable()

    def _unusable(self) -> PublisherUnusable:
        if self._closed:
            return PublisherUnusable("the publisher is closed")
        return PublisherUnusable("the publisher was made before a fork: make one in each process")


def _noting_forks(outgoing: weakref.ref[Outgoing]) -> Callable[[], None]:
    """To ask for the process's number with every event would cost more than to be told of forks."""

    def note() -> None:
        if (found := outgoing()) is not None:
            found._forked = True  # noqa: SLF001 - its own

    return note
