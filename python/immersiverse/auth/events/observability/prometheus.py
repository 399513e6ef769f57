"""Metrics for Prometheus. A lock guards the sums: hooks run in several threads."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from immersiverse.auth.events.errors import ConfigurationError, MissingExtra
from immersiverse.auth.events.observability.aggregator import METRICS, Aggregator, Metric
from immersiverse.auth.events.observability.hooks import BOUNDS

try:
    from prometheus_client import REGISTRY
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
    from prometheus_client.utils import floatToGoString
except ImportError as error:
    raise MissingExtra("prometheus", "PrometheusHook") from error

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from prometheus_client.registry import CollectorRegistry

    from immersiverse.auth.events.observability.hooks import Detail, Durations

    Labels = tuple[str, ...]
    Family = CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily

_LE = [*map(floatToGoString, BOUNDS), "+Inf"]


class PrometheusHook:
    """Aggregates what is reported to hooks, and exposes it to Prometheus. One serves a whole process.

    Pass the same one to every publisher and subscriber; `METRICS` lists what it exposes. It covers its own
    process only: ``prometheus_client``'s multiprocess mode does not see it.

    Args:
        registry: where it is registered; by default prometheus_client's global registry.

    Raises:
        ConfigurationError: the registry has these metrics already.
        MissingExtra: on import, if prometheus-client is not installed.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self._aggregator = Aggregator()
        self._lock = threading.Lock()
        try:
            (registry or REGISTRY).register(self)
        except AttributeError as error:
            raise ConfigurationError("registry", f"cannot be a {type(registry).__name__}") from error
        except ValueError as error:
            raise ConfigurationError("registry", "has these metrics already: share one hook") from error

    def __call__(self, detail: Detail) -> None:
        """Aggregate a detail; see `Hook`."""
        with self._lock:
            self._aggregator.add(detail)

    def describe(self) -> Iterator[Family]:
        """The metrics without values; for the registry."""
        return (_family(metric, {}, {}) for metric in METRICS)

    def collect(self) -> Iterator[Family]:
        """The metrics with their current values; for the registry."""
        with self._lock:
            numbers, durations = self._aggregator.numbers, self._aggregator.durations
            families = [_family(metric, numbers[metric], durations[metric]) for metric in METRICS]
        return iter(families)


def _family(metric: Metric, numbers: Mapping[Labels, float], durations: Mapping[Labels, Durations]) -> Family:
    if metric.kind == "histogram":
        return _histogram(metric, durations)
    kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    family = kind(metric.name, metric.meaning, labels=metric.labels)
    for labels, number in numbers.items():
        family.add_metric(labels, number)
    return family


def _histogram(metric: Metric, durations: Mapping[Labels, Durations]) -> HistogramMetricFamily:
    family = HistogramMetricFamily(metric.name, metric.meaning, labels=metric.labels)
    for labels, taken in durations.items():
        buckets = list(zip(_LE, map(float, taken.cumulative), strict=True))
        family.add_metric(labels, buckets, taken.seconds)
    return family
