"""auth-events publish."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import typer
from typer import Option

from immersiverse.auth.events.cli.commands.codec import INPUT_FILE, numbered_lines
from immersiverse.auth.events.cli.options.events import EncodingOptions  # noqa: TC001 - typer reads it
from immersiverse.auth.events.cli.options.kafka import KafkaOptions  # noqa: TC001 - typer reads it
from immersiverse.auth.events.cli.output import NO_CONNECTION, VERDICT, progress, warn, write_json
from immersiverse.auth.events.errors import DecodeError, InvalidEvent, PublishError, UndeliveredEvents

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from immersiverse.auth.events.errors import AuthEventsError
    from immersiverse.auth.events.events import EventVersions
    from immersiverse.auth.events.kafka.producer.delivery import Delivery
    from immersiverse.auth.events.kafka.producer.publisher import Publisher
    from immersiverse.auth.events.v1.events_pb2 import AuthEvent

    Lines = Iterator[tuple[int, bytes]]
    ReadLine = Callable[[bytes], AuthEvent]

_LOOK_EVERY = 0.2  # seconds, while deliveries are waited for at the end
_SHOW_EVERY = 0.1  # seconds
_SILENCE = 10.0  # seconds without an acknowledgement until a warning
# Errors of one message; any other is likely to be that of many, so that only the first gets a line.
_OF_ONE_MESSAGE = {
    "MSG_SIZE_TOO_LARGE",
    "INVALID_MSG",
    "INVALID_MSG_SIZE",
    "INVALID_RECORD",
    "INVALID_TIMESTAMP",
}


def publish(
    file: str = INPUT_FILE,
    *,
    kafka: KafkaOptions,
    encoding: EncodingOptions,
    single_topic: bool = Option(False, "--single-topic", help="All on one topic."),
    assign_versions: bool = Option(
        False,
        "--assign-versions",
        help="Number events without a version, each user's from 1, if no other producer does.",
    ),
    as_json: bool = Option(False, "--json", help="Only the figures, as JSON."),
) -> None:
    """Publish events in JSON, one a line, to Kafka.

    Takes the specification's minimal messages and full ones, and checks them against the contract: a field or
    value that it does not have is refused, with the closest name. An event without an id gets one that is
    derived from its line, so that publishing a file again repeats ids, which consumers drop as duplicates.
    Lines that are not published are reported with the reason.

    Exit codes: 0 all lines are published, 1 some are not, 2 wrong use, 3 no connection, 130 interrupted.
    """
    from immersiverse.auth.events.admin.topics import existing_topics, missing_topic
    from immersiverse.auth.events.catalog import SINGLE_TOPIC
    from immersiverse.auth.events.events import EventVersions
    from immersiverse.auth.events.kafka.producer.publisher import Publisher
    from immersiverse.auth.events.serialization.serializer import AuthEventSerializer

    cluster = kafka.cluster()
    with encoding.schema_ids() as ids:
        lines = numbered_lines(file)
        existing_topics(cluster)  # a wrong address fails now, and not when the first delivery times out
        serializer = AuthEventSerializer(ids, format=encoding.format.value, single_topic=single_topic)
        counts = LineCounts(as_json=as_json)
        publisher = Publisher(cluster.settings, serializer=serializer)
        sender = _Sender(
            publisher,
            counts,
            missing=cache(partial(missing_topic, cluster)),
            versions=EventVersions() if assign_versions else None,
            topic=SINGLE_TOPIC if single_topic else "",
        )
        _publish_all(lines, encoding.line_reader(), sender)
    if counts.outage or counts.failed:
        raise typer.Exit(NO_CONNECTION if counts.outage else VERDICT)


@dataclass(frozen=True, slots=True)
class _Sender:
    """Sends the events of lines, each to its topic, or all to one."""

    publisher: Publisher
    counts: LineCounts
    missing: Callable[[str], str]  # why nothing can be published to a topic
    versions: EventVersions | None
    topic: str

    def send(self, number: int, event: AuthEvent) -> None:
        """Send the event of a line, unless its topic is missing."""
        from immersiverse.auth.events.events import event_type_of

        topic = self.topic or event_type_of(event).topic
        if reason := self.missing(topic):
            self.counts.refused(number, topic, reason)
            return
        if self.versions is not None:
            self.versions.give(event)
        self.publisher.send(event, on_done=partial(self.counts.delivered, number))
        self.counts.sent()

    def wait(self) -> None:
        """Until every delivery is acknowledged or has failed; an interrupt ends the wait."""
        while self.counts.in_flight:
            with suppress(UndeliveredEvents):  # each is reported with its line
                self.publisher.flush(_LOOK_EVERY)
            self.counts.show()


def _publish_all(lines: Lines, read: ReadLine, sender: _Sender) -> None:
    counts = sender.counts
    try:
        with counts.shown():
            try:
                _publish_lines(lines, read, sender)
            except KeyboardInterrupt:
                counts.interrupted()
                raise
            finally:
                sender.wait()
    finally:  # what was published before it ended is published
        with suppress(UndeliveredEvents):  # each was reported with its line
            sender.publisher.close(0)
        counts.conclude()


def _publish_lines(lines: Lines, read: ReadLine, sender: _Sender) -> None:
    for number, line in lines:
        if sender.counts.outage:
            warn(f"stopped at line {number}: earlier events could not be delivered")
            return
        try:
            sender.send(number, read(line))
        except (DecodeError, InvalidEvent, PublishError) as error:
            sender.counts.not_published(number, error)


class LineCounts:
    """Counts lines by their outcome, and reports those that are not published.

    Args:
        as_json: write the figures as JSON, and show no progress.

    Attributes:
        published: lines that a broker acknowledged.
        failed: lines that were not published, for any reason.
        in_flight: lines whose delivery is neither acknowledged nor failed.
        outage: whether a delivery failed with a retryable error: later ones would fail, too.
    """

    def __init__(self, *, as_json: bool) -> None:
        self.published = self.failed = self.in_flight = 0
        self.outage = False
        self._as_json = as_json
        self._lock = threading.Lock()  # deliveries may be reported in the publisher's own thread
        self._topics: dict[str, int] = {}
        self._refused: dict[tuple[str, str], int] = {}  # by topic and reason
        self._started = self._progress_at = time.monotonic()
        self._shown_at = 0.0
        self._warned = False
        self._update: Any = None

    def sent(self) -> None:
        """A line is in flight."""
        with self._lock:
            if not self.in_flight:
                self._progress_at = time.monotonic()  # nothing could be acknowledged before
            self.in_flight += 1
        if time.monotonic() - self._shown_at > _SHOW_EVERY:
            self.show()

    def delivered(self, number: int, delivery: Delivery) -> None:
        """The delivery of a line is acknowledged or has failed."""
        with self._lock:
            self.in_flight -= 1
            self._progress_at, self._warned = time.monotonic(), False
            if delivery.error is None:
                self.published += 1
                self._topics[delivery.topic] = self._topics.get(delivery.topic, 0) + 1
        if delivery.error is not None:
            self.not_published(number, delivery.error)

    def not_published(self, number: int, error: AuthEventsError) -> None:
        """A line is not published."""
        if isinstance(error, PublishError) and error.code not in _OF_ONE_MESSAGE:
            self.outage = self.outage or error.retryable
            self.refused(number, error.topic, str(error), error.code)
            return
        warn(f"line {number}: {error}")
        with self._lock:
            self.failed += 1

    def refused(self, number: int, topic: str, reason: str, code: str = "") -> None:
        """A line is not published for a reason of its topic, or of the cluster: the first one gets a line."""
        with self._lock:
            self.failed += 1
            count = self._refused[topic, code] = self._refused.get((topic, code), 0) + 1
        if count == 1:
            warn(f"line {number}: {reason}")

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show progress on a terminal as long as this lasts."""
        with progress("published", silent=self._as_json) as self._update:
            yield

    def show(self) -> None:
        """Show the progress, and warn once if Kafka acknowledges nothing."""
        self._shown_at = time.monotonic()
        self._update(self.published)
        if self.in_flight and not self._warned and self._shown_at - self._progress_at > _SILENCE:
            self._warned = True
            warn(
                f"no acknowledgement from Kafka for {_SILENCE:.0f} s; {self.in_flight} events are in flight "
                "and fail after delivery.timeout.ms"
            )

    def interrupted(self) -> None:
        """Say that an interrupt does not end it yet, if events are in flight."""
        if self.in_flight:
            warn(f"interrupted: waiting for {self.in_flight} events in flight; Ctrl-C again gives up on them")

    def conclude(self) -> None:
        """Write the figures."""
        seconds, topics = time.monotonic() - self._started, dict(sorted(self._topics.items()))
        if self._as_json:
            figures = {"published": self.published, "notPublished": self.failed, "topics": topics}
            write_json({**figures, "seconds": round(seconds, 3)})
            return
        where = ", ".join(f"{topic} {count}" for topic, count in topics.items())
        to = ", ".join(f"{count} to {topic}" for (topic, _), count in sorted(self._refused.items()))
        failed = f"; {self.failed} lines were not published" if self.failed else ""
        failed += f", of them {to}" if to else ""
        warn(f"published {self.published} events in {seconds:.1f} s{f': {where}' if where else ''}{failed}")
