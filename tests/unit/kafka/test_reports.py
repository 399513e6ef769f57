"""Which reports of librdkafka count as acknowledgements, and what a failure says."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import pytest
from confluent_kafka import KafkaError

from immersiverse.auth.events import AuthEvent, Delivery
from immersiverse.auth.events.kafka.connection_log import ConnectionLog
from immersiverse.auth.events.kafka.instrumentation import HookDispatcher
from immersiverse.auth.events.kafka.producer.callbacks import CallbackThread
from immersiverse.auth.events.kafka.producer.reports import DeliveryReports, kafka_error_of
from immersiverse.auth.events.observability.hooks import Detail, Unconfirmed


@dataclass
class Place:
    """A record as librdkafka reports it."""

    number: int
    at: int

    def partition(self) -> int:
        """Its partition."""
        return self.number

    def offset(self) -> int:
        """Its offset."""
        return self.at


class Producer:
    """Takes reports as a producer does."""

    def __init__(self) -> None:
        self.details: list[Detail] = []
        connection = ConnectionLog("producer", {}, logging.getLogger("connections"))
        hooks = HookDispatcher([self.details.append])
        self.reports = DeliveryReports(connection, CallbackThread(), hooks, "publisher", None)

    def report(self, partition: int, offset: int, error: KafkaError | None = None) -> Delivery:
        """A delivery, completed by a report."""
        delivery = Delivery(AuthEvent(event_id="1"), "topic")
        record: Any = Place(partition, offset)
        self.reports.pending.add(delivery)
        self.reports.take(delivery, error, record)
        return delivery


def test_rising_offsets_of_each_partition_are_acknowledgements() -> None:
    producer = Producer()
    for partition, offset in ((0, 0), (1, 0), (0, 1), (1, 9), (0, 5)):
        delivery = producer.report(partition, offset)
        assert (delivery.done, delivery.error) == (True, None)
        assert (delivery.partition, delivery.offset) == (partition, offset)
    assert (producer.reports.pending, producer.details) == (set(), [])


@pytest.mark.parametrize("offset", [-1001, -1, 3, 2])
def test_success_without_an_offset_of_its_own_is_a_failure(offset: int) -> None:
    producer = Producer()
    producer.report(0, 3)
    delivery = producer.report(0, offset)
    assert delivery.error is not None
    assert (delivery.error.code, delivery.error.retryable, delivery.offset) == ("UNCONFIRMED", True, -1)
    assert producer.details == [Unconfirmed("topic", "publisher")]
    assert kafka_error_of(delivery.error).code() == KafkaError._FAIL


def test_what_fails_after_a_fatal_error_says_that_error() -> None:
    producer = Producer()
    assert not producer.reports.has_failed
    fatal = KafkaError(KafkaError.CLUSTER_AUTHORIZATION_FAILED, "not in this cluster", fatal=True)
    producer.reports.fail_fatally(fatal)
    error = producer.report(0, -1, KafkaError(KafkaError._PURGE_QUEUE)).error
    assert error is not None
    assert (error.code, error.retryable) == ("CLUSTER_AUTHORIZATION_FAILED", False)
    assert producer.reports.has_failed
