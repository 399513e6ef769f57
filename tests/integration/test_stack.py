"""The stack is what the other integration tests believe it to be."""

from __future__ import annotations

import json
import time
import urllib.request
import uuid

import pytest
from confluent_kafka import Consumer, KafkaError, Producer
from confluent_kafka.admin import AdminClient, NewTopic
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaRegistryError

from stack.kafka import kafka_cluster

ONE_FIELD = 'syntax = "proto3"; package stack.test; message Seen { string user = 1; }'
ANOTHER_TYPE = 'syntax = "proto3"; package stack.test; message Seen { int64 user = 1; }'


def produce(bootstrap, topic, values):
    outcomes = []
    producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True})
    for value in values:
        producer.produce(topic, value, key=b"user-1", on_delivery=lambda error, _: outcomes.append(error))
    assert producer.flush(60) == 0
    return outcomes


def consume(bootstrap, topic, count, within=60.0):
    consumer = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": str(uuid.uuid4()), "auto.offset.reset": "earliest"}
    )
    consumer.subscribe([topic])
    values = []
    until = time.monotonic() + within
    while len(values) < count and time.monotonic() < until:
        message = consumer.poll(0.2)
        if message is not None and message.error() is None:
            values.append(message.value())
    consumer.close()
    return values


def create(cluster, topic):
    admin = AdminClient({"bootstrap.servers": cluster.bootstrap})
    admin.create_topics([NewTopic(topic, num_partitions=1)])[topic].result(timeout=30)


def leader(cluster, topic):
    admin = AdminClient({"bootstrap.servers": cluster.bootstrap})
    partition = admin.list_topics(topic, timeout=30).topics[topic].partitions[0]
    assert len(partition.replicas) == 3
    return cluster.broker(partition.leader)


def test_what_is_produced_with_one_key_is_consumed_in_order(kafka, topic):
    values = [str(number).encode() for number in range(100)]
    assert produce(kafka.bootstrap, topic, values) == [None] * 100
    assert consume(kafka.bootstrap, topic, 100) == values


def test_a_topic_that_was_not_created_is_refused(kafka):
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "topic.metadata.propagation.max.ms": 100})
    outcomes = []
    producer.produce("never-created", b"", on_delivery=lambda error, _: outcomes.append(error.code()))
    producer.flush(30)
    assert outcomes in ([KafkaError._UNKNOWN_TOPIC], [KafkaError.UNKNOWN_TOPIC_OR_PART])


def test_a_registered_schema_is_fetched_by_its_id(apicurio):
    with SchemaRegistryClient({"url": apicurio}) as writer, SchemaRegistryClient({"url": apicurio}) as reader:
        schema_id = writer.register_schema(f"{uuid.uuid4()}-value", Schema(ONE_FIELD, "PROTOBUF"))
        fetched = reader.get_schema(schema_id)
    assert fetched.schema_type == "PROTOBUF"
    assert fetched.schema_str == ONE_FIELD


def test_the_registry_refuses_a_schema_that_breaks_readers_of_the_last(apicurio):
    subject = f"{uuid.uuid4()}-value"
    with SchemaRegistryClient({"url": apicurio}) as client:
        client.register_schema(subject, Schema(ONE_FIELD, "PROTOBUF"))
        with pytest.raises(SchemaRegistryError) as refusal:
            client.register_schema(subject, Schema(ANOTHER_TYPE, "PROTOBUF"))
    assert refusal.value.http_status_code == 409


def test_the_registry_judges_against_every_version(apicurio):
    with urllib.request.urlopen(f"{apicurio}/config") as answer:
        assert json.load(answer) == {"compatibilityLevel": "BACKWARD_TRANSITIVE"}


def test_a_cluster_of_three_outlives_a_killed_broker_and_takes_it_back():
    with kafka_cluster(brokers=3) as cluster:
        create(cluster, "replicated")
        assert produce(cluster.bootstrap, "replicated", [b"before"]) == [None]
        victim = leader(cluster, "replicated")
        victim.server.kill()
        assert not victim.server.is_running
        assert produce(cluster.bootstrap, "replicated", [b"without"]) == [None]
        victim.server.start()
        cluster.wait_until_ready()
        assert produce(cluster.bootstrap, "replicated", [b"after"]) == [None]
        assert consume(cluster.bootstrap, "replicated", 3) == [b"before", b"without", b"after"]
