"""A long run: whether the cost of an event and the process's memory stay where they were.

Every event is another one: ids, users, times and texts change, so that whatever is kept by mistake adds up.
"""

from __future__ import annotations

import resource
import time
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.event import EVENT, TOPIC
from google.protobuf import json_format
from google.protobuf.timestamp_pb2 import Timestamp

from immersiverse.auth.events import (
    AuthEvent,
    AuthEventDeserializer,
    AuthEventSerializer,
    LoginSucceeded,
    SchemaRegistry,
    new_event,
)
from immersiverse.auth.events.testing.registry import EmbeddedRegistry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_STAGES = 10
_SLICES = 20  # of a stage, with the reference after each
_REFERENCE = 1_000
_START = 1_751_360_400
_MEBIBYTE = 1 << 20
_PAGES = Path("/proc/self/statm")


@dataclass(frozen=True)
class Stage:
    """A tenth of the run.

    Attributes:
        events: how many events it made, wrote and read.
        microseconds: CPU time an event.
        reference: CPU time of writing and reading with json_format in between, in microseconds. A busy
            machine makes both slower; what grows, only the events.
        resident: memory of the process at its end, in MiB.
    """

    events: int
    microseconds: float
    reference: float
    resident: float


def stages(events: int, formats: tuple[str, ...] = ("protobuf", "json", "avro")) -> Iterator[Stage]:
    """Make, write and read events, each in every format in turn; a stage a tenth of the run."""
    with EmbeddedRegistry() as embedded, SchemaRegistry(embedded.url) as registry:
        for schema_type in ("PROTOBUF", "AVRO"):
            registry.register(TOPIC, schema_type)
        writers = [AuthEventSerializer(registry, format=name) for name in formats]  # type: ignore[arg-type]  # names
        read = AuthEventDeserializer(registry)
        made, count = logins(), events // (_STAGES * _SLICES)
        for _ in range(_STAGES):
            ours = reference = 0.0
            for _ in range(_SLICES):
                ours += _seconds(lambda: _run(islice(made, count), writers, read))
                reference += _seconds(_run_reference)
            done = count * _SLICES
            yield Stage(done, ours / done * 1e6, reference / (_REFERENCE * _SLICES) * 1e6, resident())


def _run(logins: Iterator[LoginSucceeded], writers: list[AuthEventSerializer], read: Any) -> None:
    for number, login in enumerate(logins):
        event = new_event(login, source="/services/auth", version=number + 1)
        message = writers[number % len(writers)].serialize(event)
        if read.deserialize(message.value, headers=message.headers, key=message.key) != event:
            raise ArithmeticError(f"event {number} came back as another")


def _run_reference() -> None:
    for _ in range(_REFERENCE):
        json_format.Parse(json_format.MessageToJson(EVENT), AuthEvent())


def _seconds(run: Callable[[], None]) -> float:
    began = time.process_time()
    run()
    return time.process_time() - began


def logins() -> Iterator[LoginSucceeded]:
    """Logins without end, each of another user."""
    number = 0
    while True:
        number += 1
        yield LoginSucceeded(
            user_id=f"user-{number}",
            ip_address=f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}",
            user_agent=f"Browser/{number}.0",
            login_time=Timestamp(seconds=_START + number * 7, nanos=number % 1_000_000 * 1_000),
            session_id=f"session-{number}",
        )


def resident() -> float:
    """Memory that the process holds now, in MiB; the most it ever held where the system does not say."""
    if _PAGES.exists():
        return int(_PAGES.read_text().split()[1]) * resource.getpagesize() / _MEBIBYTE
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MEBIBYTE
