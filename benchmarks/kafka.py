"""Publisher and Subscriber beside what a user would write instead: the same real broker, in turn."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks import kafka_consuming as consuming
from benchmarks import kafka_publishing as publishing
from benchmarks.comparison import Comparison
from benchmarks.event import EVENT, TOPIC
from benchmarks.measuring import Measurements
from confluent_kafka.admin import AdminClient, NewTopic
from confluent_kafka.schema_registry import SchemaRegistryClient
from prometheus_client import CollectorRegistry

from immersiverse.auth.events import AuthEvent, AuthEventSerializer, SchemaRegistry
from immersiverse.auth.events.observability.prometheus import PrometheusHook
from immersiverse.auth.events.testing.registry import EmbeddedRegistry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

COMPARISONS: Final = (
    Comparison("publish_vs_raw", "publish, raw", "publish, ours", at_least=0.85),
    Comparison("publish_vs_five_in_flight", "publish, raw with 5 in flight", "publish, ours", at_least=0.75),
    Comparison("publish_vs_serializing_producer", "publish, Confluent", "publish, ours", at_least=1.6),
    Comparison("consume_vs_raw", "consume, raw", "consume, ours", at_least=0.6),
    Comparison("consume_vs_deserializing_consumer", "consume, Confluent", "consume, ours", at_least=4),
    Comparison("concurrent_vs_sequential", "handle 10 ms, in turn", "handle 10 ms, ours", at_least=100),
    Comparison("async_vs_sync", "publish, ours", "publish, ours async", at_least=0.5),
    Comparison("publish_with_prometheus", "publish, ours", "publish, with Prometheus", at_least=0.9),
    Comparison("consume_with_prometheus", "consume, ours", "consume, with Prometheus", at_least=0.9),
)

_BROKER_VARIABLE = "AUTH_EVENTS_TEST_KAFKA"
_USERS = 2_000
_CONCURRENCY = 256
_WAIT = 0.01  # seconds
_IN_TURN = 50  # events that a loop handles one after the other
_LONGER = 4  # times the events for those who only consume: a turn of a tenth of a second is at anyone's mercy


def measure(events: int, rounds: int) -> Measurements:
    """Seconds per event of each way, a figure a round.

    Args:
        events: how many are published in each turn; those who only consume get more.
        rounds: how often each way gets its turn.
    """
    taken: dict[str, list[float]] = {}
    with _ways(events) as ways:
        gc.collect()
        gc.freeze()  # the events that are published again and again slow down no collection
        for turn in range(rounds + 1):
            for name, (way, count) in ways.items():
                seconds = way(count) / count
                if turn:  # the first one warms up: connections, caches, the broker itself
                    taken.setdefault(name, []).append(seconds)
    return Measurements(taken)


@contextmanager
def _ways(count: int) -> Iterator[dict[str, tuple[Callable[[int], float], int]]]:
    """Every way by name, with how many events it gets."""
    with ExitStack() as stack:
        config = {"bootstrap.servers": stack.enter_context(broker())}
        registry = stack.enter_context(EmbeddedRegistry())
        schemas = stack.enter_context(SchemaRegistry(registry.url))
        number = schemas.register(TOPIC, "PROTOBUF").id
        client = stack.enter_context(SchemaRegistryClient({"url": registry.url}))
        schemas.register(f"{TOPIC}.consume", "PROTOBUF")
        sink, source = (stack.enter_context(topic(config, name)) for name in (TOPIC, f"{TOPIC}.consume"))
        serializer = AuthEventSerializer(schemas)
        events = _events(count)
        hook = PrometheusHook(CollectorRegistry())
        for _ in range(_LONGER):
            _fill(config, source, serializer, events)
        publishing_ways: dict[str, Callable[[Any], float]] = {
            "publish, raw": publishing.raw(config, sink, number),
            "publish, raw with 5 in flight": publishing.raw(config, sink, number, in_flight=5),
            "publish, ours": publishing.ours(config, serializer),
            "publish, with Prometheus": publishing.ours(config, serializer, [hook]),
            "publish, ours async": publishing.ours_async(config, serializer),
            "publish, Confluent": publishing.confluents(config, sink, client),
        }
        consuming_ways: dict[str, tuple[Callable[[int], float], int]] = {
            "consume, raw": (consuming.raw(config, source), count * _LONGER),
            "consume, ours": (consuming.ours(config, source, schemas), count * _LONGER),
            "consume, with Prometheus": (consuming.ours(config, source, schemas, [hook]), count * _LONGER),
            "consume, Confluent": (consuming.confluents(config, source, client), count // 4),
            "handle 10 ms, in turn": (consuming.raw(config, source, wait=_WAIT), _IN_TURN),
            "handle 10 ms, ours": (
                consuming.ours_waiting(config, source, schemas, concurrency=_CONCURRENCY, seconds=_WAIT),
                min(count, 10_000),
            ),
        }
        yield {
            **{name: (_of(way, events), count) for name, way in publishing_ways.items()},
            **consuming_ways,
        }


def _of(way: Callable[[Any], float], events: list[AuthEvent]) -> Callable[[int], float]:
    return lambda _: way(events)


def _events(count: int) -> list[AuthEvent]:
    """Events of many users, each its own object, as they come in life."""
    events = []
    for number in range(count):
        event = AuthEvent()
        event.CopyFrom(EVENT)
        event.version = number + 1
        event.event_id = f"{EVENT.event_id[:-6]}{number:06d}"
        event.login_succeeded.user_id = f"{EVENT.login_succeeded.user_id[:-6]}{number % _USERS:06d}"
        events.append(event)
    return events


def _fill(config: Any, topic: str, serializer: AuthEventSerializer, events: list[AuthEvent]) -> None:
    from confluent_kafka import Producer  # noqa: PLC0415 - only here

    producer = Producer(
        {**config, "compression.type": "lz4", "queue.buffering.max.messages": len(events) + 1}
    )
    for event in events:
        message = serializer.serialize(event)
        producer.produce(topic, message.value, message.key, headers=list(message.headers))
    producer.flush()


@contextmanager
def topic(config: Any, name: str) -> Iterator[str]:
    """A topic of three partitions that is gone in the end."""
    admin = AdminClient(config)
    admin.create_topics([NewTopic(name, num_partitions=3)])[name].result(timeout=30)
    try:
        yield name
    finally:
        admin.delete_topics([name])[name].result(timeout=30)


@contextmanager
def broker() -> Iterator[str]:
    """The broker that the environment names, or one of our own."""
    if named := os.environ.get(_BROKER_VARIABLE):
        yield named
        return
    sys.path.append(str(Path(__file__).parents[1] / "tests"))
    from stack.kafka import kafka_cluster  # noqa: PLC0415 - lives among the tests

    with kafka_cluster() as cluster:
        yield cluster.bootstrap
