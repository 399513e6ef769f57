"""Sample events: valid, realistic and the same for the same seed."""

from __future__ import annotations

import ipaddress
import uuid
from datetime import UTC, datetime

import pytest

from immersiverse.auth.events import catalog
from immersiverse.auth.events.errors import InvalidEvent
from immersiverse.auth.events.events import event_type_of, new_event, payload_of
from immersiverse.auth.events.testing import sample, sample_event, samples
from immersiverse.auth.events.v1.events_pb2 import (
    AuthEvent,
    BlacklistAdded,
    LoggedOut,
    LoginFailed,
    LoginSucceeded,
    UserCreated,
    UserUpdated,
)
from immersiverse.auth.events.validation import validate


@pytest.mark.parametrize("event_type", catalog.EVENT_TYPES.values(), ids=lambda each: each.name)
def test_every_type_has_a_sample_with_every_field_set(event_type: catalog.EventType) -> None:
    made = sample(event_type.message)
    assert {descriptor.name for descriptor, _ in made.ListFields()} == {f.name for f in event_type.fields}
    new_event(made, source="/tests")


def test_given_fields_are_kept_and_none_leaves_one_out() -> None:
    made = sample(LoginFailed, user_id=None, ip_address="198.51.100.7", consecutive_failures=3)
    assert not made.user_id
    assert (made.ip_address, made.consecutive_failures) == ("198.51.100.7", 3)


def test_an_unknown_field_is_refused_with_the_one_that_was_meant() -> None:
    with pytest.raises(TypeError, match="UserCreated has no field usr_id: did you mean user_id"):
        sample(UserCreated, usr_id="u-1")
    with pytest.raises(TypeError, match=r"has no field zzz$"):
        sample(UserCreated, zzz="u-1")


def test_a_value_that_breaks_the_contract_is_refused() -> None:
    with pytest.raises(InvalidEvent, match="e-mail"):
        sample(UserCreated, email="alice")


def test_what_is_no_payload_is_refused() -> None:
    with pytest.raises(TypeError, match="is not a payload of the contract"):
        sample(AuthEvent)


def test_the_same_seed_gives_the_same_values_and_another_seed_others() -> None:
    assert sample_event(UserCreated, seed=7) == sample_event(UserCreated, seed=7)
    one, other = sample(UserCreated, seed=7), sample(UserCreated, seed=8)
    assert one.user_id != other.user_id
    assert one.created_at != other.created_at


def test_the_values_of_one_seed_are_one_users() -> None:
    created, failed = sample(UserCreated, seed=3), sample(LoginSucceeded, seed=3)
    assert created.user_id == failed.user_id
    assert created.email == f"{created.username}@example.com"


def test_values_look_like_what_they_are() -> None:
    login = sample(LoginSucceeded)
    uuid.UUID(login.user_id)
    assert ipaddress.ip_address(login.ip_address) in ipaddress.ip_network("203.0.113.0/24")
    added = sample(BlacklistAdded)
    ipaddress.ip_address(added.subject)
    assert added.expires_at.ToDatetime() > added.added_at.ToDatetime()
    logged_out = sample(LoggedOut)
    assert logged_out.session_began_at.ToDatetime() < logged_out.logged_out_at.ToDatetime()


def test_a_mask_names_the_new_values() -> None:
    assert set(sample(UserUpdated, username=None).changed_fields.paths) == {
        "email", "email_verified", "status", "locale",
    }  # fmt: skip
    assert sample(UserUpdated, changed_fields={"paths": ["email"]}).changed_fields.paths == ["email"]


def test_an_event_has_an_id_of_its_type_and_seed_and_the_time_of_its_payload() -> None:
    event = sample_event(UserCreated, seed=5)
    validate(event)
    assert uuid.UUID(event.event_id).version == 7
    assert event.timestamp == event.user_created.created_at
    assert event.event_id != sample_event(UserUpdated, seed=5).event_id
    assert event.event_id != sample_event(UserCreated, seed=6).event_id


def test_an_envelope_is_as_it_is_asked_for() -> None:
    time = datetime(2025, 1, 2, tzinfo=UTC)
    event = sample_event(UserCreated, version=4, source="/x", timestamp=time, username="zoe")
    assert (event.version, event.source, event.user_created.username) == (4, "/x", "zoe")
    assert event.timestamp.ToDatetime(UTC) == time


def test_samples_are_of_every_type_in_turn_or_of_those_named_each_of_another_user() -> None:
    events = samples(2 * len(catalog.EVENT_TYPES))
    assert {event_type_of(event).name for event in events} == {*catalog.EVENT_TYPES}
    logins = samples(10, LoginFailed, LoginSucceeded, seed=4)
    assert [type(payload_of(event)) for event in logins] == [LoginFailed, LoginSucceeded] * 5
    assert len({payload_of(event).user_id for event in logins}) == 10
    assert logins == samples(10, LoginFailed, LoginSucceeded, seed=4)


def test_no_field_of_a_payload_is_called_like_an_argument_of_sample_event() -> None:
    taken = {"seed", "source", "version", "timestamp", "actor", "event_id"}
    named = {field.name for event_type in catalog.EVENT_TYPES.values() for field in event_type.fields}
    assert not taken & named
