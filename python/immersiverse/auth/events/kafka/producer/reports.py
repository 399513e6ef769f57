"""Completes deliveries by librdkafka's reports, and keeps the failures that nothing watches.

Reports come in one thread at a time, within librdkafka's callback, where nothing may wait or call users. What
users are to hear (callbacks, failures in the log, metrics) is kept until that callback has returned.
``_lock`` covers the failures that nothing watches, which a flush takes in another thread.
"""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Final

from confluent_kafka import KafkaError, KafkaException

from immersiverse.auth.events.errors import PublishError, UndeliveredEvents
from immersiverse.auth.events.kafka.producer.delivery import UnobservedFailures
from immersiverse.auth.events.logs import get_logger
from immersiverse.auth.events.observability.hooks import Unconfirmed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from confluent_kafka import Message

    from immersiverse.auth.events.kafka.connection_log import ConnectionLog
    from immersiverse.auth.events.kafka.instrumentation import HookDispatcher, PublishMetrics
    from immersiverse.auth.events.kafka.producer.callbacks import DeliveryCallbacks
    from immersiverse.auth.events.kafka.producer.delivery import Delivery
    from immersiverse.auth.events.observability.tracing import Sending

_log = get_logger(__name__)
_OUTAGES: Final = (KafkaError._MSG_TIMED_OUT, KafkaError._PURGE_QUEUE)  # noqa: SLF001 - librdkafka's names
_TOO_LARGE: Final = (
    "; the topic refuses a batch that is larger than its max.message.bytes as a whole: if this event is not, "
    "set batch.size to that, or call ready() before the first event"
)
_LOGGED: Final = 10  # failures that are logged one by one when many come at once
_TURNS: Final = 50  # of serving reports, until a fatal error without a cause is reported as it is
UNCONFIRMED: Final = "UNCONFIRMED"
"""The code of an error for a report of success without proof."""


class Acknowledgements:
    """Checks the reports of success of one producer, in the order in which they come.

    librdkafka can report a message as delivered that no broker has stored: when a later batch of the same
    partition is accepted, it takes the earlier ones for accepted too (confluent-kafka-go#921). One request in
    flight keeps that from happening; this check refuses such a report if it happens all the same. A broker
    gives each message of a partition an offset of its own, and an idempotent producer's messages rising ones.
    """

    def __init__(self) -> None:
        self._last: dict[tuple[str, int], int] = {}

    def doubt(self, topic: str, partition: int, offset: int) -> str:
        """Why a report of success proves nothing; empty if it is proof."""
        if offset < 0:
            return "reported as delivered without an offset; the log may not hold it: publish it again"
        place = topic, partition
        last = self._last.get(place, -1)
        if offset <= last:
            return (
                f"reported at offset {offset}, after offset {last} of the same partition; the log may not "
                "hold it: publish it again, with a new producer if the topic was deleted and created again"
            )
        self._last[place] = offset
        return ""


def kafka_error_of(failure: PublishError) -> KafkaError:
    """Librdkafka's error behind a failure, for what explains errors of other clients, too."""
    error: KafkaError = failure.__cause__.args[0] if failure.__cause__ is not None else KafkaError(-1)
    return error


class DeliveryReports:
    """What librdkafka reports to one producer.

    Args:
        connection: knows why brokers cannot be reached.
        callbacks: where deliveries' callbacks run.
        notify: the hooks.
        role: what sends, for `Unconfirmed`.
        metrics: sums up the outcomes; None if no hook asks.

    Attributes:
        pending: the deliveries whose outcome is not known.
        closed: whether what fails now was given up by closing, which says so itself.
        has_failed: whether the producer failed fatally, and cannot send any more.
    """

    def __init__(
        self,
        connection: ConnectionLog,
        callbacks: DeliveryCallbacks,
        notify: HookDispatcher,
        role: str,
        metrics: PublishMetrics | None,
    ) -> None:
        self.pending: set[Delivery] = set()
        self.closed = False
        self.has_failed = False
        self._fatal: KafkaError | None = None
        self._connection = connection
        self._callbacks = callbacks
        self._notify = notify
        self._metrics = metrics
        self._role = role
        self._acknowledgements = Acknowledgements()
        self._completed: list[Delivery] = []
        self._without_cause: list[Callable[[], None]] = []
        self._turns = 0  # that these have waited
        self._unlogged: list[Delivery] = []
        self._unobserved = UnobservedFailures()
        self._lock = threading.Lock()

    def take(self, delivery: Delivery, error: KafkaError | None, record: Message) -> None:
        """Complete a delivery, within librdkafka's callback."""
        if error is not None and self._waits_for_cause(error, partial(self.take, delivery, error, record)):
            return
        partition, offset = record.partition(), record.offset()
        if partition is None or offset is None:  # never, but typed so
            partition, offset = -1, -1
        failure: PublishError | None = None
        if error is not None:
            failure = self.failure(delivery, error)
        elif doubt := self._acknowledgements.doubt(delivery.topic, partition, offset):
            failure = self._unconfirmed(delivery, partition, doubt)
        if delivery.complete(partition, offset, failure):
            self._completed.append(delivery)
        elif failure is not None:
            self._keep(delivery)
        self.pending.discard(delivery)  # last, so that a flush does not miss the failure

    def take_measured(  # noqa: PLR0913, PLR0917 - what is known before, then what librdkafka calls with
        self, delivery: Delivery, event_type: str, begun: float, span: Sending | None,
        error: KafkaError | None, record: Message,
    ) -> None:  # fmt: skip
        """`take`, for a producer with hooks or a tracer."""
        if error is not None:
            again = partial(self.take_measured, delivery, event_type, begun, span, error, record)
            if self._waits_for_cause(error, again):
                return
        self.take(delivery, error, record)
        code = delivery.error.code if delivery.error is not None else ""
        if self._metrics is not None:
            self._metrics.count(delivery.topic, event_type, code, begun)
        if span is not None:
            span.end(delivery.partition, delivery.offset, code)

    def failure(self, delivery: Delivery, error: KafkaError) -> PublishError:
        """Librdkafka's error as one of the tree, with what is known about the brokers."""
        self.has_failed = self.has_failed or error.fatal() or error.code() == KafkaError._FATAL  # noqa: SLF001
        error = self._fatal or error  # what comes after a fatal error only follows from it
        is_outage = error.code() in _OUTAGES
        reason = error.str()
        if is_outage and (cause := self._connection.cause):
            reason = f"{reason}; broker {cause}"
        if error.code() == KafkaError.MSG_SIZE_TOO_LARGE:
            reason += _TOO_LARGE
        retryable = error.retriable() or is_outage
        failure = PublishError(delivery.event, delivery.topic, error.name(), reason, retryable=retryable)
        failure.__cause__ = KafkaException(error)
        return failure

    def fail_fatally(self, error: KafkaError) -> None:
        """The producer cannot send any more: every failure from now on says why."""
        self._fatal, self.has_failed = error, True
        _log.critical("producer failed fatally: %s", error.str())

    @property
    def has_work(self) -> bool:
        """Whether there are outcomes to learn or callbacks to run."""
        return bool(self.pending) or self._callbacks.pending

    def hand_over(self) -> None:
        """Run the callbacks of what was completed, after librdkafka's: by the thread that served it."""
        if self._without_cause:
            self._complete_without_cause()
        if self._completed:
            completed, self._completed = self._completed, []
            self._callbacks.run(completed)
        if self._unlogged:
            unlogged, self._unlogged = self._unlogged, []
            _log_failures(unlogged)

    def measure(self, *, more_to_come: bool) -> None:
        """Notify hooks of what was reported."""
        if self._metrics is not None:
            self._metrics.report(more_to_come=more_to_come)

    def raise_undelivered(self) -> None:
        """Raise the failures that nothing watched, and what is still unacknowledged.

        Raises:
            UndeliveredEvents: if there are any.
        """
        with self._lock:
            unobserved, self._unobserved = self._unobserved, UnobservedFailures()
            failed = tuple(delivery.error for delivery in list(unobserved.last) if delivery.error)
            count = unobserved.count
        pending = tuple(delivery.event for delivery in list(self.pending))
        if count or pending:
            raise UndeliveredEvents(failed, pending, failed_count=count)

    def _waits_for_cause(self, error: KafkaError, again: Callable[[], None]) -> bool:
        """Whether a failure waits, since librdkafka reports messages as `_FATAL` before it says why."""
        waits = error.code() == KafkaError._FATAL and self._fatal is None and self._turns < _TURNS  # noqa: SLF001
        if waits and not self.closed:
            self._without_cause.append(again)
            return True
        return False

    def _complete_without_cause(self) -> None:
        """Complete what waits for the cause of a fatal error, once that is known, or does not come."""
        self._turns += 1
        if self._fatal is not None or self.closed or self._turns >= _TURNS:
            waiting, self._without_cause = self._without_cause, []
            for complete in waiting:
                complete()

    def _unconfirmed(self, delivery: Delivery, partition: int, doubt: str) -> PublishError:
        _log.error("event %s on %s[%d]: %s", delivery.event.event_id, delivery.topic, partition, doubt)
        if self._notify:
            self._notify(Unconfirmed(delivery.topic, self._role))
        failure = PublishError(delivery.event, delivery.topic, UNCONFIRMED, doubt, retryable=True)
        failure.__cause__ = KafkaException(KafkaError(KafkaError._FAIL, doubt))  # noqa: SLF001 - librdkafka's name
        return failure

    def _keep(self, delivery: Delivery) -> None:
        """A failure that nothing watches is logged, and raised by the next flush."""
        with self._lock:
            if not self.closed and delivery.add_to(self._unobserved):
                self._unlogged.append(delivery)


def _log_failures(deliveries: Sequence[Delivery]) -> None:
    for delivery in deliveries[:_LOGGED]:
        _log.error("%s: %s", delivery.event.WhichOneof("payload") or "message", delivery.error)
    if (more := len(deliveries) - _LOGGED) > 0:
        codes = sorted({delivery.error.code for delivery in deliveries if delivery.error})
        _log.error("%d more events failed at the same time (%s)", more, ", ".join(codes))
