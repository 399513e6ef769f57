"""The metrics that this package exposes: names, labels and meaning. Dashboards and alerts are held to it.

The first two names are the specification's (section 9).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True, slots=True, eq=False)  # each is one of a kind, and quick to look up
class Metric:
    """One metric.

    Attributes:
        name: as Prometheus knows it; a counter's ends in ``_total``.
        kind: what it is.
        labels: by what it is told apart. None of them grows with users or events.
        meaning: one sentence.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    meaning: str

    @property
    def series(self) -> tuple[str, ...]:
        """The names that queries use."""
        if self.kind == "histogram":
            return f"{self.name}_bucket", f"{self.name}_sum", f"{self.name}_count"
        return (self.name,)


PRODUCER_REQUESTS: Final = Metric(
    "kafka_producer_requests_total", "counter", ("client_id",),
    "Requests that producers sent to brokers, as librdkafka counts them.",
)  # fmt: skip
CONSUMER_LAG: Final = Metric(
    "kafka_consumer_lag", "gauge", ("group", "topic", "partition"),
    "Events that are not committed yet, of the partitions that this process has.",
)  # fmt: skip
PUBLISHED: Final = Metric(
    "auth_events_published_total", "counter", ("topic", "event_type", "outcome"),
    "Events that brokers acknowledged, or the reason why they did not.",
)  # fmt: skip
PUBLISH_SECONDS: Final = Metric(
    "auth_events_publish_seconds", "histogram", ("topic",),
    "Time from publishing an event to a broker's answer.",
)  # fmt: skip
UNCONFIRMED: Final = Metric(
    "auth_events_unconfirmed_total", "counter", ("topic", "producer"),
    "Messages reported as delivered without proof that a broker stored them; they count as failed.",
)  # fmt: skip
CONSUMED: Final = Metric(
    "auth_events_consumed_total", "counter", ("topic", "event_type"),
    "Events that were handled, or that nobody asked for.",
)  # fmt: skip
HANDLE_SECONDS: Final = Metric(
    "auth_events_handle_seconds", "histogram", ("topic", "event_type"),
    "Time that handlers took.",
)  # fmt: skip
AGE_SECONDS: Final = Metric(
    "auth_events_age_seconds", "histogram", ("topic",),
    "Time from when an event happened until it was handled.",
)  # fmt: skip
DROPPED: Final = Metric(
    "auth_events_dropped_total", "counter", ("topic", "event_type", "reason"),
    "Events that the inbox dropped: duplicate or stale.",
)  # fmt: skip
GAPS: Final = Metric(
    "auth_events_gaps_total", "counter", ("topic",),
    "Times that versions of a user were missing between two events of a topic.",
)  # fmt: skip
VERSION_JUMPS: Final = Metric(
    "auth_events_version_jumps_total", "counter", ("topic",),
    "Events whose version was too far beyond the last one of their user to be recorded by the inbox.",
)  # fmt: skip
DECODE_FAILURES: Final = Metric(
    "auth_events_decode_failures_total", "counter", ("topic", "error"),
    "Messages that could not be read.",
)  # fmt: skip
RETRIES: Final = Metric(
    "auth_events_retries_total", "counter", ("topic", "error"),
    "Failed attempts that were to be repeated.",
)  # fmt: skip
DEAD_LETTERS: Final = Metric(
    "auth_events_dead_letters_total", "counter", ("topic", "error"),
    "Messages that were put on the dead letter topic.",
)  # fmt: skip
STUBS: Final = Metric(
    "auth_events_dead_letter_stubs_total", "counter", ("topic",),
    "Messages that the dead letter topic found too large: it has a stub without their value.",
)  # fmt: skip
COMMITS: Final = Metric(
    "auth_events_commits_total", "counter", ("outcome",),
    "Commits of offsets that succeeded, or the reason why they did not.",
)  # fmt: skip

METRICS: Final = (
    PRODUCER_REQUESTS,
    CONSUMER_LAG,
    PUBLISHED,
    PUBLISH_SECONDS,
    UNCONFIRMED,
    CONSUMED,
    HANDLE_SECONDS,
    AGE_SECONDS,
    DROPPED,
    GAPS,
    VERSION_JUMPS,
    DECODE_FAILURES,
    RETRIES,
    DEAD_LETTERS,
    STUBS,
    COMMITS,
)
"""All of them."""
