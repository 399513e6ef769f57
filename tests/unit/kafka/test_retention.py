"""Events that retention removed before their group read them are reported; other gaps are not."""

from __future__ import annotations

from typing import cast

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from immersiverse.auth.events.kafka.consumer.records import RecordBatch, split_batches
from immersiverse.auth.events.kafka.consumer.retention import RetentionWatch
from immersiverse.auth.events.kafka.instrumentation import HookDispatcher
from immersiverse.auth.events.observability.hooks import Detail, RetentionLoss
from scheduling import TOPIC, record


class Broker:
    """What a consumer learns about partition 0: librdkafka's mock cluster removes no events."""

    def __init__(self, *, committed: int = -1001, oldest: int = 0) -> None:
        self.committed_offset = committed
        self.oldest = oldest
        self.questions = 0

    def committed(self, partitions: list[TopicPartition], _timeout: float) -> list[TopicPartition]:
        """What the group has committed."""
        return [TopicPartition(p.topic, p.partition, self.committed_offset) for p in partitions]

    def get_watermark_offsets(self, _partition: TopicPartition, **_timeout: float) -> tuple[int, int]:
        """Where the log begins and ends."""
        self.questions += 1
        if self.oldest < 0:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        return self.oldest, 10_000


class Watched:
    """A watch of partition 0, just assigned."""

    def __init__(self, broker: Broker, *, from_beginning: bool = True) -> None:
        self.details: list[Detail] = []
        self._broker = cast("Consumer", broker)
        self.watch = RetentionWatch(
            "readers", HookDispatcher([self.details.append]), from_beginning=from_beginning
        )
        self.watch.assign([(TOPIC, 0)])

    def fetch(self, *offsets: int) -> None:
        """Records with these offsets were fetched."""
        self.watch.check(self._broker, batches(*offsets))


def batches(*offsets: int) -> list[RecordBatch]:
    records = [record(offset) for offset in offsets]
    return split_batches(records)


def lost(start: int, end: int) -> RetentionLoss:
    return RetentionLoss(TOPIC, 0, start, end)


def test_what_was_removed_before_a_group_came_back_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    watched = Watched(Broker(committed=5, oldest=100))
    watched.fetch(100, 101)
    assert watched.details == [lost(5, 100)]
    assert "before group readers handled them: offsets 5 to 99 are lost" in caplog.text


@pytest.mark.parametrize("fetches", [[(7, 20)], [(7,), (20,)]], ids=["in a batch", "between batches"])
def test_what_is_removed_under_a_running_group_is_reported(fetches: list[tuple[int, ...]]) -> None:
    watched = Watched(Broker(committed=7, oldest=20))
    for offsets in fetches:
        watched.fetch(*offsets)
    assert watched.details == [lost(8, 20)]


def test_only_what_lies_before_the_beginning_of_the_log_is_counted_as_removed() -> None:
    watched = Watched(Broker(committed=5, oldest=8))
    watched.fetch(12)
    assert watched.details == [lost(5, 8)]


def test_a_consumer_that_goes_on_at_the_end_has_lost_all_before_it() -> None:
    watched = Watched(Broker(committed=5, oldest=8), from_beginning=False)
    watched.fetch(12)
    assert watched.details == [lost(5, 12)]


def test_a_group_that_has_committed_nothing_has_lost_nothing() -> None:
    watched = Watched(Broker(oldest=100))
    watched.fetch(100, 101)
    assert watched.details == []


def test_offsets_without_events_are_no_loss_and_are_asked_about_once_a_minute() -> None:
    watched = Watched(broker := Broker(committed=0))
    for offset in range(0, 40, 2):
        watched.fetch(offset)
    assert (watched.details, broker.questions) == ([], 1)


def test_a_gap_at_the_beginning_of_the_log_is_no_loss() -> None:
    watched = Watched(Broker(committed=5, oldest=5))
    watched.fetch(9)
    assert watched.details == []


def test_no_gap_costs_no_question() -> None:
    watched = Watched(broker := Broker(committed=3))
    watched.fetch(3, 4, 5)
    watched.fetch(6)
    assert broker.questions == 0


def test_a_partition_that_went_and_came_back_is_compared_with_what_is_committed_then() -> None:
    watched = Watched(broker := Broker(committed=3))
    watched.fetch(3)
    watched.watch.revoke([(TOPIC, 0)])
    broker.committed_offset = 50
    watched.watch.assign([(TOPIC, 0)])
    watched.fetch(50)
    assert (watched.details, broker.questions) == ([], 0)


def test_a_broker_that_does_not_answer_stops_nothing() -> None:
    watched = Watched(Broker(committed=3, oldest=-1))
    watched.fetch(9)
    assert watched.details == []


def test_a_hook_may_ask_how_many_are_gone() -> None:
    assert lost(5, 100).count == 95
