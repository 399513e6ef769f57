"""Events to Avro and back, with an Avro library as the judge."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from typing import Any

import fastavro
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp

from immersiverse.auth.events.errors import InvalidEvent, MissingExtra
from immersiverse.auth.events.serialization.avro import codec, encoder, reader, schema_text
from immersiverse.auth.events.serialization.deserializer import AuthEventDeserializer
from immersiverse.auth.events.serialization.schemas import PinnedSchemas
from immersiverse.auth.events.serialization.serializer import AuthEventSerializer
from immersiverse.auth.events.v1 import events_pb2 as v1

PACKAGE = "immersiverse.auth.events.v1"
SCHEMA = fastavro.parse_schema(json.loads(schema_text()))
MICROS = 1_748_772_930_123_456
TIME = Timestamp(seconds=1_748_772_930, nanos=123_456_000)

encode = encoder()
decode = reader(None, 1)

LOGIN = v1.AuthEvent(
    event_id="01972b2c-9a3b-7c4d-8e5f-0123456789ab",
    timestamp=TIME,
    source="/services/auth",
    version=7,
    actor=v1.Actor(kind=v1.ACTOR_KIND_ADMINISTRATOR, id="a-1"),
    login_succeeded=v1.LoginSucceeded(
        user_id="u-42",
        ip_address="2001:db8::7",
        user_agent="Immersi\u00e9 " * 20,
        login_time=TIME,
        method=v1.AUTHENTICATION_METHOD_PASSKEY,
        additional_factors=[v1.AUTHENTICATION_METHOD_TOTP, v1.AUTHENTICATION_METHOD_SMS_CODE],
    ),
)
LOGIN_RECORD: dict[str, Any] = {
    "event_id": LOGIN.event_id,
    "timestamp": MICROS,
    "source": "/services/auth",
    "version": 7,
    "actor": {"kind": "ACTOR_KIND_ADMINISTRATOR", "id": "a-1"},
    "payload": (
        f"{PACKAGE}.LoginSucceeded",
        {
            "user_id": "u-42",
            "ip_address": "2001:db8::7",
            "user_agent": LOGIN.login_succeeded.user_agent,
            "login_time": MICROS,
            "method": "AUTHENTICATION_METHOD_PASSKEY",
            "session_id": "",
            "additional_factors": ["AUTHENTICATION_METHOD_TOTP", "AUTHENTICATION_METHOD_SMS_CODE"],
            "platform": "",
        },
    ),
}


def written_by_library(record: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, SCHEMA, record)
    return out.getvalue()


def with_payload(**payload: Any) -> v1.AuthEvent:
    return v1.AuthEvent(event_id=LOGIN.event_id, timestamp=TIME, source="/services/auth", **payload)


def test_an_event_is_written_as_an_avro_library_writes_it() -> None:
    assert encode(LOGIN) == written_by_library(LOGIN_RECORD)


def test_what_an_avro_library_wrote_is_read() -> None:
    assert decode(written_by_library(LOGIN_RECORD)) == LOGIN


def test_an_update_and_its_field_mask_survive() -> None:
    update = v1.UserUpdated(user_id="u", changed_fields=FieldMask(paths=["email", "status"]), updated_at=TIME)
    assert decode(encode(with_payload(user_updated=update))) == with_payload(user_updated=update)


def test_a_duration_keeps_its_nanoseconds() -> None:
    attack = v1.BruteForceDetected(
        window=Duration(seconds=-3, nanos=-7), detected_at=TIME, attempts=2**32 - 1
    )
    assert decode(encode(with_payload(brute_force_detected=attack))) == with_payload(
        brute_force_detected=attack
    )


@pytest.mark.parametrize("expires_at", [None, Timestamp(), TIME])
def test_an_optional_time_is_absent_or_any_time(expires_at: Timestamp | None) -> None:
    event = with_payload(blacklist_added=v1.BlacklistAdded(subject="x", added_at=TIME, expires_at=expires_at))
    assert decode(encode(event)) == event


@pytest.mark.parametrize("seconds", [-62_135_596_800, -1, 0, 1, 281_474_976, 36_028_797_018, 253_402_300_799])
def test_times_of_all_years_survive(seconds: int) -> None:
    event = with_payload(
        user_deleted=v1.UserDeleted(deleted_at=Timestamp(seconds=seconds, nanos=999_999_000))
    )
    assert decode(encode(event)) == event


def test_times_are_cut_to_microseconds() -> None:
    event = with_payload(user_deleted=v1.UserDeleted(deleted_at=Timestamp(seconds=-5, nanos=1_999)))
    found = decode(encode(event))
    assert isinstance(found, v1.AuthEvent)
    assert found.user_deleted.deleted_at == Timestamp(seconds=-5, nanos=1_000)


def test_an_enum_number_that_the_contract_does_not_know_is_written_as_unspecified() -> None:
    event = with_payload(user_deleted=v1.UserDeleted(deleted_at=TIME, reason=99))  # type: ignore[arg-type]  # a newer reason
    assert decode(encode(event)) == with_payload(user_deleted=v1.UserDeleted(deleted_at=TIME))


def test_an_event_without_a_payload_is_refused() -> None:
    with pytest.raises(InvalidEvent, match=r"AuthEvent\.payload: is required"):
        encode(with_payload())


def test_a_required_time_that_is_absent_is_refused() -> None:
    with pytest.raises(InvalidEvent, match=r"UserDeleted\.deleted_at: is required"):
        encode(with_payload(user_deleted=v1.UserDeleted(user_id="u")))
    with pytest.raises(InvalidEvent, match=r"AuthEvent\.timestamp: is required"):
        encode(v1.AuthEvent(user_deleted=v1.UserDeleted(user_id="u", deleted_at=TIME)))


def test_a_required_field_mask_and_a_required_duration_that_are_absent_are_refused() -> None:
    with pytest.raises(InvalidEvent, match=r"UserUpdated\.changed_fields: is required"):
        encode(with_payload(user_updated=v1.UserUpdated(updated_at=TIME)))
    with pytest.raises(InvalidEvent, match=r"BruteForceDetected\.window: is required"):
        encode(with_payload(brute_force_detected=v1.BruteForceDetected(detected_at=TIME)))


@pytest.mark.parametrize(
    "time",
    [
        Timestamp(seconds=253_402_300_800),
        Timestamp(seconds=-62_135_596_801),
        Timestamp(seconds=1 << 62),
        Timestamp(nanos=-1),
        Timestamp(nanos=1_000_000_000),
    ],
)
def test_a_time_outside_the_years_1_to_9999_is_refused(time: Timestamp) -> None:
    with pytest.raises(InvalidEvent, match=r"UserDeleted\.deleted_at: is outside the years 1 to 9999"):
        encode(with_payload(user_deleted=v1.UserDeleted(deleted_at=time)))


def test_a_frame_is_a_zero_byte_the_schema_id_and_the_record() -> None:
    schemas = PinnedSchemas(protobuf=1, avro=258)
    value = AuthEventSerializer(schemas, format="avro")(LOGIN)
    assert value == b"\x00\x00\x00\x01\x02" + encode(LOGIN)
    assert AuthEventDeserializer(schemas)(value) == LOGIN


@pytest.fixture
def without_library(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A process in which fastavro is not installed."""
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "fastavro", None)
        for made in (codec._fastavro, codec.encoder):
            made.cache_clear()
        yield
    for made in (codec._fastavro, codec.encoder):
        made.cache_clear()


@pytest.mark.usefixtures("without_library")
def test_without_the_extra_the_error_names_it_before_anything_is_written_or_read() -> None:
    schemas = PinnedSchemas(protobuf=1, avro=2)
    with pytest.raises(MissingExtra, match=r"immersiverse-auth-events\[avro\]"):
        AuthEventSerializer(schemas, format="avro")
    deserialize = AuthEventDeserializer(schemas)
    with pytest.raises(MissingExtra, match=r"immersiverse-auth-events\[avro\]"):
        deserialize(b"\x00\x00\x00\x00\x02")
    value = AuthEventSerializer(schemas)(LOGIN)
    assert deserialize(value) == LOGIN  # other formats need no extra
