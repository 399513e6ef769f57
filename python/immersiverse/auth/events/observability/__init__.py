"""Hooks, metrics and traces of publishers and subscribers.

`PrometheusHook` and `OpenTelemetryTracer` are loaded on first use: each needs an extra of this package.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from immersiverse.auth.events.observability.otel import OpenTelemetryTracer as OpenTelemetryTracer
    from immersiverse.auth.events.observability.prometheus import PrometheusHook as PrometheusHook

_HOME = {"OpenTelemetryTracer": "otel", "PrometheusHook": "prometheus"}


def __getattr__(name: str) -> Any:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)
