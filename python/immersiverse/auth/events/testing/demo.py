"""The demonstration: `Publisher` and `Subscriber` at work on the embedded broker and registry.

Two threads work while the caller watches: one publishes, one runs the subscriber. To show duplicates, retries
and dead letters, some events are published twice, and the handler fails once for some and always for a few.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from immersiverse.auth.events import catalog
from immersiverse.auth.events.errors import BrokerUnavailable
from immersiverse.auth.events.inbox.memory import MemoryInbox
from immersiverse.auth.events.kafka.config import Retry
from immersiverse.auth.events.kafka.consumer.options import Policy
from immersiverse.auth.events.kafka.consumer.subscriber import Subscriber
from immersiverse.auth.events.kafka.producer.publisher import Publisher
from immersiverse.auth.events.observability.hooks import (
    Committed,
    DeadLettered,
    Dropped,
    Published,
    Retried,
)
from immersiverse.auth.events.registry import SchemaRegistry
from immersiverse.auth.events.serialization.deserializer import AuthEventDeserializer
from immersiverse.auth.events.serialization.serializer import AuthEventSerializer
from immersiverse.auth.events.v1.events_pb2 import LoginFailureReason

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

    from google.protobuf.message import Message

    from immersiverse.auth.events.kafka.consumer.records import Context
    from immersiverse.auth.events.observability.hooks import Detail
    from immersiverse.auth.events.partition import Partition
    from immersiverse.auth.events.testing.stack import EmbeddedStack
    from immersiverse.auth.events.v1.events_pb2 import AuthEvent

_EVERY = 1_000  # events, of which one is published twice and the handler of another fails once
_DEAD_EVERY = 5_000  # events, of which the handler of one always fails
_DUPLICATE, _FAILS_ONCE, _FAILS_ALWAYS = 10, 20, 30  # which of them, so that thirty events show all
_RETRY = Retry(attempts=3, first=0.2, factor=2.0)
_LOOK_EVERY = 0.05  # seconds
_SILENCE = 60.0  # seconds without progress after which the demonstration gives up
_QUIET = {"log_level": 2, "log.connection.close": False}


@dataclass(slots=True)
class Figures:
    """How far the demonstration is.

    Attributes:
        wanted: how many events are to be published, duplicates not counted.
        published: messages that a broker acknowledged, duplicates included.
        handled: events that the handler accepted.
        retried: attempts that failed and were followed by another.
        duplicates: messages that the subscriber dropped because it had handled their event before.
        dead_letters: messages on the dead letter topic.
        out_of_order: handled events that came after a later one of the same user on the same topic.
        offsets: the next offset to read, as committed, by topic and partition.
        bytes: of the handled events, as Protobuf.
        seconds: from the first publication until the latest figures.
        first: when the earliest handled event happened, in seconds since 1970; `last` the latest.
        by_type: handled events by type.
        failures: handled `LoginFailed` by reason, in words.
        latest: what was retried, dropped and dead-lettered last, by the name of the figure.
    """

    wanted: int
    published: int = 0
    handled: int = 0
    retried: int = 0
    duplicates: int = 0
    dead_letters: int = 0
    out_of_order: int = 0
    offsets: dict[Partition, int] = field(default_factory=dict)
    bytes: int = 0
    seconds: float = 0.0
    first: int = 0
    last: int = 0
    by_type: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    latest: dict[str, str] = field(default_factory=dict)
    versions: dict[tuple[str, str], int] = field(default_factory=dict, repr=False)

    @property
    def settled(self) -> int:
        """Messages that were handled, dropped or dead-lettered."""
        return self.handled + self.duplicates + self.dead_letters

    @property
    def lag(self) -> int:
        """Acknowledged messages whose offsets are not committed yet; the topics began empty."""
        return max(0, self.published - sum(self.offsets.values()))

    @property
    def login_success_rate(self) -> float:
        """Logins that succeeded among all handled ones, from 0 to 1."""
        succeeded, failed = self.by_type["LoginSucceeded"], self.by_type["LoginFailed"]
        return succeeded / (succeeded + failed) if succeeded else 0.0

    @property
    def per_second(self) -> float:
        """Messages settled a second."""
        return self.settled / self.seconds if self.seconds else 0.0

    @property
    def bytes_per_event(self) -> float:
        """The mean size of a handled event, as Protobuf."""
        return self.bytes / self.handled if self.handled else 0.0

    def summary(self) -> dict[str, Any]:
        """All figures as JSON."""
        return {
            "events": self.wanted,
            "published": self.published,
            "handled": self.handled,
            "retried": self.retried,
            "duplicatesDropped": self.duplicates,
            "deadLettered": self.dead_letters,
            "lag": self.lag,
            "outOfOrder": self.out_of_order,
            "seconds": round(self.seconds, 3),
            "eventsPerSecond": round(self.per_second),
            "bytesPerEvent": round(self.bytes_per_event, 1),
            "simulatedDays": round((self.last - self.first) / 86_400, 2),
            "users": self.by_type["UserCreated"],
            "loginSuccessRate": round(self.login_success_rate, 4),
            "failuresByReason": dict(self.failures.most_common()),
            "byType": dict(self.by_type.most_common()),
        }

    def watch(self, detail: Detail) -> None:
        """Count what the publisher and the subscriber report to their hooks."""
        match detail:
            case Published(error=""):
                self.published += detail.count
            case Retried():
                self.retried += 1
                self.latest["retried"] = f"after {type(detail.error).__name__}"
            case Dropped():
                self.duplicates += 1
                self.latest["duplicates"] = detail.event_type
            case DeadLettered():
                self.dead_letters += 1
                self.latest["dead_letters"] = f"{detail.error}, {detail.attempts} tries"
            case Committed(error=""):
                self.offsets.update(detail.offsets)

    def handle(self, event: AuthEvent) -> None:
        """Count a handled event."""
        event_type = catalog.BY_PAYLOAD_FIELD[event.WhichOneof("payload") or ""]
        payload = getattr(event, event_type.payload_field)
        self.handled += 1
        self.bytes += event.ByteSize()
        self.by_type[event_type.name] += 1
        if event_type.name == "LoginFailed":
            name = LoginFailureReason.Name(payload.reason)
            self.failures[name.removeprefix("LOGIN_FAILURE_REASON_").lower().replace("_", " ")] += 1
        self.first = min(self.first or event.timestamp.seconds, event.timestamp.seconds)
        self.last = max(self.last, event.timestamp.seconds)
        if event.version:
            order = payload.user_id, event_type.topic
            self.out_of_order += event.version <= self.versions.get(order, 0)
            self.versions[order] = event.version


class Demo:
    """Publishes events, subscribes to them, and counts what happens to each.

    Args:
        stack: the broker and the registry; its topics are empty.
        events: what is published, in order.
        wanted: how many they are.

    Attributes:
        figures: how far it is.
    """

    def __init__(self, stack: EmbeddedStack, events: Iterable[AuthEvent], wanted: int) -> None:
        self.figures = Figures(wanted)
        self._stack = stack
        self._events = events
        self._lock = threading.Lock()  # the two threads count, the caller's looks
        self._stopping = threading.Event()
        self._fails_once: set[str] = set()
        self._fails_always: set[str] = set()
        self._error: BaseException | None = None

    def run(self) -> Generator[Figures, None, None]:
        """The figures, some times a second, until every message is settled and committed.

        Closed earlier, both threads end.

        Raises:
            AuthEventsError: if publishing or consuming fails, or makes no progress.
        """
        began = time.perf_counter()
        with SchemaRegistry(self._stack.registry_url) as registry:
            subscriber = self._subscriber(registry)
            threads = [
                threading.Thread(target=self._guarded, args=(work,), name=f"demo-{name}", daemon=True)
                for name, work in (
                    ("subscriber", subscriber.run),
                    ("publisher", lambda: self._publish(registry)),
                )
            ]
            for thread in threads:
                thread.start()
            try:
                for _ in self._until_settled(threads[1]):
                    with self._lock:
                        self.figures.seconds = time.perf_counter() - began
                        yield self.figures
            finally:
                self._stopping.set()
                subscriber.stop()
                for thread in reversed(threads):
                    thread.join()
        if self._error is not None:
            raise self._error

    def _until_settled(self, publisher: threading.Thread) -> Iterator[None]:
        figures, seen, since = self.figures, -1, time.monotonic()
        while self._error is None and (publisher.is_alive() or figures.settled < figures.published):
            time.sleep(_LOOK_EVERY)
            if figures.settled != seen:
                seen, since = figures.settled, time.monotonic()
            elif time.monotonic() - since > _SILENCE:
                raise BrokerUnavailable(f"{figures.published - seen} published events do not arrive")
            yield

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - raised again by the caller's thread
            self._error = self._error or error

    def _publish(self, registry: SchemaRegistry) -> None:
        config = {"bootstrap.servers": self._stack.bootstrap, **_QUIET}
        with Publisher(config, serializer=AuthEventSerializer(registry), hooks=[self._watch]) as publisher:
            for number, event in enumerate(self._events, 1):
                if self._stopping.is_set():
                    return
                if number % _EVERY == _FAILS_ONCE:
                    self._fails_once.add(event.event_id)
                elif number % _DEAD_EVERY == _FAILS_ALWAYS:
                    self._fails_always.add(event.event_id)
                publisher.send(event)
                if number % _EVERY == _DUPLICATE:
                    publisher.send(event)

    def _subscriber(self, registry: SchemaRegistry) -> Subscriber:
        config = {
            "bootstrap.servers": self._stack.bootstrap,
            "group.id": "demo",
            "group.protocol": "consumer",  # which joins at once
            "auto.offset.reset": "earliest",
            **_QUIET,
        }
        subscriber = Subscriber(
            config,
            catalog.TOPICS,
            deserializer=AuthEventDeserializer(registry),
            policy=Policy(retry=_RETRY, commit_interval=0.2),
            inbox=MemoryInbox(),
            hooks=[self._watch],
        )
        subscriber.on_any(self._handle)
        return subscriber

    def _handle(self, event: AuthEvent, _payload: Message, context: Context) -> None:
        if event.event_id in self._fails_always:
            raise ValueError("this handler cannot process this event")
        if event.event_id in self._fails_once and context.attempt == 1:
            raise TimeoutError("this handler's database did not answer")
        with self._lock:
            self.figures.handle(event)

    def _watch(self, detail: Detail) -> None:
        with self._lock:
            self.figures.watch(detail)
