"""Services of the first release and of today, side by side on a real broker and registry, lose nothing."""

from __future__ import annotations

import base64
import json
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient, NewTopic
from confluent_kafka.schema_registry import Schema, SchemaReference
from google.protobuf import json_format
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from golden.corpus import later, released_code
from golden.corpus.cases import cases
from golden.corpus.expectation import EarlierVersion
from golden.corpus.release import releases
from immersiverse.auth.events import (
    AuthEventDeserializer,
    AuthEventSerializer,
    SchemaRegistry,
    UnknownEvent,
)
from immersiverse.auth.events.catalog import OPTIONS_FILE
from immersiverse.auth.events.errors import IncompatibleSchema
from immersiverse.auth.events.registry.contract import contract_schema
from immersiverse.auth.events.schema_checks.dry_run import dry_run
from immersiverse.auth.events.serialization.wire import frame_prefix
from immersiverse.auth.events.v1.events_pb2 import AuthEvent

SERVICE = Path(released_code.__file__).with_name("released_service.py")
FORMATS = ("protobuf", "json", "avro")
TYPES = {"protobuf": "PROTOBUF", "avro": "AVRO"}


@dataclass(frozen=True)
class Old:
    """The first release: its code, and its contract."""

    code: released_code.ReleasedCode
    descriptors: FileDescriptorSet


@pytest.fixture(scope="session")
def old():
    """The first recorded release."""
    first = releases()[0]
    return Old(released_code.installed(first.wheel), first.descriptors)


@pytest.fixture
def registry(apicurio):
    with SchemaRegistry(apicurio, strategies={"AVRO": "topic-record"}) as registry:
        yield registry


@pytest.fixture
def service(old, kafka, apicurio, topic):
    """A service of the first release at work on the test's topic; what it said, a line each."""

    def run(do, **task):
        asked = {"do": do, "bootstrap": kafka.bootstrap, "registry": apicurio, "topic": topic, **task}
        return [json.loads(line) for line in old.code.run(SERVICE, stdin=json.dumps(asked)).splitlines()]

    return run


@pytest.fixture
def another_topic(kafka):
    """Make more topics; they are gone after the test."""
    admin, made = AdminClient({"bootstrap.servers": kafka.bootstrap}), []

    def make():
        name = f"test-{uuid.uuid4()}"
        admin.create_topics([NewTopic(name, num_partitions=1)])[name].result(timeout=30)
        made.append(name)
        return name

    yield make
    for future in admin.delete_topics(made).values() if made else ():
        future.result(timeout=30)


@pytest.fixture
def publish(kafka):
    """Put values into the first partition of a topic, where they stay in order."""

    def run(topic, values):
        producer = Producer({"bootstrap.servers": kafka.bootstrap})
        for key, value in values:
            producer.produce(topic, value, key, partition=0)
        assert producer.flush(30) == 0

    return run


@pytest.fixture
def values_in(kafka):
    """The values in a topic, as many as are expected."""

    def read(topic, count):
        consumer = Consumer(
            {
                "bootstrap.servers": kafka.bootstrap,
                "group.id": f"test-{uuid.uuid4()}",
                "auto.offset.reset": "earliest",
            }
        )
        consumer.subscribe([topic])
        found, until = [], time.monotonic() + 60
        while len(found) < count and time.monotonic() < until:
            found += consumer.consume(500, timeout=1)
        consumer.close()
        assert [message.error() for message in found] == [None] * count
        return [message.value() for message in found]

    return read


@pytest.fixture(params=["text", "descriptor"])
def form(request):
    """In which form today and tomorrow register their contract."""
    return request.param


@pytest.fixture
def mixed(form, old, publish, registry, service, topic):  # noqa: PLR0913, PLR0917 - fixtures
    """A topic that the first release, today and tomorrow wrote to, each registered in turn.

    What the first release does not know comes first, so that it has been through it when it knows the rest.
    """
    a_meaning = json_format.MessageToDict(last_case().event)
    service("publish", format="protobuf", events=[a_meaning])
    registry.register(topic, form=form)
    eyes = EarlierVersion(old.descriptors)
    today = sorted(
        (case.event for case in cases()), key=lambda event: eyes.sees(event, "protobuf") is not None
    )
    serialize = AuthEventSerializer(registry).serialize
    messages = [serialize(event, topic=topic) for event in today]
    tomorrows = later.later_text()
    if form == "descriptor":
        tomorrows = base64.b64encode(later.later_contract().SerializeToString()).decode()
    prefix = frame_prefix(register_text(registry, topic, tomorrows))
    known, unknown = later.later_events(today[-1])
    known.event_id = str(uuid.uuid4())
    tomorrow = [(b"user", prefix + event.SerializeToString()) for event in (unknown, known)]
    publish(topic, [*tomorrow, *((message.key, message.value) for message in messages)])
    return {event.event_id: event for event in today}, known, unknown


def register_text(registry, topic, text):
    """Register another contract under a topic; the id of its frames."""
    options = registry.registered(OPTIONS_FILE.name)
    references = [SchemaReference(options.subject, options.subject, options.version)]
    return registry.client.register_schema(f"{topic}-value", Schema(text, "PROTOBUF", references))


def last_case():
    """A case of an event that the first release knows."""
    return [case for case in cases() if case.event_type == "BlacklistAdded"][-1]


def consuming(count, unknown, forward, dead_letters="none"):
    """What a service of the first release consumes."""
    group = f"test-{uuid.uuid4()}"
    return {
        "group": group,
        "count": count,
        "unknown": unknown,
        "forward": forward,
        "dead_letters": dead_letters,
    }


def test_an_old_consumer_goes_on_and_hands_on_what_it_does_not_know(
    old, service, mixed, another_topic, values_in
):
    today, known, unknown = mixed
    eyes, forward = EarlierVersion(old.descriptors), another_topic()
    seen = {event_id: eyes.sees(event, "protobuf") for event_id, event in today.items()}
    expected = {event_id: event for event_id, event in seen.items() if event is not None}
    every = len(today) + 2 + 1  # tomorrow's two, and what the first release wrote itself
    said = service("consume", **consuming(every, "hand over", forward))

    events = {line["id"]: line["event"] for line in said if "event" in line}
    assert {event_id: events[event_id] for event_id in expected} == expected
    strangers = {line["id"]: line for line in said if "unknown" in line}
    assert strangers.keys() == (today.keys() - expected.keys()) | {unknown.event_id}
    assert strangers[unknown.event_id]["unknown"] == later.EVENT
    assert strangers[unknown.event_id]["read"] == {"userId": "user-1", "sinceTomorrow": "new"}

    start = len(frame_prefix(0))
    handed_on = [value[start:] for value in values_in(forward, len(events) + 1)]
    read = {event.event_id: event for event in map(type(known).FromString, handed_on)}
    assert read[known.event_id] == known  # its new field, too
    for event_id in expected:
        assert AuthEvent.FromString(read[event_id].SerializeToString()) == today[event_id]


def test_an_old_consumer_skips_what_it_does_not_know_if_configured_to(old, service, mixed, another_topic):
    today, known, _ = mixed
    eyes = EarlierVersion(old.descriptors)
    expected = {event_id for event_id, event in today.items() if eyes.sees(event, "protobuf") is not None}
    said = service("consume", **consuming(len(expected) + 2, "skip", another_topic()))
    assert {line["id"] for line in said} == expected | {known.event_id}


def test_an_old_consumer_dead_letters_what_it_does_not_know_if_configured_to(
    old, service, mixed, another_topic, values_in
):
    today, _, unknown = mixed
    eyes, dead_letters = EarlierVersion(old.descriptors), another_topic()
    strange = [event for event in today.values() if eyes.sees(event, "protobuf") is None]
    known = len(today) - len(strange) + 2
    service("consume", **consuming(known, "dead-letter", another_topic(), dead_letters))
    start = len(frame_prefix(0))
    found = [value[start:] for value in values_in(dead_letters, len(strange) + 1)]
    assert unknown.SerializeToString() in found


def test_todays_consumer_reads_what_tomorrow_writes(registry, mixed, topic, values_in):
    today, known, unknown = mixed
    decoded = list(map(AuthEventDeserializer(registry).deserialize, values_in(topic, len(today) + 3)))
    (stranger,) = [event for event in decoded if isinstance(event, UnknownEvent)]
    assert stranger.event_type == later.EVENT
    assert stranger.envelope.event_id == unknown.event_id
    assert stranger.read() == {"userId": "user-1", "sinceTomorrow": "new"}
    read = {event.event_id: event for event in decoded if isinstance(event, AuthEvent)}
    assert read.keys() >= today.keys() | {known.event_id}
    assert read[known.event_id].SerializeToString() == known.SerializeToString()


@pytest.mark.parametrize("format_name", FORMATS)
def test_todays_consumer_reads_all_that_an_old_producer_writes(
    registry, service, topic, values_in, format_name
):
    recorded = releases()
    meanings = (
        [case.forms.meaning for case in recorded[0].cases()]
        if recorded
        else [json_format.MessageToDict(case.event) for case in cases()]
    )
    service("publish", format=format_name, events=meanings)
    read = map(AuthEventDeserializer(registry).deserialize, values_in(topic, len(meanings)))
    meant = [json_format.ParseDict(meaning, AuthEvent()) for meaning in meanings]
    assert {event.event_id: event for event in read} == {event.event_id: event for event in meant}


@pytest.mark.parametrize("format_name", ["protobuf", "avro"])
def test_the_registry_takes_todays_contract_after_an_old_one_and_the_old_one_still_finds_its_id(
    registry, service, topic, format_name
):
    meaning = json_format.MessageToDict(last_case().event)
    service("publish", format=format_name, events=[meaning])
    foreseen = dry_run(registry, [topic], (TYPES[format_name],), "text")
    assert all(row.compatible for row in foreseen)
    before = registry.registered(registry.subject(topic, TYPES[format_name]))
    after = registry.register(topic, TYPES[format_name])
    expected = {row.subject: row.version for row in foreseen}
    assert after.version == expected[after.subject]
    assert before.version == 1
    assert service("publish", format=format_name, events=[meaning])


@pytest.mark.parametrize(("before", "taken"), [("", True), ("string erasure_required = 4;", False)])
def test_a_dry_run_says_what_the_registry_then_does(apicurio, registry, topic, before, taken):
    registry.register(f"{topic}-first")  # so that the options are there to be referred to
    text = contract_schema("PROTOBUF").text
    earlier = text.replace("bool erasure_required = 4;", before)
    assert earlier != text
    register_text(registry, topic, earlier)
    with SchemaRegistry(apicurio) as fresh:
        rows = {row.subject: row for row in dry_run(fresh, [topic], ("PROTOBUF",), "text")}
        row = rows[f"{topic}-value"]
        assert (row.action, row.version, row.compatible) == ("add", 2, taken)
        if taken:
            assert fresh.register(topic).version == 2
        else:
            with pytest.raises(IncompatibleSchema):
                fresh.register(topic)
