"""Traces with OpenTelemetry: a span where an event is sent, and one in the same trace where it is handled.

Follows OpenTelemetry's semantic conventions for messaging and Kafka. Context travels in the headers that the
propagators write which OpenTelemetry is configured with (``OTEL_PROPAGATORS``; by default W3C Trace Context
and Baggage). The message's key is not an attribute: it identifies the user.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from immersiverse.auth.events.errors import ConfigurationError, MissingExtra
from immersiverse.auth.events.version import __version__

try:
    from opentelemetry import context, propagate, trace
    from opentelemetry.propagators.textmap import Getter
    from opentelemetry.trace import SpanKind, Status, StatusCode
except ImportError as error:
    raise MissingExtra("otel", "OpenTelemetryTracer") from error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.propagators.textmap import TextMapPropagator
    from opentelemetry.trace import Span, TracerProvider

    from immersiverse.auth.events.observability.tracing import Arrival, RelayedMessage
    from immersiverse.auth.events.serialization.headers import Headers
    from immersiverse.auth.events.serialization.serializer import SerializedEvent

_SYSTEM: Final = {"messaging.system": "kafka"}
Arrived = tuple[tuple[str, bytes | None], ...]


class _HeaderGetter(Getter[Arrived]):
    """Reads a message's headers for a propagator."""

    def get(self, carrier: Arrived, key: str) -> list[str] | None:
        """The values of a header, in order; None without any."""
        return [value.decode(errors="replace") for name, value in carrier if name == key and value] or None

    def keys(self, carrier: Arrived) -> list[str]:
        """The headers' names."""
        return [name for name, _ in carrier]


_HEADERS: Final = _HeaderGetter()


class OpenTelemetryTracer:
    """Makes a span ``send TOPIC`` from publishing to acknowledgement, and ``process TOPIC`` around a handler.

    With an outbox it makes a span ``create TOPIC`` where an event is added, and a child of that where a relay
    sends it, ``send TOPIC``.

    A ``process`` span is a child of its ``send`` span, whichever process made that. What a handler publishes,
    or does with instrumented libraries, becomes a child of its ``process`` span.

    Args:
        provider: of spans; by default the global one.
        propagator: of context and baggage; by default the global one.

    Raises:
        MissingExtra: on import, if opentelemetry-api is not installed.
    """

    def __init__(
        self, provider: TracerProvider | None = None, propagator: TextMapPropagator | None = None
    ) -> None:
        self._propagator = propagator
        if not (provider is None or hasattr(provider, "get_tracer")):
            raise ConfigurationError("provider", f"cannot be a {type(provider).__name__}")
        self._tracer = trace.get_tracer("immersiverse.auth.events", __version__, provider)

    def sending(self, message: SerializedEvent) -> _Sending:
        """See `Tracer.sending`."""
        name, attributes = f"send {message.topic}", _of_message(message)
        span = self._tracer.start_span(name, kind=SpanKind.PRODUCER, attributes=attributes)
        return _Sending(span, self._propagator or propagate.get_global_textmap())

    def adding(self, message: SerializedEvent) -> Headers:
        """See `OutboxTracer.adding`."""
        attributes = _of_message(message, "create")
        span = self._tracer.start_span(
            f"create {message.topic}", kind=SpanKind.PRODUCER, attributes=attributes
        )
        span.end()
        return _Sending(span, self._propagator or propagate.get_global_textmap()).headers

    def relayed(self, message: RelayedMessage) -> None:
        """See `OutboxTracer.relayed`. What was added without a sampled trace gets no span."""
        propagator = self._propagator or propagate.get_global_textmap()
        parent = propagator.extract(tuple(message.headers), context.Context(), _HEADERS)
        if not trace.get_current_span(parent).get_span_context().trace_flags.sampled:
            return
        span = self._tracer.start_span(
            f"send {message.topic}",
            parent,
            SpanKind.CLIENT,  # not of the message's creation: consumers continue that
            _of_relayed(message),
            start_time=message.sent_at,
        )
        span.end()

    @contextmanager
    def handling(self, arrival: Arrival) -> Iterator[None]:
        """See `Tracer.handling`. What the handler raises is recorded and propagates."""
        propagator = self._propagator or propagate.get_global_textmap()
        arrived = propagator.extract(arrival.headers, context.Context(), _HEADERS)
        name, attributes = f"process {arrival.topic}", _of_arrival(arrival)
        before = context.attach(arrived)  # with its baggage, for what the handler does
        try:
            with self._tracer.start_as_current_span(
                name, kind=SpanKind.CONSUMER, attributes=attributes
            ) as span:
                try:
                    yield
                except BaseException as error:
                    span.set_attribute("error.type", type(error).__qualname__)
                    raise
        finally:
            context.detach(before)


class _Sending:
    """The span of one event that is being sent."""

    def __init__(self, span: Span, propagator: TextMapPropagator) -> None:
        self._span = span
        carried: dict[str, str] = {}
        propagator.inject(carried, trace.set_span_in_context(span))
        self.headers: Headers = tuple((name, value.encode()) for name, value in carried.items())

    def end(self, partition: int, offset: int, error: str) -> None:
        """See `Sending.end`."""
        if error:
            self._span.set_attribute("error.type", error)
            self._span.set_status(Status(StatusCode.ERROR, error))
        else:
            self._span.set_attribute("messaging.destination.partition.id", str(partition))
            self._span.set_attribute("messaging.kafka.offset", offset)
        self._span.end()


def _of_message(message: SerializedEvent, operation: str = "send") -> dict[str, Any]:
    headers = dict(message.headers)
    return {
        **_SYSTEM,
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
        "messaging.destination.name": message.topic,
        "messaging.message.id": headers.get("ce_id", b"").decode(),
        "messaging.message.body.size": len(message.value),
        "immersiverse.auth.event.type": headers.get("ce_type", b"").decode().rpartition(".")[2],
    }


def _of_relayed(message: RelayedMessage) -> dict[str, Any]:
    headers = dict(message.headers)
    return {
        **_SYSTEM,
        "messaging.operation.name": "send",
        "messaging.operation.type": "send",
        "messaging.destination.name": message.topic,
        "messaging.destination.partition.id": str(message.partition),
        "messaging.kafka.offset": message.offset,
        "messaging.message.id": headers.get("ce_id", b"").decode(),
        "messaging.message.body.size": message.size,
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
