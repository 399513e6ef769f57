"""Sends lists of rows by one producer, and sorts out what Kafka refuses.

A refusal of a single row (too large, an unknown topic) sets it aside. Everything else is an outage, in which
the relay waits: brokers that are away, missing rights, a producer that failed.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Self

from confluent_kafka import KafkaError

from immersiverse.auth.events.errors import PublishError, UndeliveredEvents
from immersiverse.auth.events.kafka.config import Retry
from immersiverse.auth.events.kafka.producer.callbacks import CallbackThread
from immersiverse.auth.events.kafka.producer.core import ProducerCore, RawMessage
from immersiverse.auth.events.kafka.producer.delivery import Delivery
from immersiverse.auth.events.kafka.producer.reports import kafka_error_of
from immersiverse.auth.events.logs import get_logger
from immersiverse.auth.events.outbox.database import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from immersiverse.auth.events.observability.hooks import Hook
    from immersiverse.auth.events.outbox.reporting import RelayReport

    _Failed = list[tuple[Row, PublishError]]

_log = get_logger(__name__)
_DEFAULTS: Final[Mapping[str, Any]] = {
    "linger.ms": 1,
    "delivery.timeout.ms": 0,  # never: an event that failed while later ones succeed would break the order
    "topic.metadata.propagation.max.ms": 10_000,
}
_REFUSALS: Final = frozenset({
    KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_RECORD, KafkaError.POLICY_VIOLATION,
    KafkaError.INVALID_MSG, KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError.TOPIC_EXCEPTION,
    KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001 - librdkafka's names
})  # fmt: skip
_UNKNOWN_TOPICS: Final = frozenset({KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC})  # noqa: SLF001
_RETRY: Final = Retry(first=0.2, longest=5.0)
_TICK: Final = 0.5  # seconds


class RowSender:
    """Sends rows by one producer, one list at a time.

    Args:
        config: librdkafka's settings, at least ``bootstrap.servers``.
        hooks: what is notified of deliveries without proof.
        report: gets every delivery.

    Raises:
        ConfigurationError: if a setting is wrong or breaks a guarantee.
    """

    def __init__(self, config: Mapping[str, Any], hooks: Sequence[Hook], report: RelayReport) -> None:
        self._settings = {**_DEFAULTS, **config}
        self._hooks = hooks
        self._report = report
        self._core = self._new_core()
        self._sent: list[tuple[Row, Delivery]] = []

    def send(self, rows: Sequence[Row]) -> None:
        """Queue rows, in their order; `finish` before the next."""
        self._report.sending()
        send, sent = self._core.send, self._sent
        for row in rows:
            try:
                delivery = send(RawMessage(row.topic, row.key, row.value, row.headers))
            except PublishError as error:
                delivery = _refused_at_once(error)
            delivery.watch()
            sent.append((row, delivery))

    def finish(self, tick: Callable[[], None]) -> list[tuple[Row, PublishError]]:
        """Wait until every row is acknowledged or refused, through outages of any length.

        Args:
            tick: is called twice a second; what it raises ends the waiting.

        Returns:
            The refused rows, each with its reason.
        """
        failed, refused = self._wait(tick), list[tuple[Row, PublishError]]()
        failures, is_alone = 0, False
        while failed:
            refused += [each for each in failed if _is_final(each[1], is_alone=is_alone)]
            failed = [each for each in failed if not _is_final(each[1], is_alone=is_alone)]
            if failed and not _is_refusal(failed[0][1]):
                failures += 1
                self._pause(failures, failed, tick)
            failed, is_alone = self._send_alone(failed, tick), True
        return refused

    def _send_alone(self, failed: _Failed, tick: Callable[[], None]) -> _Failed:
        """Send rows one by one, up to an outage: Kafka refuses a batch for one row. What failed again."""
        again: _Failed = []
        for place, (row, _) in enumerate(failed):
            self.send((row,))
            again += self._wait(tick)
            if again and not _is_refusal(again[-1][1]):
                return again + failed[place + 1 :]
        return again

    def _wait(self, tick: Callable[[], None]) -> _Failed:
        """Wait for all that was sent; what failed, in order."""
        while not self._core.wait(_TICK):
            tick()
        sent, self._sent = self._sent, []
        self._report.finished(sent)
        return [(row, delivery.error) for row, delivery in sent if delivery.error is not None]

    def _pause(self, failures: int, failed: _Failed, tick: Callable[[], None]) -> None:
        delay = _RETRY.delay(failures)
        _log.warning("%s; %d events wait, retrying in %.1f s", failed[0][1], len(failed), delay)
        until = time.monotonic() + delay
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, _TICK))
            tick()
        if not self._core.is_usable:
            self._close_core()
            self._core = self._new_core()

    def _new_core(self) -> ProducerCore:
        return ProducerCore(self._settings, CallbackThread(), hooks=self._hooks, role="outbox-relay")

    def _close_core(self) -> None:
        with suppress(UndeliveredEvents):  # they are in the database, and sent again
            self._core.close(0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close_core()


def _is_refusal(error: PublishError) -> bool:
    return kafka_error_of(error).code() in _REFUSALS


def _is_final(error: PublishError, *, is_alone: bool) -> bool:
    """Whether a row is refused for good: no other row of its batch can be the reason."""
    return _is_refusal(error) and (is_alone or kafka_error_of(error).code() in _UNKNOWN_TOPICS)


def _refused_at_once(error: PublishError) -> Delivery:
    delivery = Delivery(error.event, error.topic)
    delivery.complete(-1, -1, error)
    return delivery
