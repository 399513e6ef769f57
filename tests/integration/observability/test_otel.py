"""One trace from publishing an event to handling it, through a real broker."""

from __future__ import annotations

import asyncio
import uuid

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from immersiverse.auth.events import (
    AuthEventDeserializer,
    LoggedOut,
    MemoryInbox,
    PinnedSchemas,
    PublishError,
)
from immersiverse.auth.events.kafka.config import Retry
from immersiverse.auth.events.kafka.consumer.options import Policy
from immersiverse.auth.events.kafka.consumer.subscriber import Subscriber
from immersiverse.auth.events.kafka.producer.async_publisher import AsyncPublisher
from immersiverse.auth.events.kafka.producer.publisher import Publisher
from immersiverse.auth.events.observability import OpenTelemetryTracer
from integration.running import ToTopic, eventually, logged_out, running


class Traces:
    """The tracer of one process, and the spans that it has exported."""

    def __init__(self):
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.tracer = OpenTelemetryTracer(self.provider)

    def spans(self, name=""):
        return [span for span in self._exporter.get_finished_spans() if span.name.startswith(name)]


@pytest.fixture
def traces():
    traces = Traces()
    yield traces
    traces.provider.shutdown()


@pytest.fixture
def subscriber(kafka, topic, traces):
    def make(**options):
        config = {"bootstrap.servers": kafka.bootstrap, "group.id": f"group-{uuid.uuid4()}"}
        deserializer = AuthEventDeserializer(PinnedSchemas(1))
        return Subscriber(config, [topic], deserializer=deserializer, tracer=traces.tracer, **options)

    return make


def is_sync(handle):
    return handle


def as_async(handle):
    async def handle_async(event, payload):
        await asyncio.sleep(0)
        handle(event, payload)

    return handle_async


WAYS = {
    "plain": (is_sync, {}),
    "in threads": (is_sync, {"policy": Policy(concurrency=4)}),
    "async": (as_async, {}),
    "async and guarded": (as_async, {"inbox": MemoryInbox()}),
}


@pytest.mark.parametrize("way", WAYS)
def test_publishing_handling_and_what_follows_are_one_trace(kafka, topic, traces, subscriber, way):
    as_handler, options = WAYS[way]
    inside = traces.provider.get_tracer("the handler's own")
    handling = subscriber(**options)
    handling.on(LoggedOut)(as_handler(lambda _event, _payload: inside.start_span("effect").end()))
    config = {"bootstrap.servers": kafka.bootstrap}
    sent = logged_out()
    with Publisher(config, serializer=ToTopic(topic), tracer=traces.tracer) as publisher:
        with inside.start_as_current_span("request"):
            delivery = publisher.send(sent)
        delivery.result(30)
    with running(handling):
        eventually(lambda: traces.spans("process"))
    (request,), (send,) = traces.spans("request"), traces.spans("send")
    (process,), (effect,) = traces.spans("process"), traces.spans("effect")
    assert [span.parent.span_id for span in (send, process, effect)] == [
        request.context.span_id, send.context.span_id, process.context.span_id,
    ]  # fmt: skip
    assert {span.context.trace_id for span in (send, process, effect)} == {request.context.trace_id}
    assert send.attributes["messaging.kafka.offset"] == process.attributes["messaging.kafka.offset"]
    assert send.attributes["messaging.message.id"] == sent.event_id


def test_each_attempt_of_a_handler_is_a_span_of_the_same_trace(kafka, topic, traces, subscriber):
    handling = subscriber(policy=Policy(retry=Retry(first=0.01)))
    attempts = []

    @handling.on(LoggedOut)
    def handle(_event, _payload):
        attempts.append(1)
        if len(attempts) < 3:
            raise OSError("the database is away")

    with Publisher(
        {"bootstrap.servers": kafka.bootstrap}, serializer=ToTopic(topic), tracer=traces.tracer
    ) as publisher:
        publisher.send(logged_out())
    with running(handling):
        eventually(lambda: len(traces.spans("process")) == 3)
    processes = traces.spans("process")
    assert [span.attributes["immersiverse.auth.event.attempt"] for span in processes] == [1, 2, 3]
    assert [span.status.status_code for span in processes] == [
        StatusCode.ERROR, StatusCode.ERROR, StatusCode.UNSET,
    ]  # fmt: skip
    assert len({span.context.trace_id for span in traces.spans()}) == 1


def test_an_async_publisher_begins_traces_too(kafka, topic, traces):
    async def publish():
        config = {"bootstrap.servers": kafka.bootstrap}
        async with AsyncPublisher(config, serializer=ToTopic(topic), tracer=traces.tracer) as publisher:
            await (await publisher.send(logged_out()))

    asyncio.run(publish())
    (send,) = traces.spans("send")
    assert send.attributes["messaging.kafka.offset"] == 0


def test_a_failed_event_ends_its_span_with_the_reason(kafka, traces):
    config = {"bootstrap.servers": kafka.bootstrap, "message.max.bytes": 1000}
    nowhere = ToTopic("a topic whose name no broker takes!")
    with Publisher(config, serializer=nowhere, tracer=traces.tracer) as publisher:
        delivery = publisher.send(logged_out())
        with pytest.raises(PublishError) as refused:
            delivery.result(60)
        with pytest.raises(PublishError, match="MSG_SIZE_TOO_LARGE"):
            publisher.send(logged_out("u" * 255))
    codes = [span.attributes["error.type"] for span in traces.spans("send")]
    assert codes == [refused.value.code, "MSG_SIZE_TOO_LARGE"]
