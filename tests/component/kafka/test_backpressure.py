"""A full backlog pauses partitions, and no partition stays paused when it is over."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from immersiverse.auth.events.kafka.consumer.backpressure import Backpressure
from immersiverse.auth.events.testing.broker import EmbeddedBroker


@dataclass
class Account:
    """What happened to the messages that were handed over."""

    finished: int
    waiting: int = 0
    held: dict[tuple[str, int], int] = field(default_factory=dict)


PARTITION = [TopicPartition("flow", 0, 0)]


@pytest.fixture(scope="module")
def bootstrap() -> Iterator[str]:
    with EmbeddedBroker(topics=["flow"]) as broker:
        producer = Producer({"bootstrap.servers": broker.bootstrap})
        for number in range(100):
            producer.produce("flow", str(number), partition=number % 2)
        assert producer.flush(10) == 0
        yield broker.bootstrap


@pytest.fixture
def consumer(bootstrap: str) -> Iterator[Consumer]:
    made = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "flow",
            "auto.offset.reset": "earliest",
            "partition.assignment.strategy": "cooperative-sticky",
        }
    )
    made.incremental_assign(PARTITION)
    assert made.poll(10) is not None
    yield made
    made.close()


def fill_up(pressure: Backpressure, consumer: Consumer) -> None:
    """Until the flow pauses, which it does not at once."""
    pressure.handed = 10
    until = time.monotonic() + 10
    while pressure.poll_timeout(consumer, Account(0)) is None:
        assert time.monotonic() < until


def partition_of(consumer: Consumer) -> int | None:
    """Of the next message."""
    message = consumer.poll(10)
    assert message is not None
    return message.partition()


def test_a_full_backlog_pauses_until_half_of_it_is_done(consumer: Consumer) -> None:
    pressure = Backpressure(backlog=10)
    fill_up(pressure, consumer)
    assert consumer.poll(1) is None
    pressure.poll_timeout(consumer, Account(4))
    assert consumer.poll(0.5) is None
    pressure.poll_timeout(consumer, Account(5))
    assert consumer.poll(10) is not None


def test_a_partition_that_was_lost_while_paused_is_read_when_it_comes_back_later(consumer: Consumer) -> None:
    pressure = Backpressure(backlog=10)
    fill_up(pressure, consumer)
    consumer.incremental_unassign(PARTITION)
    pressure.poll_timeout(consumer, Account(10))  # there is room again, but no partition to resume
    consumer.incremental_assign(PARTITION)
    pressure.assigned_anew = True
    pressure.poll_timeout(consumer, Account(10))
    assert consumer.poll(10) is not None


def test_a_partition_that_comes_while_the_backlog_is_full_waits_like_the_others(consumer: Consumer) -> None:
    pressure = Backpressure(backlog=10)
    fill_up(pressure, consumer)
    consumer.incremental_assign([TopicPartition("flow", 1, 0)])
    pressure.assigned_anew = True
    pressure.poll_timeout(consumer, Account(0))
    assert consumer.poll(1) is None


def test_only_a_partition_that_holds_too_much_is_paused_and_what_it_holds_leaves_room_for_others(
    consumer: Consumer,
) -> None:
    pressure = Backpressure(backlog=10)
    pressure.handed = 10
    assert pressure.poll_timeout(consumer, Account(0, held={("flow", 0): 10})) is not None
    assert consumer.poll(0.5) is None
    consumer.incremental_assign([TopicPartition("flow", 1, 0)])
    pressure.assigned_anew = True
    pressure.poll_timeout(consumer, Account(0, held={("flow", 0): 10}))
    assert {partition_of(consumer) for _ in range(20)} == {1}
    pressure.poll_timeout(consumer, Account(0))
    assert {partition_of(consumer) for _ in range(70)} == {0, 1}


def test_partitions_hold_no_more_than_the_backlog_once_more(consumer: Consumer) -> None:
    pressure = Backpressure(backlog=10)
    pressure.handed = 20
    until = time.monotonic() + 10
    while pressure.poll_timeout(consumer, Account(0, held={("elsewhere", 0): 20})) is None:
        assert time.monotonic() < until
    assert consumer.poll(0.5) is None


def test_a_full_backlog_that_is_over_resumes_no_partition_that_holds_too_much(
    consumer: Consumer,
) -> None:
    pressure = Backpressure(backlog=10)
    fill_up(pressure, consumer)
    pressure.poll_timeout(consumer, Account(10, held={("flow", 0): 1}))
    assert consumer.poll(0.5) is None
    pressure.poll_timeout(consumer, Account(10))
    assert consumer.poll(10) is not None


def test_a_partition_that_held_too_much_and_was_lost_is_read_when_it_comes_back(
    consumer: Consumer,
) -> None:
    pressure = Backpressure(backlog=10)
    pressure.poll_timeout(consumer, Account(0, held={("flow", 0): 1}))
    consumer.incremental_unassign(PARTITION)
    pressure.poll_timeout(consumer, Account(0))  # it holds nothing any more, but is not there to be resumed
    consumer.incremental_assign(PARTITION)
    pressure.assigned_anew = True
    pressure.poll_timeout(consumer, Account(0))
    assert consumer.poll(10) is not None


def test_polling_pauses_for_a_short_time_while_no_handler_has_taken_the_messages(consumer: Consumer) -> None:
    pressure = Backpressure(backlog=10_000)
    pressure.handed = 1_000
    assert pressure.poll_timeout(consumer, Account(0, waiting=1_000)) is None
    assert pressure.poll_timeout(consumer, Account(900, waiting=100)) is not None


def test_slow_handlers_get_messages_of_other_keys_all_the_same(consumer: Consumer) -> None:
    pressure = Backpressure(backlog=10_000)
    pressure.handed = 1_000
    until = time.monotonic() + 10
    while pressure.poll_timeout(consumer, Account(0, waiting=1_000)) is None:
        assert time.monotonic() < until
