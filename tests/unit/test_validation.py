"""Every rule of the contract, and how its breach is reported."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from immersiverse.auth.events import InvalidEvent, catalog
from immersiverse.auth.events.v1 import events_pb2 as v1
from immersiverse.auth.events.validation import validate

NOW = Timestamp(seconds=1)
VALID: dict[type[Message], dict[str, Any]] = {
    v1.UserCreated: {"user_id": "u", "username": "a", "created_at": NOW},
    v1.UserUpdated: {"user_id": "u", "changed_fields": FieldMask(paths=["email"]), "updated_at": NOW},
    v1.LoginSucceeded: {"user_id": "u", "login_time": NOW},
    v1.LoginFailed: {"failed_at": NOW, "reason": 1},
    v1.PlatformConnected: {"user_id": "u", "platform": "steam", "platform_user_id": "1", "connected_at": NOW},
    v1.SuspiciousLogin: {"user_id": "u", "detected_at": NOW, "signals": [1]},
    v1.BruteForceDetected: {"scope": 1, "attempts": 5, "window": Duration(seconds=60), "detected_at": NOW},
    v1.BlacklistAdded: {"subject_kind": 1, "subject": "s", "added_at": NOW},
}


def of(payload: type[Message], **changes: Any) -> Message:
    """A payload that keeps all rules, but for the changes."""
    return payload(**{**VALID[payload], **changes})


@pytest.mark.parametrize("payload", VALID, ids=lambda payload: payload.DESCRIPTOR.name)
def test_what_keeps_all_rules_is_valid(payload: type[Message]) -> None:
    validate(of(payload))


KEPT = [
    (v1.UserCreated, {"user_id": "u" * 255, "email": "a@b", "platform": "x"}),
    (v1.UserCreated, {"username": "é" * 255}),  # characters, not bytes
    (v1.UserCreated, {"created_at": Timestamp()}),  # set, though to zero
    (v1.UserCreated, {"created_at": Timestamp(seconds=253_402_300_799, nanos=999_999_999)}),
    (v1.UserCreated, {"created_at": Timestamp(seconds=-62_135_596_800)}),
    (v1.UserUpdated, {"changed_fields": FieldMask(paths=["username", "email", "email_verified", "locale"])}),
    (v1.LoginSucceeded, {"ip_address": "203.0.113.7", "additional_factors": [1] * 8}),
    (v1.LoginSucceeded, {"ip_address": "2001:db8::1"}),
    (v1.LoginSucceeded, {"ip_address": "::ffff:203.0.113.7"}),
    (v1.LoginFailed, {"attempted_identifier_hash": "00ff"}),
    (v1.LoginFailed, {"reason": 99}),  # a later version's
    (v1.SuspiciousLogin, {"risk_score": 1.0, "login_event_id": "01972b2c-9a3b-7c4d-8e5f-0123456789ab"}),
    (v1.BruteForceDetected, {"window": Duration(seconds=-1, nanos=-1)}),
    (v1.BlacklistAdded, {"expires_at": Timestamp(seconds=5)}),
    (v1.PlatformConnected, {"scopes": [""] * 64}),
]
BROKEN = [
    (v1.UserCreated, {"user_id": ""}, "user_id", "is required"),
    (v1.UserCreated, {"created_at": None}, "created_at", "is required"),
    (v1.UserCreated, {"user_id": "u" * 256}, "user_id", "is longer than 255: 256"),
    (v1.UserCreated, {"email": "ada"}, "email", "is not an e-mail address"),
    (v1.UserCreated, {"email": "a@b@c"}, "email", "is not an e-mail address"),
    (v1.UserCreated, {"email": "a b@c"}, "email", "is not an e-mail address"),
    (v1.UserCreated, {"email": "a@b\n"}, "email", "is not an e-mail address"),
    (v1.UserCreated, {"platform": "Steam"}, "platform", "is not a lower-case name"),
    (v1.UserCreated, {"platform": "1up"}, "platform", "is not a lower-case name"),
    (v1.UserCreated, {"platform": "a b"}, "platform", "is not a lower-case name"),
    (
        v1.UserCreated,
        {"created_at": Timestamp(seconds=253_402_300_800)},
        "created_at",
        "is outside the years",
    ),
    (
        v1.UserCreated,
        {"created_at": Timestamp(seconds=-62_135_596_801)},
        "created_at",
        "is outside the years",
    ),
    (v1.UserCreated, {"created_at": Timestamp(nanos=1_000_000_000)}, "created_at", "nanos"),
    (v1.UserCreated, {"created_at": Timestamp(nanos=-1)}, "created_at", "nanos"),
    (v1.UserCreated, {"created_at": Timestamp(seconds=1_764_000_000_000)}, "created_at", "milliseconds"),
    (v1.UserUpdated, {"changed_fields": FieldMask()}, "changed_fields", "names no field"),
    (
        v1.UserUpdated,
        {"changed_fields": FieldMask(paths=["emailVerified"])},
        "changed_fields",
        "path 1 is not a field",
    ),
    (
        v1.UserUpdated,
        {"changed_fields": FieldMask(paths=["email", "nosuch"])},
        "changed_fields",
        "path 2 is not",
    ),
    (
        v1.UserUpdated,
        {"changed_fields": FieldMask(paths=["email.domain"])},
        "changed_fields",
        "not a field of U",
    ),
    (
        v1.UserUpdated,
        {"changed_fields": FieldMask(paths=["user_updated.email"])},
        "changed_fields",
        "not a field",
    ),
    (v1.UserUpdated, {"changed_fields": FieldMask(paths=["*"])}, "changed_fields", "not a field"),
    (v1.UserUpdated, {"changed_fields": FieldMask(paths=[""])}, "changed_fields", "not a field"),
    (v1.UserUpdated, {"changed_fields": FieldMask(paths=["email,status"])}, "changed_fields", "not a field"),
    (v1.UserUpdated, {"changed_fields": None}, "changed_fields", "is required"),
    (v1.LoginSucceeded, {"ip_address": "203.0.113"}, "ip_address", "is not an IP address"),
    (v1.LoginSucceeded, {"ip_address": "203.0.113.7/32"}, "ip_address", "is not an IP address"),
    (v1.LoginSucceeded, {"ip_address": "203.0.113.007"}, "ip_address", "is not an IP address"),
    (v1.LoginSucceeded, {"ip_address": "fe80::1%eth0"}, "ip_address", "is not an IP address"),
    (v1.LoginSucceeded, {"ip_address": "localhost"}, "ip_address", "is not an IP address"),
    (v1.LoginSucceeded, {"ip_address": "::1\0"}, "ip_address", "is not an IP address"),
    (v1.LoginSucceeded, {"additional_factors": [1] * 9}, "additional_factors", "is longer than 8: 9"),
    (v1.LoginFailed, {"reason": 0}, "reason", "is required"),
    (v1.LoginFailed, {"attempted_identifier_hash": "00F0"}, "attempted_identifier_hash", "hexadecimal"),
    (v1.LoginFailed, {"attempted_identifier_hash": "0"}, "attempted_identifier_hash", "hexadecimal"),
    (v1.SuspiciousLogin, {"signals": []}, "signals", "is required"),
    (v1.SuspiciousLogin, {"risk_score": 1.5}, "risk_score", "is above 1"),
    (v1.SuspiciousLogin, {"risk_score": -0.1}, "risk_score", "is below 0"),
    (v1.SuspiciousLogin, {"risk_score": float("nan")}, "risk_score", "is below 0"),
    (v1.SuspiciousLogin, {"login_event_id": "0"}, "login_event_id", "is not a UUID in lower case"),
    (v1.BruteForceDetected, {"attempts": 0}, "attempts", "is required"),
    (v1.BruteForceDetected, {"window": None}, "window", "is required"),
    (v1.BruteForceDetected, {"window": Duration(seconds=1, nanos=-1)}, "window", "is not a duration"),
    (v1.BruteForceDetected, {"window": Duration(seconds=315_576_000_001)}, "window", "is not a duration"),
    (v1.BlacklistAdded, {"expires_at": Timestamp(seconds=1 << 40)}, "expires_at", "is outside the years"),
    (v1.PlatformConnected, {"scopes": [""] * 65}, "scopes", "is longer than 64: 65"),
]


@pytest.mark.parametrize(("payload", "changes"), KEPT)
def test_what_is_just_within_the_rules_is_valid(payload: type[Message], changes: dict[str, Any]) -> None:
    validate(of(payload, **changes))


@pytest.mark.parametrize(("payload", "changes", "field", "rule"), BROKEN)
def test_a_broken_rule_is_reported_with_its_field(
    payload: type[Message], changes: dict[str, Any], field: str, rule: str
) -> None:
    with pytest.raises(InvalidEvent, match=rule) as refused:
        validate(of(payload, **changes))
    assert (refused.value.event_type, refused.value.field) == (payload.DESCRIPTOR.name, field)


@pytest.mark.parametrize("event_type", catalog.EVENT_TYPES.values(), ids=lambda each: each.name)
def test_each_required_field_of_each_event_type_is_missed(event_type: catalog.EventType) -> None:
    required = [field.name for field in event_type.fields if field.rules.required]
    assert required
    with pytest.raises(InvalidEvent) as refused:
        validate(event_type.message())
    assert refused.value.field == required[0]


def test_a_whole_event_is_checked_with_its_payload_by_the_path_of_the_field() -> None:
    event = v1.AuthEvent(
        event_id="01972b2c-9a3b-7c4d-8e5f-0123456789ab", timestamp=NOW, user_created=of(v1.UserCreated)
    )
    validate(event)
    event.user_created.email = "ada"
    with pytest.raises(InvalidEvent, match=r"^AuthEvent\.user_created\.email: ") as refused:
        validate(event)
    assert refused.value.field == "user_created.email"
    with pytest.raises(InvalidEvent, match=r"^Sample\."):
        validate(event, "Sample")


def test_a_nested_message_is_checked() -> None:
    event = v1.AuthEvent(
        event_id="01972b2c-9a3b-7c4d-8e5f-0123456789ab", timestamp=NOW, actor=v1.Actor(kind=1)
    )
    with pytest.raises(InvalidEvent) as refused:
        validate(event)
    assert refused.value.field == "actor.id"
