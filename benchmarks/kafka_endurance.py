"""A long run through one subscriber: whether its memory and the cost of an event stay where they were.

A process of its own publishes; every event is another one, of another user. The subscriber has an inbox and
metrics, which remember things, so that whatever is kept by mistake adds up.
"""

from __future__ import annotations

import multiprocessing
import time
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from benchmarks.endurance import logins, resident
from benchmarks.event import TOPIC
from benchmarks.kafka import broker, topic
from prometheus_client import CollectorRegistry

from immersiverse.auth.events import (
    AuthEvent,
    AuthEventDeserializer,
    AuthEventSerializer,
    MemoryInbox,
    Publisher,
    SchemaRegistry,
    Subscriber,
    new_event,
)
from immersiverse.auth.events.observability import PrometheusHook
from immersiverse.auth.events.testing.registry import EmbeddedRegistry

if TYPE_CHECKING:
    from collections.abc import Callable

_STAGES = 10


@dataclass(frozen=True)
class Stage:
    """A tenth of the run.

    Attributes:
        events: how many events were handled.
        microseconds: CPU time of the subscriber's process an event.
        rate: events a second, with the publisher and the broker on the same machine.
        resident: memory of the subscriber's process at its end, in MiB.
    """

    events: int
    microseconds: float
    rate: float
    resident: float


def run(events: int, report: Callable[[Stage], None]) -> None:
    """Publish and handle events; each tenth is reported when it is handled."""
    with ExitStack() as stack:
        config = {"bootstrap.servers": stack.enter_context(broker())}
        registry = stack.enter_context(EmbeddedRegistry())
        schemas = stack.enter_context(SchemaRegistry(registry.url))
        schemas.register(TOPIC, "PROTOBUF")
        stack.enter_context(topic(config, TOPIC))
        subscriber = Subscriber(
            {**config, "group.id": "endurance"},
            [TOPIC],
            deserializer=AuthEventDeserializer(schemas),
            inbox=MemoryInbox(),
            hooks=[PrometheusHook(CollectorRegistry())],
        )
        stages = _Stages(events // _STAGES, report, subscriber.stop)
        subscriber.on_any(stages.handle)
        publisher = multiprocessing.get_context("spawn").Process(
            target=_publish, args=(config, registry.url, events), daemon=True
        )
        publisher.start()
        subscriber.run()
        publisher.join()


def _publish(config: dict[str, Any], registry: str, events: int) -> None:
    with (
        SchemaRegistry(registry) as schemas,
        Publisher(config, serializer=AuthEventSerializer(schemas)) as publisher,
    ):
        for number, login in enumerate(islice(logins(), events)):
            publisher.send(new_event(login, source="/services/auth", version=number + 1))


class _Stages:
    """Counts what was handled, a stage at a time."""

    def __init__(self, length: int, report: Callable[[Stage], None], done: Callable[[], None]) -> None:
        self._length = length
        self._report = report
        self._done = done
        self._handled = self._reported = 0
        self._cpu, self._time = time.process_time(), time.perf_counter()

    def handle(self, _event: AuthEvent, _payload: Any) -> None:
        """Count an event."""
        self._handled += 1
        if self._handled == self._length:
            self._next()

    def _next(self) -> None:
        cpu, now = time.process_time(), time.perf_counter()
        each, rate = (cpu - self._cpu) / self._length * 1e6, self._length / (now - self._time)
        self._report(Stage(self._length, each, rate, resident()))
        self._handled, self._cpu, self._time, self._reported = 0, cpu, now, self._reported + 1
        if self._reported == _STAGES:
            self._done()
