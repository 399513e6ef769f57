"""The one engine that produces: publishers, dead letters and redrives send through it.

The way of an acknowledgement: librdkafka's report completes its `Delivery`, which wakes who waits for it. Its
callbacks run later, elsewhere (`callbacks`), and never within librdkafka's own.

Threads: any number may send. The core owns one daemon thread, started with the first message, which serves
reports while no other thread does (`serving`). ``_lock`` covers starting and closing.
"""

from __future__ import annotations

import asyncio
import threading
import time
import warnings
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from confluent_kafka import KafkaError, KafkaException, Producer

from immersiverse.auth.events.errors import PublishError, PublisherUnusable, UndeliveredEvents
from immersiverse.auth.events.kafka.config import config_error_from, producer_settings, with_statistics
from immersiverse.auth.events.kafka.connection_log import ConnectionLog
from immersiverse.auth.events.kafka.instrumentation import HookDispatcher, PublishMetrics
from immersiverse.auth.events.kafka.producer import unclosed
from immersiverse.auth.events.kafka.producer.delivery import Delivery
from immersiverse.auth.events.kafka.producer.reports import DeliveryReports
from immersiverse.auth.events.kafka.producer.serving import ReportServer
from immersiverse.auth.events.kafka.producer.topic_limits import smallest_batch
from immersiverse.auth.events.logs import get_logger
from immersiverse.auth.events.observability.hooks import Statistics
from immersiverse.auth.events.serialization.serializer import SerializedEvent
from immersiverse.auth.events.v1.events_pb2 import AuthEvent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from immersiverse.auth.events.kafka.producer.callbacks import DeliveryCallbacks
    from immersiverse.auth.events.kafka.producer.delivery import OnDone
    from immersiverse.auth.events.kafka.producer.serving import Headers, ProducerClient, Report
    from immersiverse.auth.events.observability.hooks import Hook
    from immersiverse.auth.events.observability.tracing import Sending, Tracer

_PUBLISHER: Final = "publisher"
_log = get_logger(__name__)
_ASYNC_TICK: Final = 0.002  # seconds; how late an event loop may notice room, or the end of a flush
_ENDING: Final = 5.0  # seconds for the thread
_UNCLOSED: Final = 10.0  # seconds for the messages of a producer that was not closed
_BATCH_SIZE: Final = ("batch.size", 1_000_000)  # librdkafka's default
_NO_EVENT: Final = AuthEvent()
"""Stands for the event in deliveries of a `RawMessage`."""


@dataclass(slots=True)
class RawMessage:
    """A message that is not an event to publish: a dead letter, or one that is sent back.

    Attributes:
        topic: where it goes.
        key: its key; None for none.
        value: its value; None for a tombstone.
        headers: its headers, in order.
        timestamp: milliseconds since 1970; 0 for the time at which it is sent.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]
    timestamp: int = 0


class ProducerCore:
    """Sends messages, and completes a `Delivery` for each.

    Args:
        config: librdkafka's settings.
        callbacks: where deliveries' callbacks run.
        hooks: what is notified.
        tracer: what follows each event.
        role: what sends, for `Unconfirmed`: ``publisher``, ``dead-letters`` or ``redrive``. A publisher's
            hooks are notified of the rest, too: events and statistics.
        client: what stands in Kafka's place in a test.

    Raises:
        ConfigurationError: if a setting is wrong or breaks a guarantee.
    """

    def __init__(  # noqa: PLR0913 - its parts, by keyword
        self,
        config: Mapping[str, Any],
        callbacks: DeliveryCallbacks,
        *,
        hooks: Sequence[Hook] = (),
        tracer: Tracer | None = None,
        role: str = _PUBLISHER,
        client: ProducerClient | None = None,
    ) -> None:
        notify = HookDispatcher(hooks)
        settings = producer_settings(config)
        is_measured = bool(notify) and role == _PUBLISHER
        if is_measured:
            settings = with_statistics(settings, lambda values: notify(Statistics("producer", values)))
        self._connection = ConnectionLog("producer", settings, _log)
        self._settings = self._connection.settings
        self._reports = DeliveryReports(
            self._connection, callbacks, notify, role, PublishMetrics(notify) if is_measured else None
        )
        self._take, self._take_measured = self._reports.take, self._reports.take_measured
        self._pending = self._reports.pending
        self._callbacks = callbacks
        self._refuse_to_wait = callbacks.refuse_to_wait
        self._tracer = tracer
        self._is_observed = is_measured or tracer is not None
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closing = self._closed = self._forked = False
        self._refuses = False  # messages, being closed or forked
        self._client = client
        self._producer = self._new_producer()
        self._server = ReportServer(self._producer, self._reports)
        unclosed.watch(self)

    def fit_batches(self, topics: Iterable[str]) -> None:
        """Make batches no larger than these topics take, if brokers say how large; before the first message.

        A topic refuses a batch that is larger than its ``max.message.bytes`` as a whole.
        """
        if self._client is not None or self._refuses or self._server.sent:
            return
        limit, size = smallest_batch(self._settings, topics), int(self._settings.get(*_BATCH_SIZE))
        if limit is None or limit >= size or self._server.sent:
            return
        first, self._settings["batch.size"] = self._producer, limit
        self._producer = self._new_producer()
        self._server = ReportServer(self._producer, self._reports)
        first.flush()  # of what another thread sent meanwhile

    def send(
        self,
        message: SerializedEvent | RawMessage,
        event: AuthEvent = _NO_EVENT,
        *,
        on_done: OnDone | None = None,
        partition: int = -1,
    ) -> Delivery:
        """Queue a message; wait for room if the queue is full.

        Args:
            message: what to send.
            event: what it is made of, for its delivery.
            on_done: see `Publisher.send`.
            partition: where it goes; -1 lets its key decide.

        Raises:
            PublishError: if the producer refuses it at once.
            PublisherUnusable: if the producer is closed, or was made before a fork.
        """
        delivery = Delivery(event, message.topic, on_done, self._refuse_to_wait)
        report: Report = partial(self._take, delivery)
        span: Sending | None = None
        headers: Headers = [*message.headers]
        if self._is_observed:
            report, span = self._observed(message, delivery, headers)
        while not self._is_queued(message, partition, headers, delivery, report, span):
            self._server.poll()
        return delivery

    async def send_async(
        self,
        message: SerializedEvent | RawMessage,
        event: AuthEvent = _NO_EVENT,
        *,
        on_done: OnDone | None = None,
    ) -> Delivery:
        """`send`, without blocking the event loop. Raises the same."""
        delivery = Delivery(event, message.topic, on_done, self._refuse_to_wait)
        report: Report = partial(self._take, delivery)
        span: Sending | None = None
        headers: Headers = [*message.headers]
        if self._is_observed:
            report, span = self._observed(message, delivery, headers)
        while not self._is_queued(message, -1, headers, delivery, report, span):
            self._server.poll(0)
            await asyncio.sleep(_ASYNC_TICK)
        return delivery

    def flush(self, timeout: float | None = None) -> None:
        """Wait until every outcome is known and every callback has run. See `Publisher.flush`."""
        self._require_own_process()
        self._server.wait(timeout)
        self._reports.raise_undelivered()

    def wait(self, seconds: float) -> bool:
        """Serve reports until the outcome of every message is known, at most this long; whether it is."""
        self._server.wait(seconds)
        return not self._reports.has_work

    async def flush_async(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 - as `flush` has it
        """`flush`, without blocking the event loop. Raises the same."""
        self._require_own_process()
        await self._wait_async(timeout)
        self._reports.raise_undelivered()

    def close(self, timeout: float | None = None) -> None:
        """Flush, and send nothing more. See `Publisher.close`."""
        if self._begins_to_close():
            try:
                self._server.wait(timeout)
            finally:
                self._end()

    async def close_async(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 - as `close` has it
        """`close`, without blocking the event loop. Raises the same."""
        if self._begins_to_close():
            try:
                await self._wait_async(timeout)
            finally:
                self._end()

    def close_unclosed(self, why: str) -> None:
        """Deliver what can be delivered in a few seconds, for an owner that did not close it, and warn.

        Args:
            why: what happened to the owner.
        """
        if not self._begins_to_close():
            return
        self._server.wait(_UNCLOSED)
        if count := len(self._pending):
            text = f"{why} before a publisher was closed: {count} events are undelivered"
            _log.error("%s", text)
            warnings.warn(text, ResourceWarning, stacklevel=1)
        try:
            self._end()
        except UndeliveredEvents:
            _log.debug("logged above, or when they failed")

    @property
    def is_usable(self) -> bool:
        """Whether it may still send: it is neither closed, nor from before a fork, nor failed fatally."""
        return not (self._refuses or self._reports.has_failed)

    def abandon(self) -> None:
        """Its owner is gone; its own thread closes it. For the garbage collector: this takes no lock."""
        self._server.abandoned = True

    def after_fork(self) -> None:
        """In the child: the threads that serve it stayed with the parent, which goes on."""
        self._forked = self._refuses = True
        for delivery in self._pending:
            reason = "this process cannot learn whether it did: the publisher was made before a fork"
            delivery.lose(PublishError(delivery.event, delivery.topic, "FORKED", reason, retryable=False))

    def _new_producer(self) -> ProducerClient:
        if self._client is not None:
            return self._client
        try:
            return Producer(self._settings, logger=self._connection)
        except (KafkaException, TypeError, ValueError) as error:
            raise config_error_from("producer", error) from error

    def _observed(
        self, message: SerializedEvent | RawMessage, delivery: Delivery, headers: Headers
    ) -> tuple[Report, Sending | None]:
        """What takes librdkafka's report for hooks, and the span that ends then, whose headers are added."""
        event_type = message.event_type if isinstance(message, SerializedEvent) else ""
        span = None
        if self._tracer is not None and isinstance(message, SerializedEvent):
            span = self._tracer.sending(message)
            headers += span.headers
        return partial(self._take_measured, delivery, event_type, time.perf_counter(), span), span

    def _is_queued(  # noqa: PLR0913, PLR0917 - what librdkafka takes, and what belongs to it
        self, message: SerializedEvent | RawMessage, partition: int, headers: Headers, delivery: Delivery,
        report: Report, span: Sending | None,
    ) -> bool:  # fmt: skip
        """Whether there was room."""
        if self._refuses:
            self._require_own_process()
            raise PublisherUnusable("the publisher is closed")
        self._pending.add(delivery)
        timestamp = message.timestamp if isinstance(message, RawMessage) else 0
        try:
            self._producer.produce(
                message.topic, message.value, message.key, partition,
                headers=headers, on_delivery=report, timestamp=timestamp,
            )  # fmt: skip
        except BufferError:
            self._pending.discard(delivery)
            return False
        except KafkaException as error:
            self._pending.discard(delivery)
            if error.args[0].code() == KafkaError._FATAL:  # noqa: SLF001 - librdkafka's name
                self._server.poll(0)  # which learns why
            failure = self._reports.failure(delivery, error.args[0])
            if span is not None:
                span.end(-1, -1, failure.code)
            raise failure from error
        except Exception:  # such as of headers that a tracer made of something else
            self._pending.discard(delivery)
            raise
        if self._closed:  # by another thread meanwhile: nothing else would complete this delivery
            self._server.give_up()
            if delivery.error is not None:
                raise delivery.error
        if self._server.after_sending() and self._thread is None:
            self._start()
        return True

    def _require_own_process(self) -> None:
        if self._forked:
            raise PublisherUnusable("the publisher was made before a fork: make one in each process")

    async def _wait_async(self, seconds: float | None) -> None:
        end = None if seconds is None else time.monotonic() + seconds
        self._server.poll(0)
        while self._reports.has_work and (end is None or time.monotonic() < end):
            await asyncio.sleep(_ASYNC_TICK)
            self._server.poll(0)

    def _begins_to_close(self) -> bool:
        if self._forked:
            return False
        with self._lock:
            begins, self._closing = not self._closing, True
        return begins

    def _end(self) -> None:
        self._closed = self._refuses = self._reports.closed = True
        try:
            self._reports.raise_undelivered()
        finally:
            self._server.give_up()
            self._server.stop()
            with self._lock:  # a thread that sends may be starting it
                thread = self._thread
            if thread is not None and thread is not threading.current_thread():
                thread.join(_ENDING)
            self._callbacks.close()

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._serve_reports, name="auth-events-producer", daemon=True
                )
                self._thread.start()

    def _serve_reports(self) -> None:
        self._server.serve_while_idle()
        if self._server.abandoned:
            self.close_unclosed("garbage collection came")
