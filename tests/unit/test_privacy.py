"""Events without the personal data in them."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from immersiverse.auth.events import catalog
from immersiverse.auth.events.events import event_type_of, new_event
from immersiverse.auth.events.privacy import CLASSES, WITHHELD, Redaction
from immersiverse.auth.events.serialization.json.codec import write_json
from immersiverse.auth.events.v1.events_pb2 import Actor, ActorKind, LoginFailed, UserCreated
from strategies import events


def created():
    payload = UserCreated(user_id="u-1", username="alice", email="alice@example.com", platform="steam")
    payload.created_at.FromJsonString("2025-07-01T09:00:00Z")
    return new_event(
        payload, source="/services/auth", actor=Actor(kind=ActorKind.ACTOR_KIND_USER, id="admin-7")
    )


def failed(**parts):
    payload = LoginFailed(reason=1, ip_address="192.0.2.7", **parts)
    payload.failed_at.FromJsonString("2025-07-01T09:00:00Z")
    return new_event(payload, source="/services/auth")


def test_classes_are_those_of_the_contract_least_sensitive_first():
    assert list(CLASSES) == ["pseudonym", "network", "contact"]


def test_a_class_and_more_sensitive_ones_are_withheld_and_less_sensitive_ones_are_not():
    shown = Redaction(CLASSES["contact"]).event(created())
    assert shown["payload"]["username"] == shown["payload"]["email"] == WITHHELD
    assert shown["payload"]["userId"] == "u-1"
    assert shown["actor"]["id"] == "admin-7"
    shown = Redaction(CLASSES["pseudonym"]).event(created())
    assert {shown["payload"][name] for name in ("userId", "username", "email")} == {WITHHELD}
    assert shown["actor"]["id"] == WITHHELD
    assert shown["payload"]["createdAt"] == "2025-07-01T09:00:00Z"
    assert shown["payload"]["platform"] == "steam"


def shape(value):
    if isinstance(value, dict):
        return {name: shape(item) for name, item in value.items()}
    return [shape(item) for item in value] if isinstance(value, list) else type(value)


def test_the_envelope_of_an_unknown_event_is_redacted():
    document = {"eventType": "Newer", "source": "/services/auth", "actor": {"id": "admin-7"}}
    Redaction(CLASSES["pseudonym"]).envelope(document)
    assert document == {"eventType": "Newer", "source": "/services/auth", "actor": {"id": WITHHELD}}


@given(events(), st.sampled_from(list(CLASSES.values())))
def test_the_shape_stays_and_no_value_of_the_class_does(event, least):
    whole = orjson.loads(write_json(event))
    shown = Redaction(least).event(event)
    assert shape(shown) == shape(whole)
    for field in event_type_of(event).fields:
        if field.json_name in whole["payload"]:
            kept = shown["payload"][field.json_name] == whole["payload"][field.json_name]
            hidden = catalog.sensitivity(field.descriptor) >= least
            assert kept != hidden or whole["payload"][field.json_name] == WITHHELD


def test_a_key_is_shown_if_the_field_that_gave_it_is():
    event = failed(user_id="u-1")
    assert Redaction(CLASSES["network"]).key(b"u-1", event) == "u-1"
    assert Redaction(CLASSES["pseudonym"]).key(b"u-1", event) == WITHHELD
    unknown_user = failed()
    assert Redaction(CLASSES["contact"]).key(b"192.0.2.7", unknown_user) == "192.0.2.7"
    assert Redaction(CLASSES["network"]).key(b"192.0.2.7", unknown_user) == WITHHELD


@pytest.mark.parametrize("event", [None, failed(user_id="u-1")])
def test_a_key_that_nothing_explains_is_withheld(event):
    assert Redaction(CLASSES["contact"]).key(b"alice@example.com", event) == WITHHELD


def test_no_key_stays_none():
    assert Redaction(CLASSES["contact"]).key(None, None) is None


def test_headers_keep_their_names_and_only_impersonal_ones_their_values():
    headers = (("ce_type", b"UserCreated"), ("ce_subject", b"u-1"), ("mine", b"alice"), ("ce_id", None))
    assert Redaction(CLASSES["contact"]).headers(headers) == [
        ("ce_type", "UserCreated"),
        ("ce_subject", WITHHELD),
        ("mine", WITHHELD),
        ("ce_id", None),
    ]


def test_every_class_is_used_by_the_contract():
    used = {field.personal_data for event_type in catalog.EVENT_TYPES.values() for field in event_type.fields}
    assert used - {""} == set(CLASSES)
