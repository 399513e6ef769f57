"""Metrics: their names, labels and meaning, and their sums of what is reported to hooks.

Dashboards and alerts are tested against the names. The first two are the specification's (section 9). Knows
nothing of Prometheus.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from immersiverse.auth.events.observability.hooks import (
    Committed,
    Consumed,
    DeadLettered,
    DecodeFailed,
    Dropped,
    Durations,
    Gap,
    Lag,
    OutboxBacklog,
    Published,
    Relayed,
    RetentionLoss,
    Retried,
    RowSetAside,
    ShardsHeld,
    Statistics,
    Stubbed,
    Unconfirmed,
    VersionJump,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from immersiverse.auth.events.observability.hooks import Detail

    Labels = tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)  # compared by identity, which makes look-ups fast
class Metric:
    """One metric.

    Attributes:
        name: in Prometheus; a counter's ends in ``_total``.
        kind: its type.
        labels: names of its labels. None of them grows with users or events.
        meaning: one sentence.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    meaning: str


# fmt: off
PRODUCER_REQUESTS: Final = Metric("kafka_producer_requests_total", "counter", ("client_id",),
    "Requests that producers sent to brokers, as librdkafka counts them.")
CONSUMER_LAG: Final = Metric("kafka_consumer_lag", "gauge", ("group", "topic", "partition"),
    "Events that are not committed yet, in the partitions assigned to this process.")
PUBLISHED: Final = Metric("auth_events_published_total", "counter", ("topic", "event_type", "outcome"),
    "Events by delivery report: ok if acknowledged, else librdkafka's name of the error.")
PUBLISH_SECONDS: Final = Metric("auth_events_publish_seconds", "histogram", ("topic",),
    "Time from publishing an event to its delivery report.")
UNCONFIRMED: Final = Metric("auth_events_unconfirmed_total", "counter", ("topic", "producer"),
    "Messages reported as delivered without proof that a broker stored them; they count as failed.")
CONSUMED: Final = Metric("auth_events_consumed_total", "counter", ("topic", "event_type"),
    "Events that were handled, or skipped because they have no handler.")
HANDLE_SECONDS: Final = Metric("auth_events_handle_seconds", "histogram", ("topic", "event_type"),
    "Time in handlers.")
AGE_SECONDS: Final = Metric("auth_events_age_seconds", "histogram", ("topic",),
    "Time from when an event happened until it was handled.")
DROPPED: Final = Metric("auth_events_dropped_total", "counter", ("topic", "event_type", "reason"),
    "Events that were not handled: duplicate or stale for the inbox, or redriven to another group.")
GAPS: Final = Metric("auth_events_gaps_total", "counter", ("topic",),
    "Gaps between the versions of a user in two events of a topic.")
VERSION_JUMPS: Final = Metric("auth_events_version_jumps_total", "counter", ("topic",),
    "Events whose version was too far beyond the last one of their user to be recorded by the inbox.")
DECODE_FAILURES: Final = Metric("auth_events_decode_failures_total", "counter", ("topic", "error"),
    "Messages that could not be decoded.")
RETRIES: Final = Metric("auth_events_retries_total", "counter", ("topic", "error"),
    "Failed attempts that are retried.")
DEAD_LETTERS: Final = Metric("auth_events_dead_letters_total", "counter", ("topic", "error"),
    "Messages that were written to the dead letter topic.")
STUBS: Final = Metric("auth_events_dead_letter_stubs_total", "counter", ("topic",),
    "Messages that were too large for the dead letter topic: it has a stub without their value.")
COMMITS: Final = Metric("auth_events_commits_total", "counter", ("outcome",),
    "Commits of offsets by outcome: ok, or librdkafka's name of the error.")
RETENTION_LOSSES: Final = Metric("auth_events_retention_lost_total", "counter", ("topic",),
    "Offsets that retention removed before the consumer group had handled them.")

RELAY_SECONDS: Final = Metric("auth_events_outbox_relay_seconds", "histogram", ("topic",),
    "Time from when an event's transaction began until Kafka acknowledged it.")
BACKLOG: Final = Metric("auth_events_outbox_backlog", "gauge", ("outbox",),
    "Events in the outbox that are not published yet; every relay reports the whole outbox.")
OLDEST_SECONDS: Final = Metric("auth_events_outbox_oldest_seconds", "gauge", ("outbox",),
    "Time since the transaction of the oldest unpublished event began; 0 if there is none.")
SET_ASIDE: Final = Metric("auth_events_outbox_set_aside", "gauge", ("outbox",),
    "Events set aside: refused by Kafka, or waiting behind one of their user.")
REFUSED: Final = Metric("auth_events_outbox_refused_total", "counter", ("topic", "error"),
    "Events of the outbox that Kafka refused for good.")
SHARDS_HELD: Final = Metric("auth_events_outbox_shards", "gauge", ("outbox",),
    "Shards that the relays of this process hold; 8 are all.")
LEASE_CHANGES: Final = Metric("auth_events_outbox_lease_changes_total", "counter", ("change",),
    "Shards that this process's relays took, released, or lost to another relay.")

METRICS: Final = (
    PRODUCER_REQUESTS, CONSUMER_LAG, PUBLISHED, PUBLISH_SECONDS, UNCONFIRMED, CONSUMED,
    HANDLE_SECONDS, AGE_SECONDS, DROPPED, GAPS, VERSION_JUMPS,
    DECODE_FAILURES, RETRIES, DEAD_LETTERS, STUBS, COMMITS, RETENTION_LOSSES,
    RELAY_SECONDS, BACKLOG, OLDEST_SECONDS, SET_ASIDE, REFUSED, SHARDS_HELD, LEASE_CHANGES,
)
"""All of them."""
# fmt: on


class Aggregator:
    """Sums by metric and labels. Not thread-safe.

    Attributes:
        numbers: values of counters and gauges.
        durations: values of histograms.
    """

    def __init__(self) -> None:
        self.numbers: defaultdict[Metric, defaultdict[Labels, float]] = defaultdict(
            lambda: defaultdict(float)
        )
        self.durations: defaultdict[Metric, defaultdict[Labels, Durations]] = defaultdict(
            lambda: defaultdict(Durations)
        )
        self._requests: dict[str, int] = {}
        self._lags: dict[str, list[Labels]] = {}
        self._shards: dict[tuple[str, str], int] = {}
        self._add: dict[type[Any], Callable[[Any], None]] = {
            Published: self._published,
            Unconfirmed: lambda one: self._count(UNCONFIRMED, one.topic, one.producer),
            Consumed: self._consumed,
            Dropped: lambda one: self._count(DROPPED, one.topic, one.event_type, one.reason),
            Gap: lambda one: self._count(GAPS, one.topic),
            VersionJump: lambda one: self._count(VERSION_JUMPS, one.topic),
            DecodeFailed: lambda one: self._count(DECODE_FAILURES, one.topic, one.error),
            Retried: lambda one: self._count(RETRIES, one.topic, type(one.error).__name__),
            DeadLettered: lambda one: self._count(DEAD_LETTERS, one.topic, one.error),
            Stubbed: lambda one: self._count(STUBS, one.topic),
            Committed: lambda one: self._count(COMMITS, one.error or "ok"),
            RetentionLoss: lambda loss: self._count(RETENTION_LOSSES, loss.topic, times=loss.count),
            Lag: self._lag,
            Relayed: lambda one: self.durations[RELAY_SECONDS][one.topic,].merge(one.durations),
            OutboxBacklog: self._backlog,
            RowSetAside: lambda one: self._count(REFUSED, one.topic, one.error),
            ShardsHeld: self._shards_held,
            Statistics: self._statistics,
        }

    def add(self, detail: Detail) -> None:
        """Add one detail to the sums."""
        self._add[type(detail)](detail)

    def _published(self, detail: Published) -> None:
        labels = detail.topic, detail.event_type, detail.error or "ok"
        self._count(PUBLISHED, *labels, times=detail.count)
        self.durations[PUBLISH_SECONDS][detail.topic,].merge(detail.durations)

    def _consumed(self, detail: Consumed) -> None:
        count = detail.durations.count
        self._count(CONSUMED, detail.topic, detail.event_type, times=count)
        self.durations[HANDLE_SECONDS][detail.topic, detail.event_type].merge(detail.durations)
        self.durations[AGE_SECONDS][detail.topic,].add(detail.age, count)

    def _lag(self, detail: Lag) -> None:
        """Each report replaces the consumer's last one, and others' about partitions that it has now."""
        lags = self.numbers[CONSUMER_LAG]
        for labels in self._lags.pop(detail.consumer, ()):
            lags.pop(labels, None)
        mine: dict[Labels, float] = {
            (detail.group, topic, str(number)): lag for (topic, number), lag in detail.partitions.items()
        }
        for others in self._lags.values():
            others[:] = [labels for labels in others if labels not in mine]
        if mine:
            self._lags[detail.consumer] = list(mine)
            lags.update(mine)

    def _backlog(self, detail: OutboxBacklog) -> None:
        self.numbers[BACKLOG][detail.outbox,] = detail.rows
        self.numbers[OLDEST_SECONDS][detail.outbox,] = detail.oldest_seconds
        self.numbers[SET_ASIDE][detail.outbox,] = detail.set_aside

    def _shards_held(self, detail: ShardsHeld) -> None:
        self._shards[detail.outbox, detail.relay] = len(detail.shards)
        held = (number for (outbox, _), number in self._shards.items() if outbox == detail.outbox)
        self.numbers[SHARDS_HELD][detail.outbox,] = sum(held)
        for change in ("taken", "released", "lost"):
            self._count(LEASE_CHANGES, change, times=getattr(detail, change))

    def _statistics(self, detail: Statistics) -> None:
        """Producers of one client id are added up, those that are closed included."""
        if detail.role == "producer":
            name, sent = detail.values["name"], detail.values["tx"]
            new = sent - self._requests.get(name, 0)
            self._requests[name] = sent
            self._count(PRODUCER_REQUESTS, detail.values["client_id"], times=new)

    def _count(self, metric: Metric, *labels: str, times: float = 1) -> None:
        self.numbers[metric][labels] += times
