"""Admin commands while brokers of a cluster of three are killed."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from component.cli.terminal import end, read_until, running
from component.cli.typing_terminal import typing
from immersiverse.auth.events.admin import groups
from immersiverse.auth.events.admin.cluster import Cluster
from immersiverse.auth.events.partition import Partition
from integration.admin.cluster_tools import member, publish
from stack.kafka import Broker, KafkaCluster, kafka_cluster

EVENT = (
    b'{"eventType":"UserCreated","timestamp":"2025-07-01T09:00:00Z","payload":{"userId":"user-%d",'
    b'"username":"alice","email":"alice@example.com","createdAt":"2025-07-01T09:00:00Z"}}'
)
TOPIC, GROUP = "watched", "watchers"


@pytest.fixture(scope="module")
def three() -> Iterator[KafkaCluster]:
    """Three brokers, a topic on all of them, and a group that has read it."""
    with kafka_cluster(brokers=3) as cluster:
        admin = AdminClient({"bootstrap.servers": cluster.bootstrap})
        admin.create_topics([NewTopic(TOPIC, 3, 3)])[TOPIC].result(30)
        publish(cluster.bootstrap, TOPIC, [EVENT % 1] * 5)
        with member(cluster.bootstrap, GROUP, TOPIC):
            pass
        yield cluster


def coordinator(cluster: KafkaCluster) -> Broker:
    """The broker that keeps the group."""
    admin = AdminClient({"bootstrap.servers": cluster.bootstrap})
    return cluster.broker(admin.describe_consumer_groups([GROUP])[GROUP].result(30).coordinator.id)


def test_a_watch_survives_the_loss_of_a_coordinator_and_offsets_can_be_set_meanwhile(three):
    cluster = Cluster({"bootstrap.servers": three.bootstrap, "log_level": 0}, timeout=30)
    with running("lag", "-b", three.bootstrap, "-g", GROUP, "--watch", "--interval", "0.1", "--json") as lag:
        read_until(lag, GROUP)
        victim = coordinator(three)
        victim.server.kill()
        groups.set_offsets(cluster, GROUP, {Partition(TOPIC, 0): 0})
        (found,) = groups.describe_groups(cluster, [GROUP])
        until = time.monotonic() + 3  # looks while another takes over
        while time.monotonic() < until:
            read_until(lag, GROUP)
        victim.server.start()
        three.wait_until_ready()
        read_until(lag, '"partition":0,"committed":0')
        result = end(lag, signal.SIGINT)
    assert found.state == "empty"
    assert result.code == 130
    assert all(line.startswith("last measured at ") for line in result.err.splitlines()), result.err


def test_a_tail_reports_an_outage_and_continues_after_it(three):
    with typing("tail", "-b", three.bootstrap, "-t", TOPIC, "--from", "beginning") as tail:
        tail.wait_for("user-1")
        three.kill()
        tail.wait_for("cannot reach any broker")
        for server in three.servers:
            server.start()
        three.wait_until_ready()
        tail.wait_for("Kafka answers again")
        publish(three.bootstrap, TOPIC, [EVENT % 2])
        tail.wait_for("user-2")
        tail.interrupt()
        assert tail.code() == 130
