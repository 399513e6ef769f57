"""What Prometheus reads after details were reported to the hook."""

from __future__ import annotations

import subprocess
import sys

import pytest


def test_it_registers_where_prometheus_looks_by_default():
    code = """
from prometheus_client import generate_latest
from immersiverse.auth.events.observability import PrometheusHook
PrometheusHook()
print(b"kafka_consumer_lag" in generate_latest())
"""
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout == b"True\n"


@pytest.mark.parametrize(
    ("name", "library", "extra"),
    [("PrometheusHook", "prometheus_client", "prometheus"), ("OpenTelemetryTracer", "opentelemetry", "otel")],
)
def test_a_missing_extra_is_named(name, library, extra):
    code = f"""
import sys
sys.modules[{library!r}] = None
from immersiverse.auth.events import MissingExtra, observability
try:
    getattr(observability, {name!r})
except MissingExtra as error:
    print(error)
"""
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert f"immersiverse-auth-events[{extra}]" in said
