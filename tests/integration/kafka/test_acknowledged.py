"""What a publisher counts as acknowledged is in the log, also where leaders are new, leave, or move."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from immersiverse.auth.events import DeadLetters, PublishError
from immersiverse.auth.events.kafka import config
from immersiverse.auth.events.observability.hooks import Detail, Unconfirmed
from integration.kafka.acknowledged import Ids, Life, in_log, leaders_leaving, live, missing
from integration.kafka.cluster import Cluster, event
from scheduling import record
from stack.kafka import Broker, KafkaCluster, kafka_cluster

_PARTITIONS = 300  # the more there are, the longer some of their leaders take to know them
_EVENTS = 1000
_MANY = 40  # rounds in which a loss that happens in every second one is bound to happen


@pytest.fixture(scope="module")
def three_brokers() -> Iterator[KafkaCluster]:
    """Three brokers of this module's own: they are stopped and killed."""
    with kafka_cluster(brokers=3) as brokers:
        yield brokers


@pytest.fixture
def five_in_flight(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is refused, allowed: as if the guarantee did not hold."""
    key = "max.in.flight.requests.per.connection"
    monkeypatch.setitem(config.PRODUCER_DEFAULTS, key, 5)  # type: ignore[arg-type]  # a dict, declared read-only


def life_on_a_new_topic(cluster: Cluster, **more: Any) -> tuple[Life, Ids]:
    """A publisher's answers, and the log of its topic, which comes into being before its first event."""
    topic = cluster.name()
    life = live(
        cluster.bootstrap,
        topic,
        events=_EVENTS,
        born=lambda: cluster.create(topic, partitions=_PARTITIONS),
        **more,
    )
    found = in_log(cluster.bootstrap, topic)
    cluster.delete(topic)
    return life, found


def test_what_is_acknowledged_on_a_new_topic_is_in_its_log(cluster: Cluster, rounds: int) -> None:
    for _ in range(rounds):
        life, found = life_on_a_new_topic(cluster)
        assert life.acknowledged - found == set()
        assert len(life.acknowledged) == _EVENTS


async def put_on(topic: str, cluster: Cluster) -> Ids:
    """The keys of messages that were acknowledged as dead letters of a new topic."""
    dead_letters = DeadLetters(cluster.config, topic=topic)
    records = [record(number, f"user-{number}") for number in range(_EVENTS)]
    cluster.create(topic, partitions=_PARTITIONS)
    sent = []
    for each in records:
        sent.append(asyncio.create_task(dead_letters.send(each, OSError(), 1)))
        await asyncio.sleep(0.0005)
    await asyncio.gather(*sent)
    dead_letters.close()
    return {(each.key() or b"").decode() for each in records}


def test_what_is_acknowledged_as_a_dead_letter_on_a_new_topic_is_in_its_log(
    cluster: Cluster, rounds: int
) -> None:
    for _ in range(rounds):
        topic = cluster.name()
        acknowledged = asyncio.run(put_on(topic, cluster))
        assert acknowledged - in_log(cluster.bootstrap, topic, lambda found: found.key() or b"") == set()
        cluster.delete(topic)


@pytest.mark.parametrize(
    "leave",
    [
        pytest.param(lambda broker: broker.server.stop(), id="stopped"),
        pytest.param(lambda broker: broker.server.kill(), id="killed"),
    ],
)
def test_what_is_acknowledged_while_leaders_leave_and_come_back_is_in_the_log(
    three_brokers: KafkaCluster, leave: Callable[[Broker], None], rounds: int
) -> None:
    with Cluster(three_brokers.bootstrap) as cluster:
        topic = cluster.create(partitions=30)
        acknowledged, lives = Ids(), max(2, rounds // 2)
        with leaders_leaving(three_brokers, topic, leave):
            for _ in range(lives):
                acknowledged |= live(cluster.bootstrap, topic, events=300).acknowledged
        assert missing(cluster.bootstrap, topic, acknowledged, within=60) == set()
        assert len(acknowledged) >= lives * 150  # what no broker takes in two minutes fails, and says so


@pytest.mark.usefixtures("five_in_flight")
def test_a_report_without_an_offset_is_an_error_that_may_be_tried_again(
    cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    details: list[Detail] = []
    for _ in range(_MANY):
        life, found = life_on_a_new_topic(cluster, hooks=[details.append])
        assert life.acknowledged - found == set()
        if life.failed:
            break
    assert set(life.failed.values()) == {"UNCONFIRMED"}
    unconfirmed = [detail for detail in details if isinstance(detail, Unconfirmed)]
    assert [detail.producer for detail in unconfirmed] == ["publisher"] * len(life.failed)
    errors = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert all(any(event_id in error for error in errors) for event_id in life.failed)


def test_an_offset_that_was_given_before_is_an_error_that_may_be_tried_again(cluster: Cluster) -> None:
    topic = cluster.create(partitions=1)
    with cluster.publisher(topic) as publisher:
        publisher.send(event("a", 0)).result(30)
        publisher.send(event("a", 1)).result(30)
        cluster.recreate(topic)  # whose offsets begin anew: what an idempotent producer must never see
        with pytest.raises(PublishError, match="deleted and created again") as refused:
            publisher.send(event("a", 2)).result(60)
    assert (refused.value.code, refused.value.retryable) == ("UNCONFIRMED", True)
