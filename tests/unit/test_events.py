"""Making events, and reading what every event has."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from immersiverse.auth.events import InvalidEvent, new_event, partition_key, payload_of
from immersiverse.auth.events.events import event_type_of
from immersiverse.auth.events.v1 import events_pb2 as v1

NOW = Timestamp(seconds=1_748_772_930, nanos=123_456_000)
SOURCE = "/services/auth"


def created(**changes: Any) -> v1.UserCreated:
    """A valid payload, but for the changes."""
    return v1.UserCreated(**{"user_id": "u-42", "username": "ada", "created_at": NOW, **changes})


def test_an_event_has_an_id_a_time_and_its_payload() -> None:
    before = time.time_ns()
    event = new_event(created(), source=SOURCE)
    after = time.time_ns()
    assert uuid.UUID(event.event_id).version == 7
    assert before - 1_000 < event.timestamp.ToNanoseconds() <= after
    assert event.timestamp.nanos % 1_000 == 0
    assert (event.source, event.version, event.HasField("actor")) == (SOURCE, 0, False)
    assert event.user_created == created()


def test_what_is_given_is_taken() -> None:
    actor = v1.Actor(kind=v1.ACTOR_KIND_ADMINISTRATOR, id="a-1")
    event_id = "01972b2c-9a3b-7c4d-8e5f-0123456789ab"
    event = new_event(created(), source=SOURCE, version=7, timestamp=NOW, actor=actor, event_id=event_id)
    assert event == v1.AuthEvent(
        event_id=event_id, timestamp=NOW, source=SOURCE, version=7, actor=actor, user_created=created()
    )


def test_the_payload_and_the_actor_are_copied() -> None:
    payload, actor = created(), v1.Actor(kind=v1.ACTOR_KIND_SYSTEM, id="rule")
    event = new_event(payload, source=SOURCE, actor=actor)
    payload.username = actor.id = "changed"
    assert event.user_created.username == "ada"
    assert event.actor.id == "rule"


@pytest.mark.parametrize(
    ("given", "seconds", "nanos"),
    [
        (datetime(1970, 1, 1, 0, 0, 1, 5, tzinfo=UTC), 1, 5_000),
        (datetime(1970, 1, 1, tzinfo=timezone(timedelta(hours=9))), -32_400, 0),
        (datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), -1, 999_999_000),
        (datetime(1, 1, 1, tzinfo=UTC), -62_135_596_800, 0),
        (datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), 253_402_300_799, 999_999_000),
        (Timestamp(seconds=5, nanos=123_456_789), 5, 123_456_000),
    ],
)
def test_a_time_is_an_aware_datetime_or_a_timestamp_cut_to_microseconds(
    given: datetime | Timestamp, seconds: int, nanos: int
) -> None:
    event = new_event(created(), source=SOURCE, timestamp=given)
    assert (event.timestamp.seconds, event.timestamp.nanos) == (seconds, nanos)


class NoOffset(tzinfo):
    """A time zone that does not know where it is."""

    def utcoffset(self, _: datetime | None) -> None:
        return None


@pytest.mark.parametrize(
    "given",
    [datetime(2025, 6, 1), datetime(2025, 6, 1, tzinfo=NoOffset()), 0, "now", timedelta(1)],  # noqa: DTZ001
)
def test_any_other_time_is_refused(given: Any) -> None:
    with pytest.raises(InvalidEvent, match="aware datetime"):
        new_event(created(), source=SOURCE, timestamp=given)


@pytest.mark.parametrize("payload", [None, "UserCreated", NOW, v1.AuthEvent(), v1.Actor(), v1.UserCreated])
def test_what_is_no_payload_of_the_contract_is_refused(payload: Any) -> None:
    with pytest.raises(InvalidEvent, match="payload of the contract"):
        new_event(payload, source=SOURCE)


@pytest.mark.parametrize(
    ("changes", "field", "rule"),
    [
        ({"source": ""}, "source", "required"),
        ({"source": "two words"}, "source", "URI reference"),
        ({"source": "/" * 2_049}, "source", "longer than 2048"),
        ({"version": -1}, "version", "below 0"),
        ({"version": 1 << 63}, "version", "cannot hold"),
        ({"version": "one"}, "version", "cannot hold"),
        ({"event_id": "not-a-uuid"}, "event_id", "UUID"),
        ({"event_id": "01972B2C-9A3B-7C4D-8E5F-0123456789AB"}, "event_id", "lower case"),
        ({"event_id": 7}, "event_id", "cannot hold"),
        ({"actor": v1.Actor()}, "actor.kind", "required"),
        ({"actor": v1.Actor(kind=v1.ACTOR_KIND_USER)}, "actor.id", "required"),
        ({"actor": "me"}, "actor", "cannot hold"),
        ({"timestamp": Timestamp(seconds=1 << 40)}, "timestamp", "years"),
        ({"timestamp": Timestamp(nanos=-1)}, "timestamp", "nanos"),
        ({"source": ""}, "source", "is required"),
    ],
)
def test_an_envelope_that_breaks_the_contract_is_refused_by_field_and_rule(
    changes: dict[str, Any], field: str, rule: str
) -> None:
    with pytest.raises(InvalidEvent, match=rule) as refused:
        new_event(created(), **{"source": SOURCE, **changes})
    assert (refused.value.event_type, refused.value.field) == ("AuthEvent", field)


def test_a_payload_that_breaks_the_contract_is_refused_by_field_and_rule() -> None:
    with pytest.raises(InvalidEvent) as refused:
        new_event(created(username=""), source=SOURCE)
    assert str(refused.value) == "UserCreated.username: is required"


def failed(**keys: str) -> v1.LoginFailed:
    return v1.LoginFailed(failed_at=NOW, reason=v1.LOGIN_FAILURE_REASON_UNKNOWN_ACCOUNT, **keys)


@pytest.mark.parametrize(
    ("keys", "key"),
    [
        ({"user_id": "u", "attempted_identifier_hash": "00", "ip_address": "::1"}, "u"),
        ({"attempted_identifier_hash": "00", "ip_address": "::1"}, "00"),
        ({"ip_address": "::1"}, "::1"),
    ],
)
def test_the_partition_key_is_the_first_that_is_set(keys: dict[str, str], key: str) -> None:
    assert partition_key(new_event(failed(**keys), source=SOURCE)) == key


def test_an_event_that_no_field_gives_a_key_is_refused() -> None:
    with pytest.raises(InvalidEvent, match="set user_id or attempted_identifier_hash or ip_address"):
        new_event(failed(), source=SOURCE)


def test_the_type_and_the_payload_of_an_event_are_read() -> None:
    event = new_event(created(), source=SOURCE)
    assert event_type_of(event).name == "UserCreated"
    assert payload_of(event) == created()


@pytest.mark.parametrize("read", [payload_of, event_type_of, partition_key])
def test_an_event_without_a_payload_has_neither(read: Any) -> None:
    with pytest.raises(InvalidEvent, match="payload"):
        read(v1.AuthEvent())
