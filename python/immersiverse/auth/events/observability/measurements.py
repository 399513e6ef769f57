"""What hooks were told, summed up by metric and labels. Knows nothing of Prometheus."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from immersiverse.auth.events.observability import metrics
from immersiverse.auth.events.observability.durations import Durations
from immersiverse.auth.events.observability.hooks import (
    Committed,
    Consumed,
    DeadLettered,
    DecodeFailed,
    Dropped,
    Gap,
    Lag,
    Published,
    RetentionLoss,
    Retried,
    Statistics,
    Stubbed,
    Unconfirmed,
    VersionJump,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from immersiverse.auth.events.observability.hooks import Detail
    from immersiverse.auth.events.observability.metrics import Metric

    Labels = tuple[str, ...]

_GOOD = "ok"


class Measurements:
    """Sums. Not for several threads at once.

    Attributes:
        numbers: what counters and gauges say, by metric and labels.
        durations: what histograms say.
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
        self._on: dict[type[Any], Callable[[Any], None]] = {
            Published: self._published,
            Unconfirmed: lambda told: self._count(metrics.UNCONFIRMED, told.topic, told.producer),
            Consumed: self._consumed,
            Dropped: lambda told: self._count(metrics.DROPPED, told.topic, told.event_type, told.reason),
            Gap: lambda told: self._count(metrics.GAPS, told.topic),
            VersionJump: lambda told: self._count(metrics.VERSION_JUMPS, told.topic),
            DecodeFailed: lambda told: self._count(metrics.DECODE_FAILURES, told.topic, told.error),
            Retried: lambda told: self._count(metrics.RETRIES, told.topic, type(told.error).__name__),
            DeadLettered: lambda told: self._count(metrics.DEAD_LETTERS, told.topic, told.error),
            Stubbed: lambda told: self._count(metrics.STUBS, told.topic),
            Committed: lambda told: self._count(metrics.COMMITS, told.error or _GOOD),
            RetentionLoss: lambda loss: self._count(metrics.RETENTION_LOSSES, loss.topic, times=loss.count),
            Lag: self._lag,
            Statistics: self._statistics,
        }

    def add(self, detail: Detail) -> None:
        """Sum up one detail."""
        self._on[type(detail)](detail)

    def _published(self, told: Published) -> None:
        labels = told.topic, told.event_type, told.error or _GOOD
        self._count(metrics.PUBLISHED, *labels, times=told.durations.count)
        self.durations[metrics.PUBLISH_SECONDS][told.topic,].merge(told.durations)

    def _consumed(self, told: Consumed) -> None:
        count = told.durations.count
        self._count(metrics.CONSUMED, told.topic, told.event_type, times=count)
        self.durations[metrics.HANDLE_SECONDS][told.topic, told.event_type].merge(told.durations)
        self.durations[metrics.AGE_SECONDS][told.topic,].add(told.age, count)

    def _lag(self, told: Lag) -> None:
        """The last word of each consumer counts, and of none about a partition that another has by now."""
        lags = self.numbers[metrics.CONSUMER_LAG]
        for labels in self._lags.pop(told.consumer, ()):
            lags.pop(labels, None)
        mine: dict[Labels, float] = {
            (told.group, topic, str(number)): lag for (topic, number), lag in told.partitions.items()
        }
        for others in self._lags.values():
            others[:] = [labels for labels in others if labels not in mine]
        if mine:
            self._lags[told.consumer] = list(mine)
            lags.update(mine)

    def _statistics(self, told: Statistics) -> None:
        """Producers of one client id count together, and one that is gone has still sent what it sent."""
        if told.role == "producer":
            name, sent = told.values["name"], told.values["tx"]
            new = sent - self._requests.get(name, 0)
            self._requests[name] = sent
            self._count(metrics.PRODUCER_REQUESTS, told.values["client_id"], times=new)

    def _count(self, metric: Metric, *labels: str, times: float = 1) -> None:
        self.numbers[metric][labels] += times
