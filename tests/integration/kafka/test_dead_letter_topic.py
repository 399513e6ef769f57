"""What the dead letter topic finds too large, and what must never be read from it."""

from __future__ import annotations

import hashlib
import logging
import secrets
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from confluent_kafka import KafkaError, Message, Producer

from immersiverse.auth.events import (
    AuthEventDeserializer,
    ConfigurationError,
    DeadLetters,
    Policy,
    Retry,
    Subscriber,
)
from immersiverse.auth.events.kafka.dead_letters import BATCH_BYTES
from immersiverse.auth.events.observability.hooks import DeadLettered, Stubbed
from integration.kafka.cluster import Cluster, event
from integration.running import eventually, running

LIMIT = 100_000  # bytes, of the topics' messages
ONCE = Policy(retry=Retry(attempts=1))


@pytest.fixture
def group() -> str:
    """A consumer group of the test's own."""
    return f"group-{uuid.uuid4()}"


def headers(dead_letter: Message) -> dict[str, Any]:
    found = dead_letter.headers() or []
    assert isinstance(found, list)
    assert len(dict(found)) == len(found)
    return dict(found)


def put(
    cluster: Cluster, topic: str, value: bytes | None, key: bytes | None = b"a", **more: Any
) -> KafkaError | None:
    """Put a message on a topic: why it was refused, None if it was not."""
    refused: list[KafkaError | None] = []
    producer = Producer({**cluster.config, "compression.type": "none"})
    producer.produce(topic, value, key, on_delivery=lambda error, _: refused.append(error), **more)
    assert producer.flush(20) == 0
    return refused[0]


def put_largest(cluster: Cluster, topic: str, limit: int) -> bytes:
    """Put the largest incompressible message on a topic that it takes: its value."""
    for size in range(limit, limit - 200, -1):
        value = b"{" + secrets.token_bytes(size - 1)
        if put(cluster, topic, value) is None:
            return value
    raise AssertionError("the topic takes no message near its limit")


def consume(
    cluster: Cluster, topic: str, group: str, dead_letter_topic: str, until: int, **options: Any
) -> list[int]:
    """Let a subscriber handle all up to an offset of partition 0, and commit it: what it handled."""
    subscriber = cluster.subscriber(topic, group, dead_letter_topic=dead_letter_topic, policy=ONCE, **options)
    seen: list[int] = []
    subscriber.on_any(lambda _event, payload: seen.append(int(payload.session_id)))
    with running(subscriber):
        eventually(lambda: cluster.committed(group).get(0) == until)
    return seen


def test_the_largest_message_of_a_topic_becomes_a_stub_and_what_follows_is_handled_and_committed(
    cluster: Cluster, group: str, caplog: pytest.LogCaptureFixture
) -> None:
    topic = cluster.create(partitions=1, max_message_bytes=str(LIMIT))
    dead_letter_topic = cluster.create(partitions=1, max_message_bytes=str(LIMIT))
    value = put_largest(cluster, topic, LIMIT)
    cluster.publish(topic, *(event("a", number) for number in range(20)))
    details: list[Any] = []
    with caplog.at_level(logging.ERROR):
        handled = consume(cluster, topic, group, dead_letter_topic, 21, hooks=[details.append])
    assert handled == list(range(20))
    (stub,) = cluster.read(dead_letter_topic, 1)
    said = headers(stub)
    assert (stub.key(), stub.value()) == (b"a", b"")
    assert said["auth-events-stub"] == str(len(value)).encode()
    assert said["auth-events-value-sha256"] == hashlib.sha256(value).hexdigest().encode()
    assert said["kafka_dlt-original-topic"] == topic.encode()
    assert said["kafka_dlt-original-partition"] == (0).to_bytes(4, "big")
    assert said["kafka_dlt-original-offset"] == (0).to_bytes(8, "big")
    assert said["kafka_dlt-exception-fqcn"] == b"immersiverse.auth.events.errors.MalformedPayload"
    assert said["kafka_dlt-exception-message"].startswith(b"not valid JSON")
    (complaint,) = [record.getMessage() for record in caplog.records if "only a stub" in record.getMessage()]
    for part in (
        f"{topic}[0]@0",
        dead_letter_topic,
        f"{len(value)} bytes",
        "raise max.message.bytes",
        "retention",
    ):
        assert part in complaint
    reported = [detail for detail in details if isinstance(detail, DeadLettered | Stubbed)]
    assert reported == [
        DeadLettered(topic, "MalformedPayload", 0),
        Stubbed(topic, "MalformedPayload", len(value)),
    ]


def test_a_dead_letter_topic_that_is_as_large_as_the_guide_says_has_the_largest_message_whole(
    cluster: Cluster, group: str
) -> None:
    topic = cluster.create(partitions=1, max_message_bytes=str(LIMIT))
    dead_letter_topic = cluster.create(partitions=1, max_message_bytes=str(LIMIT + 24_576))
    value = put_largest(cluster, topic, LIMIT)
    consume(cluster, topic, group, dead_letter_topic, 1)
    (dead_letter,) = cluster.read(dead_letter_topic, 1)
    assert dead_letter.value() == value
    assert b"Traceback" in headers(dead_letter)["kafka_dlt-exception-stacktrace"]


@pytest.mark.parametrize(
    ("value", "key", "header", "kept_key", "kept_headers"),
    [
        pytest.param(1, 60_000, 1, False, True, id="the key alone"),
        pytest.param(1, 1, 60_000, True, False, id="the headers alone"),
        pytest.param(60_000, 1, 1, True, True, id="the value alone"),
        pytest.param(60_000, 60_000, 60_000, False, False, id="everything"),
    ],
)
def test_a_stub_keeps_the_key_and_the_headers_if_they_are_short(  # noqa: PLR0913, PLR0917 - what a message has
    cluster: Cluster, group: str, value: int, key: int, header: int, kept_key: bool, kept_headers: bool
) -> None:  # fmt: skip
    topic = cluster.create(partitions=1)
    dead_letter_topic = cluster.create(partitions=1, max_message_bytes="20000")
    content, name = b"\xff" + secrets.token_bytes(value), secrets.token_bytes(key)
    own = {"trace": secrets.token_bytes(header), "auth-events-stub": b"forged"}
    assert put(cluster, topic, content, name, headers=own) is None
    cluster.publish(topic, event("b", 1))
    assert consume(cluster, topic, group, dead_letter_topic, 2) == [1]
    (stub,) = cluster.read(dead_letter_topic, 1)
    assert (stub.key(), stub.value()) == (name if kept_key else None, b"")
    assert headers(stub).get("trace") == (own["trace"] if kept_headers else None)
    assert headers(stub)["auth-events-stub"] == str(len(content)).encode()


def test_a_dead_letter_that_the_client_itself_finds_too_large_becomes_a_stub(
    cluster: Cluster, group: str
) -> None:
    topic, dead_letter_topic = cluster.create(partitions=1), cluster.create(partitions=1)
    assert put(cluster, topic, b"\xff" * 60_000) is None
    config = {**cluster.config, "group.id": group}
    dead_letters = DeadLetters(config, topic=dead_letter_topic, producer_config={"message.max.bytes": 10_000})
    consume(cluster, topic, group, "", 1, dead_letters=dead_letters)
    (stub,) = cluster.read(dead_letter_topic, 1)
    assert headers(stub)["auth-events-stub"] == b"60000"


def test_a_dead_letter_that_is_larger_than_a_segment_of_its_topic_becomes_a_stub(
    cluster: Cluster, group: str
) -> None:
    large = {"partitions": 1, "max_message_bytes": "3000000"}
    topic, dead_letter_topic = cluster.create(**large), cluster.create(**large, segment_bytes="1048576")
    value = b"\xff" + secrets.token_bytes(2_000_000)
    producer = Producer({**cluster.config, "message.max.bytes": 3_000_000})
    producer.produce(topic, value, b"a")
    assert producer.flush(20) == 0
    consume(cluster, topic, group, dead_letter_topic, 1)
    (stub,) = cluster.read(dead_letter_topic, 1)
    assert headers(stub)["auth-events-stub"] == b"2000001"


def test_many_dead_letters_at_once_do_not_make_each_other_too_large(cluster: Cluster, group: str) -> None:
    topic = cluster.create(partitions=1)
    dead_letter_topic = cluster.create(partitions=1, max_message_bytes=str(BATCH_BYTES + 4_000))
    producer = Producer(cluster.config)
    for number in range(300):
        producer.produce(topic, b"\xff" + secrets.token_bytes(2_000), str(number).encode())
    assert producer.flush(20) == 0
    consume(cluster, topic, group, dead_letter_topic, 300)
    assert all(
        len(dead_letter.value() or b"") == 2_001 for dead_letter in cluster.read(dead_letter_topic, 300)
    )


def test_what_a_compression_made_fit_into_its_topic_fits_into_the_dead_letter_topic(
    cluster: Cluster, group: str
) -> None:
    topic = cluster.create(partitions=1, max_message_bytes=str(LIMIT))
    dead_letter_topic = cluster.create(partitions=1, max_message_bytes=str(LIMIT))
    words = [secrets.token_hex(8) for _ in range(1_000)]
    value = b" ".join(secrets.choice(words).encode() for _ in range(40_000))
    producer = Producer({**cluster.config, "compression.type": "zstd", "message.max.bytes": 10_000_000})
    producer.produce(topic, value, b"a")
    assert producer.flush(20) == 0
    consume(cluster, topic, group, dead_letter_topic, 1)
    assert cluster.read(dead_letter_topic, 1)[0].value() == value


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_a_pattern_that_python_cannot_tell_matches_the_dead_letter_topic_stops_at_the_first_dead_letter(
    cluster: Cluster, group: str, protocol: str
) -> None:
    topic = cluster.create(partitions=1)
    dead_letter_topic = cluster.create(f"{topic}-dead", partitions=1)
    assert put(cluster, topic, b"poison") is None
    config = {**cluster.config, "group.id": group, "group.protocol": protocol}
    pattern = f"^{topic}[[.-.]]*[[=d=]]*" if protocol == "classic" else rf"^\Q{topic}\E.*"
    subscriber = Subscriber(
        config, [pattern], deserializer=AuthEventDeserializer(), policy=ONCE,
        dead_letters=DeadLetters(config, topic=dead_letter_topic),
    )  # fmt: skip
    subscriber.on_any(lambda _event, _payload: None)
    with ThreadPoolExecutor(1) as thread:
        ending = thread.submit(subscriber.run)
        try:
            error = ending.exception(timeout=60)
        finally:
            subscriber.stop()
    assert isinstance(error, ConfigurationError)
    assert f"{dead_letter_topic} is read, and is a dead letter topic" in str(error)
    assert len(cluster.read(dead_letter_topic, 1)) == 1
