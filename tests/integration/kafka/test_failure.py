"""What fails is tried again, then dead-lettered as it came; what must not be passed over stops everything."""

from __future__ import annotations

import asyncio
import secrets
import time
import uuid
from typing import Any

import pytest
from confluent_kafka import Message, Producer

from immersiverse.auth.events import (
    AuthEventDeserializer,
    AuthEventSerializer,
    ConsumeError,
    PinnedSchemas,
    Policy,
    RegistryUnavailable,
    Retry,
    SchemaRegistry,
)
from immersiverse.auth.events.testing.registry import EmbeddedRegistry
from integration.kafka.cluster import SOON, Cluster, event
from integration.running import eventually, running


@pytest.fixture
def group() -> str:
    """A consumer group of the test's own."""
    return f"group-{uuid.uuid4()}"


def headers(dead_letter: Message) -> dict[str, Any]:
    return dict(header_list(dead_letter))


def header_list(dead_letter: Message) -> list[tuple[str, Any]]:
    found = dead_letter.headers() or []
    assert isinstance(found, list)
    return found


def number(payload: Any) -> int:
    return int(payload.session_id)


def test_what_cannot_be_read_is_dead_lettered_at_once_exactly_as_it_came(
    cluster: Cluster, group: str
) -> None:
    topic, dead_letter_topic = cluster.create(partitions=1), cluster.create(partitions=1)
    producer = Producer(cluster.config)
    own: list[tuple[str, Any]] = [("trace", b"1"), ("trace", b"2"), ("empty", None)]
    producer.produce(topic, b"\xff nonsense", b"a", headers=own, timestamp=1_748_772_930_123)
    producer.flush()
    subscriber = cluster.subscriber(topic, group, dead_letter_topic=dead_letter_topic)
    subscriber.on_any(lambda _event, _payload: None)
    with running(subscriber):
        eventually(lambda: cluster.committed(group) == {0: 1})
    (dead_letter,) = cluster.read(dead_letter_topic, 1)
    assert (dead_letter.key(), dead_letter.value()) == (b"a", b"\xff nonsense")
    assert header_list(dead_letter)[:3] == own
    said = headers(dead_letter)
    assert said["kafka_dlt-original-topic"] == topic.encode()
    assert said["kafka_dlt-original-partition"] == (0).to_bytes(4, "big")
    assert said["kafka_dlt-original-offset"] == (0).to_bytes(8, "big")
    assert said["kafka_dlt-original-timestamp"] == (1_748_772_930_123).to_bytes(8, "big")
    assert said["kafka_dlt-original-timestamp-type"] == b"CreateTime"
    assert said["kafka_dlt-original-consumer-group"] == group.encode()
    assert said["kafka_dlt-exception-fqcn"] == b"immersiverse.auth.events.errors.UnknownFormat"
    assert b"begins with" in said["kafka_dlt-exception-message"]
    assert b"Traceback" in said["kafka_dlt-exception-stacktrace"]
    assert said["auth-events-attempts"] == b"0"


def test_a_key_that_kafka_does_not_have_and_a_value_that_is_empty_stay_so(
    cluster: Cluster, group: str
) -> None:
    topic, dead_letter_topic = cluster.create(partitions=1), cluster.create(partitions=1)
    producer = Producer(cluster.config)
    producer.produce(topic, b"")
    producer.flush()
    subscriber = cluster.subscriber(topic, group, dead_letter_topic=dead_letter_topic)
    subscriber.on_any(lambda _event, _payload: None)
    with running(subscriber):
        eventually(lambda: cluster.committed(group) == {0: 1})
    (dead_letter,) = cluster.read(dead_letter_topic, 1)
    assert (dead_letter.key(), dead_letter.value()) == (None, b"")


def test_a_failing_user_is_tried_again_while_others_go_on_then_dead_lettered(
    cluster: Cluster, group: str
) -> None:
    topic, dead_letter_topic = cluster.create(partitions=1), cluster.create(partitions=1)
    cluster.publish(topic, event("bad", 0), *(event("good", n) for n in range(1, 50)), event("bad", 50))
    subscriber = cluster.subscriber(
        topic,
        group,
        dead_letter_topic=dead_letter_topic,
        policy=Policy(retry=Retry(attempts=3, first=0.3, jitter=0)),
    )
    log: list[int] = []

    @subscriber.on_any
    def handle(_event: Any, payload: Any) -> None:
        log.append(number(payload))
        if number(payload) == 0:
            raise OSError("never works")

    with running(subscriber):
        eventually(lambda: cluster.committed(group) == {0: 51})
    assert log == [0, *range(1, 50), 0, 0, 50]
    (dead_letter,) = cluster.read(dead_letter_topic, 1)
    assert headers(dead_letter)["auth-events-attempts"] == b"3"
    assert headers(dead_letter)["kafka_dlt-exception-fqcn"] == b"builtins.OSError"
    assert headers(dead_letter)["kafka_dlt-exception-message"] == b"never works"


@pytest.mark.parametrize(("policy", "order"), [("hold-back", [0, 0, 1, 2]), ("let-pass", [0, 1, 2, 0])])
def test_later_events_of_the_user_wait_or_pass_by_policy(
    cluster: Cluster, group: str, policy: Any, order: list[int]
) -> None:
    topic = cluster.create(partitions=1)
    cluster.publish(topic, *(event("a", n) for n in range(3)))
    subscriber = cluster.subscriber(topic, group, policy=Policy(retry=SOON, after_failure=policy))
    log: list[int] = []

    @subscriber.on_any
    async def handle(_event: Any, payload: Any) -> None:
        log.append(number(payload))
        if log.count(0) == 1 and number(payload) == 0:
            raise OSError("once")

    with running(subscriber):
        eventually(lambda: cluster.committed(group) == {0: 3})
    assert log == order


def test_a_fatal_error_stops_and_its_event_is_the_first_after_a_restart(cluster: Cluster, group: str) -> None:
    topic = cluster.create(partitions=1)
    cluster.publish(topic, *(event(f"u-{n}", n) for n in range(10)))
    subscriber = cluster.subscriber(topic, group, policy=Policy(retry=SOON, fatal=(MemoryError,)))

    @subscriber.on_any
    def handle(_event: Any, payload: Any) -> None:
        if number(payload) == 4:
            raise MemoryError

    with pytest.raises(MemoryError):
        subscriber.run()
    assert cluster.committed(group) == {0: 4}


def test_a_dead_letter_topic_that_is_missing_is_waited_for_and_nothing_is_skipped(
    cluster: Cluster, group: str
) -> None:
    topic, dead_letter_topic = cluster.create(partitions=1), cluster.name()
    producer = Producer(cluster.config)
    producer.produce(topic, b"nonsense", b"a")
    producer.flush()
    cluster.publish(topic, event("a", 1), event("b", 2))
    subscriber = cluster.subscriber(topic, group, dead_letter_topic=dead_letter_topic)
    subscriber._dead_letters._settings["topic.metadata.propagation.max.ms"] = 100
    log: list[int] = []
    subscriber.on_any(lambda _event, payload: log.append(number(payload)))
    with running(subscriber):
        eventually(lambda: log == [2])
        time.sleep(1.5)
        assert (log, cluster.committed(group)) == ([2], {})
        cluster.create(dead_letter_topic, partitions=1)
        eventually(lambda: cluster.committed(group) == {0: 3})
    assert log == [2, 1]
    assert cluster.read(dead_letter_topic, 1)[0].value() == b"nonsense"


def test_stopping_does_not_wait_for_a_dead_letter_topic_that_is_missing(cluster: Cluster, group: str) -> None:
    topic = cluster.create(partitions=1)
    producer = Producer(cluster.config)
    producer.produce(topic, b"nonsense", b"a")
    producer.flush()
    cluster.publish(topic, event("b", 1))
    subscriber = cluster.subscriber(topic, group, dead_letter_topic=cluster.name(), drain=0.5)
    seen: list[int] = []
    subscriber.on_any(lambda _event, payload: seen.append(number(payload)))
    with running(subscriber):
        eventually(lambda: seen == [1])
        begun = time.monotonic()
        subscriber.stop()
        eventually(lambda: subscriber._running is None)
        assert time.monotonic() - begun < 10
    assert cluster.committed(group) == {}


def test_a_dead_letter_that_its_topic_finds_too_large_goes_without_its_stack_trace(
    cluster: Cluster, group: str
) -> None:
    topic = cluster.create(partitions=1)
    dead_letter_topic = cluster.create(partitions=1, max_message_bytes="1200")
    cluster.publish(topic, event("a"))
    subscriber = cluster.subscriber(
        topic, group, dead_letter_topic=dead_letter_topic, policy=Policy(retry=Retry(attempts=1))
    )

    @subscriber.on_any
    def handle(_event: Any, _payload: Any) -> None:
        raise OSError(secrets.token_hex(2_000))

    with running(subscriber):
        eventually(lambda: cluster.committed(group) == {0: 1})
    (dead_letter,) = cluster.read(dead_letter_topic, 1)
    assert "kafka_dlt-exception-stacktrace" not in headers(dead_letter)
    assert headers(dead_letter)["kafka_dlt-exception-fqcn"] == b"builtins.OSError"


def test_a_dead_letter_of_which_even_a_stub_is_too_large_waits_until_its_topic_takes_it_whole(
    cluster: Cluster, group: str, caplog: pytest.LogCaptureFixture
) -> None:
    topic = cluster.create(partitions=1)
    dead_letter_topic = cluster.create(partitions=1, max_message_bytes="300")
    value = b"nonsense" * 100
    producer = Producer({**cluster.config, "compression.type": "none"})
    producer.produce(topic, value, b"a")
    producer.flush()
    subscriber = cluster.subscriber(topic, group, dead_letter_topic=dead_letter_topic)
    subscriber.on_any(lambda _event, _payload: None)
    with running(subscriber):
        eventually(lambda: "not even a stub without its value fits: raise max.message.bytes" in caplog.text)
        assert cluster.committed(group) == {}
        cluster.allow(dead_letter_topic, 100_000)
        eventually(lambda: cluster.committed(group) == {0: 1})
    assert cluster.read(dead_letter_topic, 1)[0].value() == value


def test_many_dead_letters_do_not_wait_for_each_other(cluster: Cluster, group: str) -> None:
    topic, dead_letter_topic = cluster.create(partitions=1), cluster.create(partitions=1)
    producer = Producer(cluster.config)
    for n in range(3_000):
        producer.produce(topic, b"nonsense", f"u-{n}".encode())
    producer.flush()
    subscriber = cluster.subscriber(topic, group, dead_letter_topic=dead_letter_topic)
    subscriber.on_any(lambda _event, _payload: None)
    begun = time.monotonic()
    with running(subscriber):
        eventually(lambda: cluster.committed(group) == {0: 3_000})
    assert time.monotonic() - begun < 20
    assert len({dead_letter.key() for dead_letter in cluster.read(dead_letter_topic, 3_000)}) == 3_000


def test_an_outage_of_the_registry_is_waited_for_and_nothing_is_dead_lettered(
    cluster: Cluster, group: str
) -> None:
    topic, dead_letter_topic = cluster.create(partitions=1), cluster.create(partitions=1)
    with EmbeddedRegistry() as registry:
        with SchemaRegistry(registry.url) as schemas:
            number_of_schema = schemas.register(topic, "PROTOBUF").id
        port = int(registry.url.rpartition(":")[2])
    producer = Producer(cluster.config)
    for n, user in enumerate("ab"):
        message = AuthEventSerializer(PinnedSchemas(number_of_schema)).serialize(event(user, n))
        producer.produce(topic, message.value, message.key)
    producer.flush()
    reading = SchemaRegistry({"url": f"http://127.0.0.1:{port}", "max.retries": 0, "timeout": 2})
    subscriber = cluster.subscriber(
        topic, group, dead_letter_topic=dead_letter_topic, deserializer=AuthEventDeserializer(reading)
    )
    seen: list[int] = []
    subscriber.on_any(lambda _event, payload: seen.append(number(payload)))
    with pytest.raises(RegistryUnavailable):
        reading.writer_schema(number_of_schema)
    with running(subscriber):
        time.sleep(2)
        assert (seen, cluster.committed(group)) == ([], {})
        with EmbeddedRegistry(port=port) as registry:
            with SchemaRegistry(registry.url) as schemas:
                assert schemas.register(topic, "PROTOBUF").id == number_of_schema
            eventually(lambda: cluster.committed(group) == {0: 2})
    reading.close()
    assert sorted(seen) == [0, 1]


def test_a_topic_that_comes_later_is_read_then(cluster: Cluster, group: str) -> None:
    name = cluster.name()
    subscriber = cluster.subscriber(name, group, config={"topic.metadata.refresh.interval.ms": 500})
    seen: list[int] = []
    subscriber.on_any(lambda _event, payload: seen.append(number(payload)))
    with running(subscriber):
        time.sleep(1)
        cluster.create(name, partitions=1)
        cluster.publish(name, event("a", 0))
        eventually(lambda: seen == [0])


def test_offsets_that_are_gone_stop_a_subscriber_that_may_not_choose_others(
    cluster: Cluster, group: str
) -> None:
    topic = cluster.create(partitions=1)
    subscriber = cluster.subscriber(topic, group, config={"auto.offset.reset": "error"})
    subscriber.on_any(lambda _event, _payload: None)
    with pytest.raises(ConsumeError, match="_AUTO_OFFSET_RESET"):
        subscriber.run()


@pytest.mark.parametrize("kind", ["plain", "async"])
def test_stopping_during_a_retry_pause_does_not_wait_for_it(cluster: Cluster, group: str, kind: str) -> None:
    topic = cluster.create(partitions=1)
    cluster.publish(topic, event("a", 0), event("a", 1), event("b", 2))
    subscriber = cluster.subscriber(topic, group, policy=Policy(retry=Retry(first=600, jitter=0)))
    seen: list[int] = []

    def plain(_event: Any, payload: Any) -> None:
        seen.append(number(payload))
        if number(payload) == 0:
            raise OSError

    async def waiting(received: Any, payload: Any) -> None:
        await asyncio.sleep(0)
        plain(received, payload)

    subscriber.on_any(plain if kind == "plain" else waiting)
    begun = time.monotonic()
    with running(subscriber):
        eventually(lambda: seen == [0, 2])
    assert time.monotonic() - begun < 15
    assert cluster.committed(group) == {}
