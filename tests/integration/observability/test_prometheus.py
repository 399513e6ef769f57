"""What Prometheus reads of publishers and subscribers on a real broker."""

from __future__ import annotations

import json
import threading
import time
import uuid
from dataclasses import replace

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec
from prometheus_client import CollectorRegistry

from immersiverse.auth.events import AuthEventDeserializer, LoggedOut, PinnedSchemas
from immersiverse.auth.events.kafka.config import Retry
from immersiverse.auth.events.kafka.consumer.options import Policy
from immersiverse.auth.events.kafka.consumer.subscriber import Subscriber
from immersiverse.auth.events.kafka.producer.publisher import Publisher
from immersiverse.auth.events.observability import PrometheusHook
from immersiverse.auth.events.observability.hooks import Statistics
from integration.running import ToTopic, eventually, logged_out, running

OFTEN = {"statistics.interval.ms": 100}


class Service:
    """One process with its metrics, in the consumer group of a test."""

    def __init__(self, kafka, topic, group):
        self._config = {"bootstrap.servers": kafka.bootstrap, "group.id": group, **OFTEN}
        self._topic = topic
        self.registry = CollectorRegistry()
        self.hook = PrometheusHook(self.registry)

    def subscriber(self, policy=Policy(), **options):  # noqa: B008 - it is frozen
        deserializer = AuthEventDeserializer(PinnedSchemas(1))
        return Subscriber(
            self._config, [self._topic],
            deserializer=deserializer, hooks=[self.hook],
            policy=replace(policy, commit_interval=0.1), **options,
        )  # fmt: skip

    def ignoring(self):
        subscriber = self.subscriber()
        subscriber.on(LoggedOut)(lambda _event, _payload: None)
        return subscriber

    def lags(self):
        return {int(labels["partition"]): lag for labels, lag in self._series("kafka_consumer_lag")}

    def total(self, name, **labels):
        """The sum of a metric's series with these labels."""
        return sum(value for found, value in self._series(name) if labels.items() <= found.items())

    def _series(self, name):
        for family in self.registry.collect():
            for sample in family.samples:
                if sample.name == name:
                    yield sample.labels, sample.value


@pytest.fixture
def group():
    return f"group-{uuid.uuid4()}"


@pytest.fixture
def service(kafka, topic, group):
    return Service(kafka, topic, group)


def publish(kafka, topic, hook, count, users=30, **config):
    config = {"bootstrap.servers": kafka.bootstrap, **OFTEN, **config}
    with Publisher(config, serializer=ToTopic(topic), hooks=[hook]) as publisher:
        for number in range(count):
            publisher.send(logged_out(f"user-{number % users}", str(number)))


def true_lags(kafka, group, topic):
    """From the brokers: the end of each partition less what the group has committed there."""
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    partitions = [TopicPartition(topic, number) for number in range(3)]
    asked = admin.list_offsets(dict.fromkeys(partitions, OffsetSpec.latest()))
    ends = {partition.partition: future.result().offset for partition, future in asked.items()}
    (committed,) = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)]).values()
    done = {
        at.partition: max(at.offset, 0) for at in committed.result().topic_partitions if at.topic == topic
    }
    return {number: end - done.get(number, 0) for number, end in ends.items()}


def test_what_is_published_and_handled_is_counted_once(kafka, topic, service):
    publish(kafka, topic, service.hook, 500)
    here = {"topic": topic, "event_type": "LoggedOut"}
    assert service.total("auth_events_published_total", **here, outcome="ok") == 500
    assert service.total("auth_events_published_total") == 500
    assert service.total("auth_events_publish_seconds_count", topic=topic) == 500
    with running(service.ignoring()):
        eventually(lambda: service.total("auth_events_consumed_total", **here) == 500)
        eventually(lambda: service.total("auth_events_commits_total", outcome="ok"))
    assert service.total("auth_events_handle_seconds_count", **here) == 500
    assert 0 < service.total("auth_events_age_seconds_sum", topic=topic) / 500 < 120
    assert service.total("auth_events_decode_failures_total") == 0


def test_producer_requests_are_those_that_librdkafka_sent(kafka, topic, service):
    said = []
    config = {"bootstrap.servers": kafka.bootstrap, "client.id": "auth-service", **OFTEN}
    config["stats_cb"] = said.append

    def requests():
        return service.total("kafka_producer_requests_total", client_id="auth-service")

    with Publisher(config, serializer=ToTopic(topic), hooks=[service.hook]) as publisher:
        eventually(lambda: publisher.send(logged_out()).result() and requests() > 20)
    assert requests() == json.loads(said[-1])["tx"]


def test_the_lag_is_what_brokers_say_while_something_is_held_up_and_when_all_is_done(
    kafka, topic, group, service
):
    publish(kafka, topic, service.hook, 300)
    held_up = threading.Event()
    held_up.set()
    subscriber = service.subscriber(policy=Policy(retry=Retry(attempts=1_000, first=0.1, factor=1.0)))

    @subscriber.on(LoggedOut)
    def handle(_event, payload):
        if held_up.is_set() and int(payload.session_id) % 100 == 50:
            raise OSError("held up")

    with running(subscriber):
        eventually(lambda: service.total("auth_events_consumed_total") > 200)
        eventually(lambda: service.lags() == true_lags(kafka, group, topic), within=20)
        assert set(service.lags()) == {0, 1, 2}
        assert sum(service.lags().values()) > 3
        held_up.clear()
        eventually(lambda: service.lags() == {0: 0, 1: 0, 2: 0})
        assert true_lags(kafka, group, topic) == {0: 0, 1: 0, 2: 0}
    assert service.lags() == {}


def test_a_partition_that_moves_is_exposed_by_its_current_consumer(kafka, topic, group, service):
    publish(kafka, topic, service.hook, 100)
    other = Service(kafka, topic, group)
    with running(service.ignoring()):
        eventually(lambda: set(service.lags()) == {0, 1, 2})
        with running(other.ignoring()):
            eventually(other.lags)
            eventually(lambda: sorted([*service.lags(), *other.lags()]) == [0, 1, 2])
        assert other.lags() == {}
        eventually(lambda: set(service.lags()) == {0, 1, 2})
    assert service.lags() == {}


def test_statistics_come_unasked_for_a_hook_unless_they_are_refused(kafka, topic):
    unasked, refused = [], []
    config = {"bootstrap.servers": kafka.bootstrap}
    silent = {**config, "statistics.interval.ms": 0}
    with (
        Publisher(config, serializer=ToTopic(topic), hooks=[unasked.append]) as publisher,
        Publisher(silent, serializer=ToTopic(topic), hooks=[refused.append]) as other,
    ):
        time.sleep(5.5)
        for each in (publisher, other):
            each.send(logged_out()).result(30)
    assert [any(isinstance(detail, Statistics) for detail in heard) for heard in (unasked, refused)] == [
        True, False,
    ]  # fmt: skip
