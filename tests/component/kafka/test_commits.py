"""What is committed when a coordinator refuses and when partitions are revoked, and what ends it all."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any, cast

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from immersiverse.auth.events.errors import ConsumeError
from immersiverse.auth.events.kafka.config import consumer_settings
from immersiverse.auth.events.kafka.consumer.offsets import OffsetCommitter
from immersiverse.auth.events.kafka.consumer.options import Policy
from immersiverse.auth.events.kafka.consumer.poller import Poller
from immersiverse.auth.events.kafka.instrumentation import HookDispatcher
from immersiverse.auth.events.partition import Partition
from immersiverse.auth.events.testing.broker import EmbeddedBroker
from scheduling import TOPIC, Stage, record

FIRST, SECOND = Partition("t", 0), Partition("t", 1)


class Coordinator:
    """A consumer whose commits are refused with these codes first: librdkafka's brokers refuse none.

    Attributes:
        committed: what was accepted, in order.
        asked: how many commits it got.
    """

    def __init__(self, *refusals: int) -> None:
        self.committed: list[dict[Partition, int]] = []
        self.stored: list[dict[Partition, int]] = []
        self.asked = 0
        self._refusals = list(refusals)

    def assignment(self) -> list[TopicPartition]:
        """Both partitions."""
        return [TopicPartition(*FIRST), TopicPartition(*SECOND)]

    def store_offsets(self, offsets: list[TopicPartition]) -> None:
        """What librdkafka would commit by itself."""
        self.stored.append(_by_partition(offsets))

    def commit(self, offsets: list[TopicPartition], **_: Any) -> list[TopicPartition]:
        """Accept a commit, or refuse it with the next code."""
        self.asked += 1
        if self._refusals:
            raise KafkaException(KafkaError(self._refusals.pop(0)))
        self.committed.append(_by_partition(offsets))
        return offsets


def _by_partition(offsets: list[TopicPartition]) -> dict[Partition, int]:
    return {Partition(each.topic, each.partition): each.offset for each in offsets}


def committer(*, stored: bool = False) -> OffsetCommitter:
    return OffsetCommitter(stored=stored, notify=HookDispatcher(()), on_failure=lambda _: None)


def test_the_commit_of_a_revoked_partition_is_repeated_while_its_coordinator_moves() -> None:
    coordinator = Coordinator(KafkaError.NOT_COORDINATOR, KafkaError.COORDINATOR_LOAD_IN_PROGRESS)
    committer().commit_now(cast("Consumer", coordinator), {FIRST: 7})
    assert coordinator.committed == [{FIRST: 7}]


def test_a_refusal_for_good_is_not_asked_again() -> None:
    coordinator = Coordinator(*[KafkaError.GROUP_AUTHORIZATION_FAILED] * 2)
    commits = committer()
    commits.commit_now(cast("Consumer", coordinator), {FIRST: 7})
    assert coordinator.asked == 1
    assert commits.commit_before_leaving(cast("Consumer", coordinator), {FIRST: 7})


@pytest.mark.parametrize("refusal", [KafkaError.ILLEGAL_GENERATION, KafkaError.REBALANCE_IN_PROGRESS])
def test_the_last_commit_is_repeated_after_a_refusal_that_ends_with_the_rebalance(refusal: int) -> None:
    coordinator, commits = Coordinator(refusal), committer()
    assert not commits.commit_before_leaving(cast("Consumer", coordinator), {FIRST: 7})
    assert not commits.commit_before_leaving(cast("Consumer", coordinator), {FIRST: 7})
    commits.on_commit(None, [TopicPartition(*FIRST, 7)])
    assert commits.commit_before_leaving(cast("Consumer", coordinator), {FIRST: 7})
    assert coordinator.committed == [{FIRST: 7}]


def test_a_request_for_a_partition_that_leaves_is_not_sent_later() -> None:
    coordinator, commits = Coordinator(), committer()
    commits.request({FIRST: 7, SECOND: 8})
    assert commits.cancel([FIRST]) == {FIRST: 7}
    commits.commit_pending(cast("Consumer", coordinator))
    assert coordinator.committed == [{SECOND: 8}]


def test_what_librdkafka_commits_by_itself_is_replaced_first() -> None:
    coordinator, commits = Coordinator(), committer(stored=True)
    commits.request({FIRST: 7})
    commits.commit_pending(cast("Consumer", coordinator))
    assert (coordinator.stored, coordinator.committed) == ([{FIRST: 7}], [])


@pytest.fixture(scope="module")
def bootstrap() -> Iterator[str]:
    with EmbeddedBroker(topics=[TOPIC]) as broker:
        yield broker.bootstrap


def poller_of(stage: Stage, bootstrap: str, group: str) -> Poller:
    return Poller(
        consumer_settings({"bootstrap.servers": bootstrap, "group.id": group}), [TOPIC], stage.scheduler,
        loop=asyncio.get_running_loop(), policy=Policy(drain=0), notify=HookDispatcher(()),
        on_error=stage.stopped_by.append,
    )  # fmt: skip


@pytest.mark.parametrize(
    "code",
    [
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.SASL_AUTHENTICATION_FAILED,
        KafkaError._AUTO_OFFSET_RESET,
    ],
)
def test_an_error_that_only_a_person_can_fix_stops_the_subscriber(bootstrap: str, code: int) -> None:
    async def run() -> None:
        poller = poller_of(Stage(lambda _event, _payload: None), bootstrap, "refused")
        with pytest.raises(ConsumeError):
            poller._log_or_raise(KafkaError(code))
        poller._log_or_raise(KafkaError(KafkaError._TRANSPORT))
        poller._consumer.close()

    asyncio.run(run())


def test_what_has_finished_of_a_revoked_partition_is_committed_before_it_goes(bootstrap: str) -> None:
    partition = [TopicPartition(TOPIC, 0)]

    async def run() -> None:
        stage = Stage(lambda _event, _payload: None)
        poller = poller_of(stage, bootstrap, "revoked")
        await stage.handle(record(0), record(1))
        await asyncio.to_thread(poller._on_revoke, poller._consumer, partition)
        (position,) = poller._consumer.committed(partition, 10)
        assert position.offset == 2
        poller._consumer.close()

    asyncio.run(run())


def test_what_was_fetched_before_a_partition_went_is_not_handled_when_it_comes_back(bootstrap: str) -> None:
    partition = [TopicPartition(TOPIC, 0)]

    async def run() -> None:
        handled: list[str] = []
        stage = Stage(lambda _event, payload: handled.append(payload.session_id))
        poller = poller_of(stage, bootstrap, "returned")

        def rebalance() -> None:
            poller._fetched = cast("Any", [record(0)])
            poller._on_revoke(poller._consumer, partition)
            poller._on_assign(poller._consumer, partition)
            poller._fetched = cast("Any", [record(5)])
            poller._hand_over()

        in_the_pollers_thread = threading.Thread(target=rebalance)
        in_the_pollers_thread.start()
        in_the_pollers_thread.join()  # meanwhile the event loop gets no turn
        await stage.finished(2)
        assert handled == ["5"]
        poller._consumer.close()

    asyncio.run(run())
