"""Whatever is in a message, a subscriber handles it or dead-letters it, and goes on."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from foreign_messages import send
from immersiverse.auth.events import (
    AuthEventDeserializer,
    Context,
    DeadLetters,
    Policy,
    Subscriber,
)
from immersiverse.auth.events.testing.broker import EmbeddedBroker
from integration.running import ToTopic, eventually, logged_out, running
from scheduling import TOPIC

DEAD_LETTERS = "dead-letters"
GOOD = ToTopic(TOPIC).serialize(logged_out())


def first_dead_letter(bootstrap: str) -> Any:
    """The first dead letter."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "reader", "log_level": 2})
    consumer.assign([TopicPartition(DEAD_LETTERS, number, 0) for number in range(4)])
    dead_letter = consumer.poll(10)
    consumer.close()
    return dead_letter


def test_header_names_that_are_no_text_cost_a_message_its_headers_and_nothing_else() -> None:
    with EmbeddedBroker(topics=[TOPIC, DEAD_LETTERS]) as broker:
        for value in [GOOD.value] * 50 + [b"nonsense"]:  # Python is less careful after some calls
            send(broker.bootstrap, TOPIC, value, [(b"fine", b"1"), (b"\xff\xfe", b"2")])
        config = {"bootstrap.servers": broker.bootstrap, "group.id": "g", "group.protocol": "consumer"}
        subscriber = Subscriber(
            config, [TOPIC], deserializer=AuthEventDeserializer(), policy=Policy(commit_interval=0.05),
            dead_letters=DeadLetters(config, topic=DEAD_LETTERS),
        )  # fmt: skip
        contexts: list[Context] = []

        @subscriber.on_any
        def handle(_event: Any, _payload: Any, context: Context) -> None:
            contexts.append(context)

        with running(subscriber):
            eventually(lambda: subscriber._running and subscriber._running.scheduler.finished == 51)
        dead_letter = first_dead_letter(broker.bootstrap)
        assert [(context.key, context.headers) for context in contexts] == [(b"foreign", ())] * 50
        assert (dead_letter.key(), dead_letter.value()) == (b"foreign", b"nonsense")


@pytest.mark.parametrize("key", [b"\xff\xfe\x80", b"", None])
def test_keys_that_are_no_text_and_headers_without_values_are_handed_over_as_they_are(
    key: bytes | None,
) -> None:
    headers: list[Any] = [("twice", None), ("twice", b""), ("bytes", b"\xff")]
    with EmbeddedBroker(topics=[TOPIC]) as broker:
        producer = Producer({"bootstrap.servers": broker.bootstrap})
        producer.produce(TOPIC, GOOD.value, key, headers=headers)
        assert producer.flush(10) == 0
        group = str(uuid.uuid4())
        config = {"bootstrap.servers": broker.bootstrap, "group.id": group, "group.protocol": "consumer"}
        subscriber = Subscriber(config, [TOPIC], deserializer=AuthEventDeserializer())
        contexts: list[Context] = []

        @subscriber.on_any
        def handle(_event: Any, _payload: Any, context: Context) -> None:
            contexts.append(context)
            subscriber.stop()

        subscriber.run()
        assert [(context.key, context.headers) for context in contexts] == [(key, tuple(headers))]
