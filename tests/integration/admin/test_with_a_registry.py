"""Publishing and tailing with a real registry, in every format, and what a newer writer sent."""

from __future__ import annotations

import json
import uuid

import pytest
from confluent_kafka.schema_registry import Schema, SchemaReference, SchemaRegistryClient

from immersiverse.auth.events import Publisher, catalog
from immersiverse.auth.events.registry.contract import contract_schema
from immersiverse.auth.events.serialization.wire import frame_prefix
from integration.admin.cluster_tools import made, publish
from later_version import newer_event, newer_text

EVENT = (
    '{"eventType":"UserCreated","timestamp":"2025-07-01T09:00:00Z","payload":{"userId":"%s",'
    '"username":"alice","email":"alice@example.com","createdAt":"2025-07-01T09:00:00Z"},'
    '"eventId":"0197c2f6-0000-7000-8000-000000000001","version":3,"source":"/services/auth"}'
)
FAILED = (
    '{"eventType":"LoginFailed","timestamp":"2025-07-01T09:00:01Z","payload":{"userId":"%s",'
    '"ipAddress":"203.0.113.9","userAgent":"curl","failedAt":"2025-07-01T09:00:01Z",'
    '"reason":"LOGIN_FAILURE_REASON_INVALID_CREDENTIALS"},'
    '"eventId":"0197c2f6-0000-7000-8000-000000000002","version":4,"source":"/services/auth"}'
)


@pytest.fixture
def registered(kafka, apicurio, auth_events):
    """The registry, which knows the contract; the contract's topics exist."""
    made(kafka.bootstrap, catalog.TOPICS)
    assert auth_events("schema", "register", "--registry", apicurio).code == 0
    return apicurio


@pytest.fixture
def newer_frame(registered):
    """Frames an event of a later version of the contract, which the registry knows."""
    with SchemaRegistryClient({"url": registered}) as client:
        ((path, options),) = contract_schema("PROTOBUF").references
        version = client.lookup_schema(path, Schema(options.text, "PROTOBUF")).version
        reference = SchemaReference(path, path, version)
        schema = Schema(newer_text(), "PROTOBUF", [reference])
        number = client.register_schema(f"{uuid.uuid4()}-value", schema)
    return frame_prefix(number) + newer_event(user_id="user-7").SerializeToString()


@pytest.mark.parametrize("name", ["protobuf", "avro", "json"])
def test_what_is_published_with_a_registry_is_shown_as_it_was(auth_events, registered, name):
    user = f"user-{uuid.uuid4()}"
    asked = ("--registry", registered)
    done = auth_events(
        "publish", *asked, "--format", name, "--json", stdin=f"{EVENT}\n{FAILED}" % (user, user)
    )
    assert (done.code, done.document["published"]) == (0, 2)

    shown = auth_events("tail", "--no-follow", "--user", user, *asked)
    assert sorted(shown.lines, key=str) == sorted(map(json.loads, (EVENT % user, FAILED % user)), key=str)
    redacted = auth_events("tail", "--no-follow", "--user", user, *asked, "--redact", "network")
    assert len(redacted.lines) == 2
    assert not {"alice", "203.0.113.9", "curl"} & set(redacted.out.replace('"', " ").split())
    assert user in redacted.out


def test_a_newer_event_is_shown_by_its_writers_schema_and_withheld_as_a_whole(
    auth_events, kafka, topic, registered, newer_frame
):
    publish(kafka.bootstrap, topic, [newer_frame], key=b"user-7")
    asked = ("tail", "--no-follow", "--topic", topic)
    (known,) = auth_events(*asked, "--registry", registered).lines
    assert (known["eventType"], known["unknown"]) == ("NotYetInvented", True)
    assert known["payload"]["userId"] == "user-7"
    (alone,) = auth_events(*asked).lines
    assert alone["unknown"] is True
    assert alone["payloadBase64"]
    (withheld,) = auth_events(*asked, "--registry", registered, "--redact", "pseudonym", "--headers").lines
    assert withheld["event"]["payload"] == "[withheld]"
    assert "user-7" not in json.dumps(withheld)


def test_what_cannot_be_read_is_named_and_counted_between_what_can(auth_events, kafka, topic, registered):
    values = [
        (EVENT % "user-1").encode(),
        b"",
        b"rubbish",
        b"\x00\x00\x00",
        frame_prefix(999_999) + b"\x0a\x00",
        b'{"eventType":"UserCreated"}',
        (FAILED % "user-1").encode(),
    ]
    publish(kafka.bootstrap, topic, values, partition=0, key=b"user-1")
    result = auth_events("tail", "--no-follow", "--topic", topic, "--registry", registered)
    assert [event["eventType"] for event in result.lines] == ["UserCreated", "LoginFailed"]
    *named, summary = result.err.splitlines()
    assert [line.partition(":")[0] for line in named] == [f"{topic}-0-{offset}" for offset in range(1, 6)]
    assert (result.code, summary) == (1, "messages that cannot be decoded: 5")


def test_a_registry_that_is_away_ends_publishing_before_anything_is_sent(auth_events, kafka, monkeypatch):
    monkeypatch.setitem(Publisher.__init__.__kwdefaults__, "registry_timeout", 1.0)  # not 30 seconds
    made(kafka.bootstrap, catalog.TOPICS)
    result = auth_events("publish", "--registry", "http://127.0.0.1:1", "--json", stdin=EVENT % "user-1")
    assert (result.code, result.document["published"]) == (3, 0)
    assert "registry cannot be reached" in result.err
