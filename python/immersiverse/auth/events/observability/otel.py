"""Traces with OpenTelemetry: a span where an event is sent, and one in the same trace where it is handled.

Follows OpenTelemetry's semantic conventions for messaging and Kafka; context travels as W3C Trace Context.
The message's key is not an attribute: it identifies the user.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from immersiverse.auth.events.errors import MissingExtra
from immersiverse.auth.events.version import __version__

try:
    from opentelemetry import trace
    from opentelemetry.context import Context
    from opentelemetry.trace import SpanKind, Status, StatusCode
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
except ImportError as error:
    raise MissingExtra("otel", "OpenTelemetryTracer") from error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.trace import Span, TracerProvider

    from immersiverse.auth.events.observability.tracing import Arrival
    from immersiverse.auth.events.serialization.headers import Headers
    from immersiverse.auth.events.serialization.serializer import SerializedEvent

_SYSTEM: Final = {"messaging.system": "kafka"}
_W3C: Final = TraceContextTextMapPropagator()


class OpenTelemetryTracer:
    """Makes a span ``send TOPIC`` from publishing to acknowledgement, and ``process TOPIC`` around a handler.

    A ``process`` span is a child of its ``send`` span, whichever process made that. What a handler publishes,
    or does with instrumented libraries, becomes a child of its ``process`` span.

    Args:
        provider: of spans; by default the global one.

    Raises:
        MissingExtra: on import, if opentelemetry-api is not installed.
    """

    def __init__(self, provider: TracerProvider | None = None) -> None:
        self._tracer = trace.get_tracer("immersiverse.auth.events", __version__, provider)

    def sending(self, message: SerializedEvent) -> _Sending:
        """See `Tracer.sending`."""
        name, attributes = f"send {message.topic}", _of_message(message)
        return _Sending(self._tracer.start_span(name, kind=SpanKind.PRODUCER, attributes=attributes))

    @contextmanager
    def handling(self, arrival: Arrival) -> Iterator[None]:
        """See `Tracer.handling`. What the handler raises is recorded and propagates."""
        carried = {
            name: value.decode(errors="replace")
            for name, value in reversed(arrival.headers)  # the first of several is used
            if value is not None and name in _W3C.fields
        }
        with self._tracer.start_as_current_span(
            f"process {arrival.topic}",
            _W3C.extract(carried, Context()),
            SpanKind.CONSUMER,
            _of_arrival(arrival),
        ) as span:
            try:
                yield
            except BaseException as error:
                span.set_attribute("error.type", type(error).__qualname__)
                raise


class _Sending:
    """The span of one event that is being sent."""

    def __init__(self, span: Span) -> None:
        self._span = span

    @property
    def headers(self) -> Headers:
        """See `Sending.headers`."""
        carried: dict[str, str] = {}
        _W3C.inject(carried, trace.set_span_in_context(self._span, Context()))
        return tuple((name, value.encode()) for name, value in carried.items())

    def end(self, partition: int, offset: int, error: str) -> None:
        """See `Sending.end`."""
        if error:
            self._span.set_attribute("error.type", error)
            self._span.set_status(Status(StatusCode.ERROR, error))
        else:
            self._span.set_attribute("messaging.destination.partition.id", str(partition))
            self._span.set_attribute("messaging.kafka.offset", offset)
        self._span.end()


def _of_message(message: SerializedEvent) -> dict[str, Any]:
    headers = dict(message.headers)
    return {
        **_SYSTEM,
        "messaging.operation.name": "send",
        "messaging.operation.type": "send",
        "messaging.destination.name": message.topic,
        "messaging.message.id": headers.get("ce_id", b"").decode(),
        "messaging.message.body.size": len(message.value),
        "immersiverse.auth.event.type": headers.get("ce_type", b"").decode().rpartition(".")[2],
    }


def _of_arrival(arrival: Arrival) -> dict[str, Any]:
    return {
        **_SYSTEM,
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": arrival.topic,
        "messaging.destination.partition.id": str(arrival.partition),
        "messaging.kafka.offset": arrival.offset,
        "messaging.consumer.group.name": arrival.group,
        "messaging.message.id": arrival.event_id,
        "messaging.message.body.size": arrival.size,
        "immersiverse.auth.event.type": arrival.event_type,
        "immersiverse.auth.event.attempt": arrival.attempt,
    }
