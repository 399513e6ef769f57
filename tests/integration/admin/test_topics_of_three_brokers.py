"""The contract's own topics on three brokers, as auth-events topics makes them without a file of settings."""

from __future__ import annotations

import secrets
import time
import uuid
from collections.abc import Iterator

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from component.cli.terminal import run
from component.cli.typing_terminal import typing
from immersiverse.auth.events import AuthEventDeserializer, DeadLetters, Policy, Retry, Subscriber, catalog
from immersiverse.auth.events.observability.hooks import DeadLettered, Stubbed
from integration.running import eventually, running
from stack.kafka import KafkaCluster, kafka_cluster

LOGIN = "auth.events.login"


@pytest.fixture(scope="module")
def three() -> Iterator[KafkaCluster]:
    """Three brokers with the contract's topics."""
    with kafka_cluster(brokers=3) as cluster:
        applied = run("topics", "apply", "--yes", "-b", cluster.bootstrap)
        assert (applied.code, applied.err.splitlines()[-1]) == (0, "the topics are as wanted")
        yield cluster


def set_retention(cluster: KafkaCluster, topic: str, days: int) -> None:
    """What another operator does."""
    entry = ConfigEntry("retention.ms", str(days * 86_400_000), incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    admin = AdminClient({"bootstrap.servers": cluster.bootstrap})
    for answer in admin.incremental_alter_configs([resource]).values():
        answer.result(30)


def test_events_are_on_three_brokers_and_two_must_have_them(three):
    found = AdminClient({"bootstrap.servers": three.bootstrap}).list_topics(timeout=30).topics
    for name in (*catalog.TOPICS, catalog.DEAD_LETTER_TOPIC):
        partitions = found[name].partitions.values()
        assert (len(partitions), {len(p.replicas) for p in partitions}) == (12, {3})
    assert run("topics", "check", "-b", three.bootstrap).code == 0


def test_what_changes_during_the_question_is_not_overwritten(three):
    set_retention(three, LOGIN, 20)
    with typing("topics", "apply", "-b", three.bootstrap) as terminal:
        terminal.wait_for(r"20 days\) -> 1209600000 \(14 days\).*Change 1 topics\? \[y/N\]: ")
        set_retention(three, LOGIN, 30)
        time.sleep(1)  # until all brokers have heard of it
        terminal.type("y\n")
        terminal.wait_for("changed while you were asked; run it again")
        assert terminal.code() == 1
    with typing("topics", "apply", "-b", three.bootstrap) as terminal:
        terminal.wait_for(r"30 days\) -> 1209600000 \(14 days\).*Change 1 topics\? \[y/N\]: ")
        terminal.type("y\n")
        terminal.wait_for("the topics are as wanted")
        assert terminal.code() == 0


def test_the_dead_letter_of_the_largest_message_fits(three):
    config = {"bootstrap.servers": three.bootstrap, "message.max.bytes": 2_000_000}
    producer, refused = Producer(config), []
    for size in range(1_048_588, 1_048_588 - 200, -1):  # the last one that is not refused is the largest
        value = b"{" + secrets.token_bytes(size - 1)
        producer.produce(LOGIN, value, b"user-1", on_delivery=lambda error, _: refused.append(error))
        assert producer.flush(30) == 0
        if refused.pop() is None:
            break
    seen: list[object] = []
    settings = {"bootstrap.servers": three.bootstrap, "group.id": f"group-{uuid.uuid4()}"}
    subscriber = Subscriber(
        settings,
        [LOGIN],
        deserializer=AuthEventDeserializer(),
        policy=Policy(retry=Retry(attempts=1)),
        dead_letters=DeadLetters(settings),
        hooks=[seen.append],
    )
    with running(subscriber):
        eventually(lambda: any(isinstance(found, DeadLettered) for found in seen))
    assert not any(isinstance(found, Stubbed) for found in seen)


def test_while_a_broker_is_away_topics_are_still_as_wanted_and_new_ones_need_it(three):
    three.broker(3).server.kill()
    try:
        eventually(lambda: "the cluster has 2 now" in _single_topic(three))
        assert run("topics", "check", "-b", three.bootstrap).code == 0
    finally:
        three.broker(3).server.start()
        three.wait_until_ready()


def _single_topic(cluster: KafkaCluster) -> str:
    return run("topics", "plan", "--single-topic", "-b", cluster.bootstrap).out
