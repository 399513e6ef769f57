"""What a user of Confluent's Avro classes writes for the event: an event to a dictionary and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from google.protobuf.timestamp_pb2 import Timestamp

from immersiverse.auth.events.v1 import events_pb2 as v1

if TYPE_CHECKING:
    from confluent_kafka.serialization import SerializationContext

_LOGIN = v1.LoginSucceeded.DESCRIPTOR.full_name
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_method_name = v1.AuthenticationMethod.Name
_method_number = v1.AuthenticationMethod.Value


def to_dictionary(event: v1.AuthEvent, _: SerializationContext) -> dict[str, Any]:
    """The event as fastavro takes it; the pair names the branch of the union, which is the fast way."""
    login = event.login_succeeded
    return {
        "event_id": event.event_id,
        "timestamp": _microseconds(event.timestamp),
        "source": event.source,
        "version": event.version,
        "actor": {"kind": v1.ActorKind.Name(event.actor.kind), "id": event.actor.id},
        "payload": (
            _LOGIN,
            {
                "user_id": login.user_id,
                "ip_address": login.ip_address,
                "user_agent": login.user_agent,
                "login_time": _microseconds(login.login_time),
                "method": _method_name(login.method),
                "session_id": login.session_id,
                "additional_factors": [_method_name(method) for method in login.additional_factors],
                "platform": login.platform,
            },
        ),
    }


def from_dictionary(record: dict[str, Any], _: SerializationContext) -> v1.AuthEvent:
    """The event in what fastavro gives."""
    (_, actor), (_, login) = record["actor"], record["payload"]  # with the names of the records of unions
    return v1.AuthEvent(
        event_id=record["event_id"],
        timestamp=_timestamp(record["timestamp"]),
        source=record["source"],
        version=record["version"],
        actor=v1.Actor(kind=v1.ActorKind.Value(actor["kind"]), id=actor["id"]),
        login_succeeded=v1.LoginSucceeded(
            user_id=login["user_id"],
            ip_address=login["ip_address"],
            user_agent=login["user_agent"],
            login_time=_timestamp(login["login_time"]),
            method=_method_number(login["method"]),
            session_id=login["session_id"],
            additional_factors=[_method_number(name) for name in login["additional_factors"]],
            platform=login["platform"],
        ),
    )


def _microseconds(time: Timestamp) -> int:
    return time.seconds * 1_000_000 + time.nanos // 1_000


def _timestamp(time: datetime) -> Timestamp:
    seconds, micros = divmod((time - _EPOCH) // _MICROSECOND, 1_000_000)
    return Timestamp(seconds=seconds, nanos=micros * 1_000)
