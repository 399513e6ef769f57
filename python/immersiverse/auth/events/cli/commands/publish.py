"""auth-events publish."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager, suppress
from functools import partial
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
    from immersiverse.auth.events.kafka.producer.delivery import Delivery
    from immersiverse.auth.events.kafka.producer.publisher import Publisher
    from immersiverse.auth.events.v1.events_pb2 import AuthEvent

    Lines = Iterator[tuple[int, bytes]]
    ReadLine = Callable[[bytes], AuthEvent]

_LOOK_EVERY = 0.2  # seconds, while deliveries are waited for at the end
_SHOW_EVERY = 0.1  # seconds
_SILENCE = 10.0  # seconds without an acknowledgement until a warning


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

    Takes the specification's minimal messages and full ones, and checks them against the contract. An event
    without an id gets one that is derived from its line, so that publishing a file again repeats ids, which
    consumers drop as duplicates. Lines that are not published are reported with the reason.

    Exit codes: 0 all lines are published, 1 some are not, 2 wrong use, 3 no connection, 130 interrupted.
    """
    from immersiverse.auth.events.admin.topics import existing_topics
    from immersiverse.auth.events.kafka.producer.publisher import Publisher
    from immersiverse.auth.events.serialization.serializer import AuthEventSerializer

    cluster = kafka.cluster()
    with encoding.schema_ids() as ids:
        lines = numbered_lines(file)
        existing_topics(cluster)  # a wrong address fails now, and not when the first delivery times out
        serializer = AuthEventSerializer(ids, format=encoding.format.value, single_topic=single_topic)
        counts = LineCounts(as_json=as_json)
        publisher = Publisher(cluster.settings, serializer=serializer)
        _publish_all(lines, _line_reader(assign_versions=assign_versions), publisher, counts)
    if counts.outage or counts.failed:
        raise typer.Exit(NO_CONNECTION if counts.outage else VERDICT)


def _line_reader(*, assign_versions: bool) -> ReadLine:
    from immersiverse.auth.events.events import EventVersions
    from immersiverse.auth.events.serialization.text import read_event_line

    if not assign_versions:
        return read_event_line
    versions = EventVersions()

    def read(line: bytes) -> AuthEvent:
        event = read_event_line(line)
        versions.give(event)
        return event

    return read


def _publish_all(lines: Lines, read: ReadLine, publisher: Publisher, counts: LineCounts) -> None:
    try:
        with counts.shown():
            try:
                _publish_lines(lines, read, publisher, counts)
            except KeyboardInterrupt:
                counts.interrupted()
                raise
            finally:
                _wait(publisher, counts)
    finally:  # what was published before it ended is published
        with suppress(UndeliveredEvents):  # each was reported with its line
            publisher.close(0)
        counts.conclude()


def _publish_lines(lines: Lines, read: ReadLine, publisher: Publisher, counts: LineCounts) -> None:
    for number, line in lines:
        if counts.outage:
            warn(f"stopped at line {number}: earlier events could not be delivered")
            return
        try:
            publisher.send(read(line), on_done=partial(counts.delivered, number))
        except (DecodeError, InvalidEvent, PublishError) as error:
            counts.not_published(number, error)
        else:
            counts.sent()


def _wait(publisher: Publisher, counts: LineCounts) -> None:
    """Until every delivery is acknowledged or has failed; an interrupt ends the wait."""
    while counts.in_flight:
        with suppress(UndeliveredEvents):  # each is reported with its line
            publisher.flush(_LOOK_EVERY)
        counts.show()


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
        warn(f"line {number}: {error}")
        with self._lock:
            self.failed += 1
            self.outage = self.outage or (isinstance(error, PublishError) and error.retryable)

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
        failed = f"; {self.failed} lines were not published" if self.failed else ""
        warn(f"published {self.published} events in {seconds:.1f} s{f': {where}' if where else ''}{failed}")
