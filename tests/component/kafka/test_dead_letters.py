"""Dead letters reach a broker, whole or as a stub, and nothing counts as sent before it has them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any, cast

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from immersiverse.auth.events import ConfigurationError, DeadLetters, Retry
from immersiverse.auth.events.kafka.dead_letters import DIGEST_HEADER, REDRIVES_HEADER, STUB_HEADER
from immersiverse.auth.events.kafka.record import Record
from immersiverse.auth.events.testing.broker import EmbeddedBroker

DEAD_LETTER_TOPIC = "test.dlq"
SOON = Retry(first=0.01, longest=0.01)


@pytest.fixture(scope="module")
def bootstrap() -> Iterator[str]:
    with EmbeddedBroker(topics=[DEAD_LETTER_TOPIC]) as broker:
        yield broker.bootstrap


def record(value: bytes, topic: str = "auth.events.login", headers: Any = ()) -> Record:
    message = Message(
        topic=topic, partition=2, offset=7, key=b"u-1", value=value,
        headers=list(headers), timestamp=(1, 1_748_772_930_123),
    )  # fmt: skip
    return cast("Record", message)


def dead_letters(bootstrap: str, **config: Any) -> DeadLetters:
    named = {name if name == "error_cb" else name.replace("_", "."): value for name, value in config.items()}
    return DeadLetters(
        {"bootstrap.servers": bootstrap, "group.id": "analytics"},
        topic=DEAD_LETTER_TOPIC,
        producer_config=named,
        patience=SOON,
    )


def last_of(bootstrap: str) -> Message:
    """The last message of the dead letter topic; a key always goes to the same partition."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "reader", "enable.auto.commit": False})
    found = []
    for number in consumer.list_topics(DEAD_LETTER_TOPIC).topics[DEAD_LETTER_TOPIC].partitions:
        _, end = consumer.get_watermark_offsets(TopicPartition(DEAD_LETTER_TOPIC, number), timeout=10)
        if end:
            consumer.assign([TopicPartition(DEAD_LETTER_TOPIC, number, end - 1)])
            until = time.monotonic() + 10
            while (message := consumer.poll(0.1)) is None:
                assert time.monotonic() < until
            found.append(message)
    consumer.close()
    (message,) = found
    return message


def test_a_message_goes_with_its_bytes_key_and_own_headers_alone(bootstrap: str) -> None:
    sink = dead_letters(bootstrap)
    forged = [("trace", b"1"), ("kafka_dlt-original-topic", b"forged"), (STUB_HEADER, b"1")]
    counted = [*forged, (REDRIVES_HEADER, b"2")]
    assert asyncio.run(sink.send(record(b"nonsense", headers=counted), ValueError("no"), 3)) is True
    sink.close()
    message = last_of(bootstrap)
    headers = list(message.headers() or ())
    assert (message.key(), message.value()) == (b"u-1", b"nonsense")
    assert headers[:2] == [("trace", b"1"), (REDRIVES_HEADER, b"2")]
    assert [value for name, value in headers if name == "kafka_dlt-original-topic"] == [b"auth.events.login"]
    assert STUB_HEADER not in dict(headers)


@pytest.mark.parametrize("claim", [b"12345", b"-1", b"", b"two"])
def test_an_absurd_count_of_redrives_is_not_believed(bootstrap: str, claim: bytes) -> None:
    sink = dead_letters(bootstrap)
    asyncio.run(sink.send(record(b"x", headers=[(REDRIVES_HEADER, claim)]), ValueError("no"), 1))
    sink.close()
    assert REDRIVES_HEADER not in dict(last_of(bootstrap).headers() or ())


def test_what_is_too_large_goes_as_a_stub_that_deletes_nothing(bootstrap: str) -> None:
    sink = dead_letters(bootstrap, message_max_bytes=2_000)
    assert asyncio.run(sink.send(record(b"v" * 5_000), ValueError("no"), 1)) is False
    sink.close()
    message = last_of(bootstrap)
    headers = dict(message.headers() or ())
    assert (message.key(), message.value()) == (b"u-1", b"")
    assert headers[STUB_HEADER] == b"5000"
    assert DIGEST_HEADER in headers


def test_a_stack_trace_that_is_too_large_is_left_out_first(bootstrap: str) -> None:
    sink = dead_letters(bootstrap, message_max_bytes=2_000)
    assert asyncio.run(sink.send(record(b"v" * 500), ValueError("no" * 1_000), 1)) is True
    sink.close()
    message = last_of(bootstrap)
    assert message.value() == b"v" * 500
    assert "kafka_dlt-exception-stacktrace" not in dict(message.headers() or ())


async def sent_until(sink: DeadLetters, log: pytest.LogCaptureFixture, said: str) -> None:
    """Send a dead letter that no broker takes, until the log has said something twice."""
    sending = asyncio.create_task(sink.send(record(b"nonsense"), ValueError("no"), 1))
    async with asyncio.timeout(30):
        while log.text.count(said) < 2 and not sending.done():  # noqa: ASYNC110 - a log has no event
            await asyncio.sleep(0.01)
    assert not sending.done()
    sending.cancel()


def test_a_dead_letter_that_no_broker_takes_is_never_reported_as_sent(
    caplog: pytest.LogCaptureFixture,
) -> None:
    sink = dead_letters("127.0.0.1:1", delivery_timeout_ms=50)
    asyncio.run(sent_until(sink, caplog, "cannot write a dead letter to test.dlq"))
    sink.close()


def test_a_producer_that_failed_fatally_is_replaced(caplog: pytest.LogCaptureFixture) -> None:
    def dies(_: KafkaError) -> None:
        raise KafkaException(KafkaError(KafkaError.CLUSTER_AUTHORIZATION_FAILED, "not here", fatal=True))

    sink = dead_letters("127.0.0.1:1", delivery_timeout_ms=50, error_cb=dies)
    asyncio.run(sent_until(sink, caplog, "producer cannot use broker"))
    sink.close()


@pytest.mark.parametrize("topic", [DEAD_LETTER_TOPIC, "auth.events.dlq"])
def test_a_dead_letter_is_not_dead_lettered(bootstrap: str, topic: str) -> None:
    sink = dead_letters(bootstrap)
    with pytest.raises(ConfigurationError, match="is a dead letter topic"):
        asyncio.run(sink.send(record(b"nonsense", topic), ValueError("no"), 1))
    sink.close()
