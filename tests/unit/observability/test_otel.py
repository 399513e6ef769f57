"""Spans of single events, without a broker."""

from __future__ import annotations

import pytest
from opentelemetry import baggage, context, propagate, trace
from opentelemetry.propagators.textmap import TextMapPropagator, default_getter, default_setter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import SpanKind, StatusCode

from immersiverse.auth.events.observability import OpenTelemetryTracer
from immersiverse.auth.events.observability.tracing import Arrival
from immersiverse.auth.events.serialization.serializer import SerializedEvent

LOGIN = "auth.events.login"
USER = b"user-whose-id-is-private"
MESSAGE = SerializedEvent(
    LOGIN,
    USER,
    b"12345",
    (("ce_id", b"0190"), ("ce_type", b"immersiverse.auth.events.v1.LoginFailed"), ("ce_subject", USER)),
    "LoginFailed",
)


@pytest.fixture
def exporter():
    return InMemorySpanExporter()


@pytest.fixture
def provider(exporter):
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield provider
    provider.shutdown()


@pytest.fixture
def tracer(provider):
    return OpenTelemetryTracer(provider)


def arrival(*headers, attempt=1):
    return Arrival(
        topic=LOGIN,
        partition=2,
        offset=41,
        size=5,
        headers=headers,
        event_id="0190",
        event_type="LoginFailed",
        group="analytics",
        attempt=attempt,
    )


def test_sending_is_a_span_from_publish_to_acknowledgement(tracer, exporter):
    sending = tracer.sending(MESSAGE)
    assert exporter.get_finished_spans() == ()
    sending.end(2, 41, "")
    (span,) = exporter.get_finished_spans()
    assert (span.name, span.kind, span.status.status_code) == (
        "send auth.events.login",
        SpanKind.PRODUCER,
        StatusCode.UNSET,
    )
    assert dict(span.attributes) == {
        "messaging.system": "kafka",
        "messaging.operation.name": "send",
        "messaging.operation.type": "send",
        "messaging.destination.name": LOGIN,
        "messaging.destination.partition.id": "2",
        "messaging.kafka.offset": 41,
        "messaging.message.id": "0190",
        "messaging.message.body.size": 5,
        "immersiverse.auth.event.type": "LoginFailed",
    }


def test_a_failed_delivery_is_a_failed_span(tracer, exporter):
    tracer.sending(MESSAGE).end(-1, -1, "_MSG_TIMED_OUT")
    (span,) = exporter.get_finished_spans()
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes["error.type"] == "_MSG_TIMED_OUT"
    assert "messaging.kafka.offset" not in span.attributes


def test_handling_continues_the_trace_that_the_headers_carry(tracer, exporter):
    sending = tracer.sending(MESSAGE)
    with tracer.handling(arrival(*MESSAGE.headers, *sending.headers)):
        pass
    sending.end(2, 41, "")
    process, send = exporter.get_finished_spans()
    assert (process.name, process.kind) == ("process auth.events.login", SpanKind.CONSUMER)
    assert process.context.trace_id == send.context.trace_id
    assert process.parent.span_id == send.context.span_id
    assert dict(process.attributes) == {
        "messaging.system": "kafka",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": LOGIN,
        "messaging.destination.partition.id": "2",
        "messaging.kafka.offset": 41,
        "messaging.consumer.group.name": "analytics",
        "messaging.message.id": "0190",
        "messaging.message.body.size": 5,
        "immersiverse.auth.event.type": "LoginFailed",
        "immersiverse.auth.event.attempt": 1,
    }


def test_what_a_handler_publishes_belongs_to_its_span(tracer, exporter):
    with tracer.handling(arrival()):
        tracer.sending(MESSAGE).end(0, 0, "")
    send, process = exporter.get_finished_spans()
    assert send.parent.span_id == process.context.span_id


def test_a_handlers_error_is_recorded_and_propagates(tracer, exporter):
    with pytest.raises(OSError, match="away"), tracer.handling(arrival(attempt=3)):
        raise OSError("the database is away")
    (span,) = exporter.get_finished_spans()
    assert (span.status.status_code, span.attributes["error.type"]) == (StatusCode.ERROR, "OSError")
    assert span.attributes["immersiverse.auth.event.attempt"] == 3
    assert [event.name for event in span.events] == ["exception"]


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (("traceparent", None),),
        (("traceparent", b"\xff\xfe"),),
        (("traceparent", b"00-0-0-00"),),
        (("tracestate", b"a=b"),),
    ],
)
def test_headers_that_carry_no_trace_begin_one(tracer, exporter, headers):
    with tracer.handling(arrival(*headers)):
        pass
    (span,) = exporter.get_finished_spans()
    assert span.parent is None


def test_trace_state_travels_too(tracer):
    trace = ("traceparent", b"00-" + b"5" * 32 + b"-" + b"6" * 16 + b"-01")
    with tracer.handling(arrival(trace, ("tracestate", b"vendor=1"))):
        sending = tracer.sending(MESSAGE)
        sending.end(0, 0, "")
    assert dict(sending.headers)["tracestate"] == b"vendor=1"
    assert dict(sending.headers)["traceparent"].startswith(b"00-" + b"5" * 32)


def test_the_first_of_several_trace_headers_is_used(tracer, exporter):
    first, second = (b"00-" + digit * 32 + b"-" + digit * 16 + b"-01" for digit in (b"1", b"2"))
    with tracer.handling(arrival(("traceparent", first), ("traceparent", second))):
        pass
    (span,) = exporter.get_finished_spans()
    assert f"{span.context.trace_id:x}" == "1" * 32


def test_no_attribute_identifies_the_user(tracer, exporter):
    sending = tracer.sending(MESSAGE)
    with tracer.handling(arrival(*MESSAGE.headers)):
        sending.end(0, 0, "")
    for span in exporter.get_finished_spans():
        assert USER.decode() not in span.to_json()


def test_a_trace_that_is_not_sampled_still_travels():
    provider = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False)
    sending = OpenTelemetryTracer(provider).sending(MESSAGE)
    flags = int(dict(sending.headers)["traceparent"].rpartition(b"-")[2], 16)
    assert not flags & 1
    sending.end(0, 0, "")
    provider.shutdown()


def test_baggage_travels_to_the_handler_and_to_what_it_publishes(tracer):
    before = context.attach(baggage.set_baggage("tenant", "blue"))
    try:
        sending = tracer.sending(MESSAGE)
    finally:
        context.detach(before)
    assert dict(sending.headers)["baggage"] == b"tenant=blue"
    with tracer.handling(arrival(*sending.headers)):
        assert baggage.get_baggage("tenant") == "blue"
        assert dict(tracer.sending(MESSAGE).headers)["baggage"] == b"tenant=blue"
    assert baggage.get_baggage("tenant") is None


def test_the_baggage_of_the_consumer_is_not_the_events(tracer):
    before = context.attach(baggage.set_baggage("tenant", "consumer"))
    try:
        with tracer.handling(arrival()):
            assert baggage.get_baggage("tenant") is None
        assert baggage.get_baggage("tenant") == "consumer"
    finally:
        context.detach(before)


class _OneHeader(TextMapPropagator):
    """Carries the trace in a header of its own, as B3 and others do."""

    fields = frozenset({"x-trace"})

    def inject(self, carrier, context=None, setter=default_setter):
        """Write the trace."""
        found = trace.get_current_span(context).get_span_context()
        setter.set(carrier, "x-trace", f"{found.trace_id:x}-{found.span_id:x}")

    def extract(self, carrier, context=None, getter=default_getter):
        """Read the trace."""
        trace_id, span_id = (int(part, 16) for part in getter.get(carrier, "x-trace")[0].split("-"))
        remote = trace.SpanContext(trace_id, span_id, is_remote=True, trace_flags=trace.TraceFlags(1))
        return trace.set_span_in_context(trace.NonRecordingSpan(remote), context)


def test_other_propagators_carry_the_trace_in_headers_of_theirs(provider, exporter):
    tracer = OpenTelemetryTracer(provider, _OneHeader())
    sending = tracer.sending(MESSAGE)
    assert [name for name, _ in sending.headers] == ["x-trace"]
    with tracer.handling(arrival(*sending.headers)):
        pass
    sending.end(2, 41, "")
    process, send = exporter.get_finished_spans()
    assert process.parent.span_id == send.context.span_id


def test_the_configured_propagators_are_used(provider):
    before = propagate.get_global_textmap()
    propagate.set_global_textmap(_OneHeader())
    try:
        assert [name for name, _ in OpenTelemetryTracer(provider).sending(MESSAGE).headers] == ["x-trace"]
    finally:
        propagate.set_global_textmap(before)
