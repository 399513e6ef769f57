"""Ways to publish events that are already made: ours, and what a user would write instead."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from confluent_kafka import Producer, SerializingProducer
from confluent_kafka.schema_registry.protobuf import ProtobufSerializer
from confluent_kafka.serialization import StringSerializer

from immersiverse.auth.events import AsyncPublisher, AuthEvent, Publisher, catalog
from immersiverse.auth.events.kafka.config import producer_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from confluent_kafka.schema_registry import SchemaRegistryClient

    from immersiverse.auth.events.observability.hooks import Hook
    from immersiverse.auth.events.serialization.serializer import AuthEventSerializer

    Way = Callable[[Sequence[AuthEvent]], float]

_TYPE = catalog.EVENT_TYPES["LoginSucceeded"].full_name.encode()


def cloudevents(event: AuthEvent, user: bytes) -> list[tuple[str, str | bytes | None]]:
    """The headers that ours sends, as one writes them for the one type that one sends."""
    return [
        ("ce_specversion", b"1.0"),
        ("ce_id", event.event_id.encode()),
        ("ce_type", _TYPE),
        ("ce_source", event.source.encode()),
        ("ce_time", event.timestamp.ToJsonString().encode()),
        ("ce_partitionkey", user),
        ("content-type", b"application/protobuf"),
        ("ce_subject", user),
    ]


def ours(config: Mapping[str, Any], serializer: AuthEventSerializer, hooks: Sequence[Hook] = ()) -> Way:
    """`Publisher`."""

    def publish(events: Sequence[AuthEvent]) -> float:
        with Publisher(config, serializer=serializer, hooks=hooks) as publisher:
            publisher.send(events[0]).result()
            begun = time.perf_counter()
            for event in events:
                publisher.send(event)
            publisher.flush()
            return time.perf_counter() - begun

    return publish


def ours_async(config: Mapping[str, Any], serializer: AuthEventSerializer) -> Way:
    """`AsyncPublisher`."""

    async def publish(events: Sequence[AuthEvent]) -> float:
        async with AsyncPublisher(config, serializer=serializer) as publisher:
            await (await publisher.send(events[0]))
            begun = time.perf_counter()
            for event in events:
                await publisher.send(event)
            await publisher.flush()
            return time.perf_counter() - begun

    return lambda events: asyncio.run(publish(events))


def raw(config: Mapping[str, Any], topic: str, schema_id: int, *, in_flight: int = 1) -> Way:
    """librdkafka's producer, Protobuf's own method, the same headers, every delivery looked at.

    Args:
        config: how to reach the broker.
        topic: where to.
        schema_id: what the frame says.
        in_flight: how many requests may be under way at once; more than one can lose acknowledged events.
    """

    frame = b"\x00" + schema_id.to_bytes(4, "big") + b"\x00"

    def publish(events: Sequence[AuthEvent]) -> float:
        settings = {**producer_settings(config), "max.in.flight.requests.per.connection": in_flight}
        producer = Producer(settings)
        failed: list[Any] = []

        def delivered(error: Any, message: Any) -> None:
            if error is not None:
                failed.append((error, message))

        def send(event: AuthEvent) -> None:
            user = event.login_succeeded.user_id.encode()
            value = frame + event.SerializeToString()
            while True:
                try:
                    producer.produce(
                        topic, value, user, headers=cloudevents(event, user), on_delivery=delivered
                    )
                    break
                except BufferError:
                    producer.poll(0.01)
            producer.poll(0)

        taken = _timed(events, send, producer.flush)
        if failed:
            raise ArithmeticError(f"{len(failed)} events were not delivered: {failed[0]}")
        return taken

    return publish


def confluents(config: Mapping[str, Any], topic: str, client: SchemaRegistryClient) -> Way:
    """`SerializingProducer` with `ProtobufSerializer`, the same headers, every delivery looked at."""
    conf = {"auto.register.schemas": False, "use.latest.version": True, "use.deprecated.format": False}
    value_serializer = ProtobufSerializer(AuthEvent, client, {**conf, "subject.name.strategy.type": "TOPIC"})

    def publish(events: Sequence[AuthEvent]) -> float:
        serializers = {"key.serializer": StringSerializer(), "value.serializer": value_serializer}
        producer: Any = SerializingProducer({**producer_settings(config), **serializers})
        failed: list[Any] = []

        def delivered(error: Any, message: Any) -> None:
            if error is not None:
                failed.append((error, message))

        def send(event: AuthEvent) -> None:
            user = event.login_succeeded.user_id
            headers = cloudevents(event, user.encode())
            while True:
                try:
                    producer.produce(topic, user, event, headers=headers, on_delivery=delivered)
                    break
                except BufferError:
                    producer.poll(0.01)
            producer.poll(0)

        taken = _timed(events, send, producer.flush)
        if failed:
            raise ArithmeticError(f"{len(failed)} events were not delivered: {failed[0]}")
        return taken

    return publish


def _timed(events: Sequence[AuthEvent], send: Callable[[AuthEvent], None], flush: Callable[[], Any]) -> float:
    """Seconds to send events and see them acknowledged; the first went ahead, to connect."""
    send(events[0])
    flush()
    begun = time.perf_counter()
    for event in events:
        send(event)
    flush()
    return time.perf_counter() - begun
