"""The messages of the specification are read, and written exactly as it has them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from immersiverse.auth.events import catalog
from immersiverse.auth.events.events import partition_key
from immersiverse.auth.events.serialization.deserializer import AuthEventDeserializer
from immersiverse.auth.events.v1 import events_pb2 as v1
from serialization_samples import minimal_json

JUNE = Timestamp(seconds=1_748_772_930)
JULY = Timestamp(seconds=1_751_360_400)

# Sections 3 and 10 give these in full; section 3.2 gives topics and the names of the payloads' fields.
SECTION_3 = {
    "eventType": "UserCreated",
    "timestamp": "2025-06-01T10:15:30Z",
    "payload": {
        "userId": "uuid-1234",
        "username": "newuser",
        "email": "user@example.com",
        "createdAt": "2025-06-01T10:15:30Z",
    },
}
SECTION_10 = {
    "eventType": "UserCreated",
    "timestamp": "2025-07-01T09:00:00Z",
    "payload": {
        "userId": "uuid-1234",
        "username": "alice",
        "email": "alice@example.com",
        "createdAt": "2025-07-01T09:00:00Z",
    },
}
LOGIN_SUCCEEDED = {
    "eventType": "LoginSucceeded",
    "timestamp": "2025-06-01T10:15:30Z",
    "payload": {
        "userId": "uuid-1234",
        "ipAddress": "203.0.113.7",
        "userAgent": "Browser/1.0",
        "loginTime": "2025-06-01T10:15:30Z",
    },
}
PLATFORM_CONNECTED = {
    "eventType": "PlatformConnected",
    "timestamp": "2025-06-01T10:15:30Z",
    "payload": {
        "userId": "uuid-1234",
        "platform": "steam",
        "platformUserId": "76561197960287930",
        "connectedAt": "2025-06-01T10:15:30Z",
    },
}
SAMPLES = [
    (
        SECTION_3,
        v1.AuthEvent(
            timestamp=JUNE,
            user_created=v1.UserCreated(
                user_id="uuid-1234", username="newuser", email="user@example.com", created_at=JUNE
            ),
        ),
        "auth.events.user",
    ),
    (
        SECTION_10,
        v1.AuthEvent(
            timestamp=JULY,
            user_created=v1.UserCreated(
                user_id="uuid-1234", username="alice", email="alice@example.com", created_at=JULY
            ),
        ),
        "auth.events.user",
    ),
    (
        LOGIN_SUCCEEDED,
        v1.AuthEvent(
            timestamp=JUNE,
            login_succeeded=v1.LoginSucceeded(
                user_id="uuid-1234", ip_address="203.0.113.7", user_agent="Browser/1.0", login_time=JUNE
            ),
        ),
        "auth.events.login",
    ),
    (
        PLATFORM_CONNECTED,
        v1.AuthEvent(
            timestamp=JUNE,
            platform_connected=v1.PlatformConnected(
                user_id="uuid-1234",
                platform="steam",
                platform_user_id="76561197960287930",
                connected_at=JUNE,
            ),
        ),
        "auth.events.platform",
    ),
]


@pytest.mark.parametrize(("document", "event", "topic"), SAMPLES)
def test_a_message_of_the_specification_is_read(document: Any, event: v1.AuthEvent, topic: str) -> None:
    read = AuthEventDeserializer()(json.dumps(document, indent=2).encode())
    assert isinstance(read, v1.AuthEvent)
    assert read.event_id  # made of the message, which has none
    read.ClearField("event_id")
    assert read == event
    assert catalog.EVENT_TYPES[document["eventType"]].topic == topic
    assert partition_key(read) == "uuid-1234"  # section 4: the user's id


@pytest.mark.parametrize(("document", "event", "topic"), SAMPLES)
def test_the_minimal_form_is_exactly_the_specifications(
    document: Any, event: v1.AuthEvent, topic: str
) -> None:
    written = json.loads(minimal_json(event))
    assert written == document
    assert list(written) == list(document)
    assert topic in catalog.TOPICS


def test_the_topics_are_the_specifications() -> None:
    assert catalog.TOPICS == (
        "auth.events.user",
        "auth.events.login",
        "auth.events.platform",
        "auth.events.security",
    )
    assert catalog.DEAD_LETTER_TOPIC == "auth.events.dlq"


def test_a_redelivered_minimal_message_is_recognised() -> None:
    value = json.dumps(SECTION_10).encode()
    read = AuthEventDeserializer().deserialize
    first, again, other = read(value, key=b"uuid-1234"), read(value, key=b"uuid-1234"), read(value, key=b"x")
    assert first == again
    assert first.event_id != other.event_id


def test_a_structured_mode_cloudevent_is_read() -> None:
    cloud = {
        "specversion": "1.0",
        "id": "0197c5a1-3f5e-7b21-9d04-6a1e8c2f7b90",
        "source": "/services/auth",
        "type": "immersiverse.auth.events.v1.UserCreated",
        "time": SECTION_3["timestamp"],
        "datacontenttype": "application/json",
        "data": SECTION_3["payload"],
    }
    expected = v1.AuthEvent(event_id=cloud["id"], source=cloud["source"])
    expected.MergeFrom(SAMPLES[0][1])
    assert AuthEventDeserializer()(json.dumps(cloud).encode()) == expected
    assert AuthEventDeserializer()(json.dumps({**cloud, "type": "UserCreated"}).encode()) == expected
