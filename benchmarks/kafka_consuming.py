"""Ways to consume a topic from its beginning: ours, and what a user would write instead.

Each takes the time from the first event to the last, so that joining a group is in no figure.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import TYPE_CHECKING, Any

from confluent_kafka import Consumer, DeserializingConsumer
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer

from immersiverse.auth.events import AuthEvent, AuthEventDeserializer, Policy, Subscriber
from immersiverse.auth.events.kafka.config import consumer_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from confluent_kafka.schema_registry import SchemaRegistryClient

    from immersiverse.auth.events.observability.hooks import Hook

PREFIX = 6  # bytes of a frame before the payload


class Clock:
    """Counts events, and takes the time between the first and the last of so many.

    Args:
        count: how many.
        done: is called at the last one.
    """

    def __init__(self, count: int, done: Callable[[], None]) -> None:
        self._left = count
        self._done = done
        self._begun = 0.0
        self.seconds = 0.0

    def tick(self) -> None:
        """One event was handled."""
        if not self._begun:
            self._begun = time.perf_counter()
        self._left -= 1
        if not self._left:
            self.seconds = time.perf_counter() - self._begun
            self._done()


def ours(
    config: Mapping[str, Any], topic: str, schemas: Any, hooks: Sequence[Hook] = ()
) -> Callable[[int], float]:
    """`Subscriber` with a function that only counts."""

    def consume(count: int) -> float:
        subscriber = Subscriber(
            _group(config), [topic], deserializer=AuthEventDeserializer(schemas), hooks=hooks
        )
        clock = Clock(count, subscriber.stop)

        @subscriber.on_any
        def handle(_event: AuthEvent, _payload: Any) -> None:
            clock.tick()

        subscriber.run()
        return clock.seconds

    return consume


def ours_waiting(
    config: Mapping[str, Any], topic: str, schemas: Any, *, concurrency: int, seconds: float
) -> Callable[[int], float]:
    """`Subscriber` with a function that waits, many keys at a time."""

    def consume(count: int) -> float:
        subscriber = Subscriber(
            _group(config), [topic],
            deserializer=AuthEventDeserializer(schemas), policy=Policy(concurrency=concurrency),
        )  # fmt: skip
        clock = Clock(count, subscriber.stop)

        @subscriber.on_any
        async def handle(_event: AuthEvent, _payload: Any) -> None:
            await asyncio.sleep(seconds)
            clock.tick()

        subscriber.run()
        return clock.seconds

    return consume


def raw(config: Mapping[str, Any], topic: str, *, wait: float = 0.0) -> Callable[[int], float]:
    """librdkafka's consumer in batches, Protobuf's own method, a function that counts or waits."""

    def consume(count: int) -> float:
        consumer = Consumer(consumer_settings(_group(config)))
        consumer.subscribe([topic])
        ended: list[bool] = []
        clock = Clock(count, lambda: ended.append(True))
        parse, tick = AuthEvent.FromString, clock.tick

        def handle(_event: AuthEvent) -> None:
            if wait:
                time.sleep(wait)
            tick()

        while not ended:
            for message in consumer.consume(500, 0.1):
                if message.error() is not None:
                    raise ArithmeticError(str(message.error()))
                event = parse(message.value()[PREFIX:])  # type: ignore[index]  # there are no tombstones
                if event.WhichOneof("payload") and not ended:
                    handle(event)
        consumer.close()
        return clock.seconds

    return consume


def confluents(config: Mapping[str, Any], topic: str, client: SchemaRegistryClient) -> Callable[[int], float]:
    """`DeserializingConsumer` with `ProtobufDeserializer`, which asks a registry as ours does, and counts."""
    conf = {"use.deprecated.format": False, "subject.name.strategy.type": "TOPIC"}
    deserializer = ProtobufDeserializer(AuthEvent, conf, client)

    def consume(count: int) -> float:
        settings = {**consumer_settings(_group(config)), "value.deserializer": deserializer}
        consumer: Any = DeserializingConsumer(settings)
        consumer.subscribe([topic])
        ended: list[bool] = []
        clock = Clock(count, lambda: ended.append(True))
        while not ended:
            message = consumer.poll(0.1)
            if message is not None and message.value().WhichOneof("payload"):
                clock.tick()
        consumer.close()
        return clock.seconds

    return consume


def _group(config: Mapping[str, Any]) -> dict[str, Any]:
    return {**config, "group.id": f"benchmark-{uuid.uuid4()}"}
