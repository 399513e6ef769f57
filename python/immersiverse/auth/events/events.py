"""Make a valid event, and read what every event has: its type, its payload, its partition key."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from google.protobuf.timestamp_pb2 import Timestamp

from immersiverse.auth.events import catalog
from immersiverse.auth.events.errors import InvalidEvent
from immersiverse.auth.events.identifiers import new_event_id
from immersiverse.auth.events.v1.events_pb2 import Actor, AuthEvent
from immersiverse.auth.events.validation import message_check, validate

if TYPE_CHECKING:
    from google.protobuf.message import Message

_PAYLOAD = frozenset(catalog.BY_PAYLOAD_FIELD)
_check_envelope = message_check(AuthEvent.DESCRIPTOR, _PAYLOAD)
_check_given = message_check(AuthEvent.DESCRIPTOR, _PAYLOAD | {"event_id", "timestamp"})
"""Of an envelope whose id and time were made here."""
_MICROSECOND = 1_000
_SECOND = 1_000_000_000


def new_event(  # noqa: PLR0913 - what every event has, by keyword
    payload: Message,
    *,
    source: str,
    version: int = 0,
    timestamp: datetime | Timestamp | None = None,
    actor: Actor | None = None,
    event_id: str | None = None,
) -> AuthEvent:
    """Wrap a payload in its envelope and check both against the contract.

    Args:
        payload: one of the contract's payloads, such as ``UserCreated``. It is copied.
        source: who emits it, as a URI reference such as ``/services/auth``.
        version: position among the events of the user, strictly increasing; 0 for unversioned.
        timestamp: when it happened, an aware datetime or a Timestamp; now unless given. Cut to microseconds.
        actor: who caused it, if not the user.
        event_id: a UUID in lower case; a new UUIDv7 unless given.

    Raises:
        InvalidEvent: with the field and the rule that it breaks.
    """
    event_type = catalog.BY_MESSAGE.get(type(payload))
    if event_type is None:
        raise InvalidEvent(type(payload).__name__, "", "is not a payload of the contract")
    validate(payload)
    _key(event_type, payload)
    if not source:
        raise InvalidEvent("AuthEvent", "source", "is required")
    event = AuthEvent()
    try:
        event.event_id, event.source, event.version = event_id or new_event_id(), source, version
        if actor is not None:
            event.actor.CopyFrom(actor)
    except (TypeError, ValueError):  # whose text quotes the value
        unfit = _unfit(event_id=event_id, source=source, version=version, actor=actor)
        raise InvalidEvent("AuthEvent", unfit, "the envelope cannot hold this type or size") from None
    time_of_event = event.timestamp
    time_of_event.seconds, time_of_event.nanos = _seconds_and_nanos(timestamp)
    check = _check_given if event_id is None and timestamp is None else _check_envelope
    if fault := check(event):
        raise InvalidEvent("AuthEvent", *fault)
    getattr(event, event_type.payload_field).CopyFrom(payload)
    return event


def payload_of(event: AuthEvent) -> Message:
    """The payload that an event carries, for reading.

    Raises:
        InvalidEvent: if it carries none, or is no event.
    """
    return cast("Message", getattr(event, _payload_field(event)))


def event_type_of(event: AuthEvent) -> catalog.EventType:
    """The type of an event.

    Raises:
        InvalidEvent: if it carries no payload.
    """
    return catalog.BY_PAYLOAD_FIELD[_payload_field(event)]


def _payload_field(event: AuthEvent) -> str:
    try:
        name = event.WhichOneof("payload")
    except (AttributeError, TypeError, ValueError):
        raise InvalidEvent(type(event).__name__, "", "is not an AuthEvent") from None
    if name is None:
        raise InvalidEvent("AuthEvent", "payload", "is required")
    return name


def type_name(event: object) -> str:
    """The short name of an event's type, for metrics and logs.

    Returns:
        ``unknown`` for all types that the contract does not have, ``tombstone`` for None.
    """
    if isinstance(event, AuthEvent):
        return event_type_of(event).name
    return "tombstone" if event is None else "unknown"


def partition_key(event: AuthEvent) -> str:
    """The key that keeps one user's events in order: the first set of the fields that the contract names.

    Raises:
        InvalidEvent: if none of them is set, or the event carries no payload.
    """
    event_type = event_type_of(event)
    return _key(event_type, getattr(event, event_type.payload_field))


class EventVersions:
    """Numbers each user's events, on from the greatest version seen; about 200 bytes of memory a user.

    Consumers drop what is not newer than what they know, so this is for users that no other producer numbers.
    """

    def __init__(self) -> None:
        self._last: dict[str, int] = {}

    def give(self, event: AuthEvent) -> None:
        """Give an event the next version of its user, unless it has one.

        Raises:
            InvalidEvent: if it has no partition key.
        """
        user = partition_key(event)
        last = self._last.get(user, 0)
        if not event.version:
            event.version = last + 1
        self._last[user] = max(last, event.version)


def _key(event_type: catalog.EventType, payload: Message) -> str:
    for name in event_type.partition_key:
        if key := getattr(payload, name):
            return cast("str", key)
    fields = " or ".join(event_type.partition_key)
    raise InvalidEvent(event_type.name, event_type.partition_key[0], f"no partition key: set {fields}")


def _unfit(**values: Any) -> str:
    for name, value in values.items():
        try:
            AuthEvent(**{name: value})
        except (TypeError, ValueError):
            return name
    return ""


def _seconds_and_nanos(given: datetime | Timestamp | None) -> tuple[int, int]:
    if given is None:
        seconds, nanos = divmod(time.time_ns(), _SECOND)
        return seconds, nanos - nanos % _MICROSECOND
    if isinstance(given, Timestamp):
        return given.seconds, given.nanos - given.nanos % _MICROSECOND
    try:
        since = given - _EPOCH
    except TypeError as error:
        raise InvalidEvent("AuthEvent", "timestamp", "must be an aware datetime or a Timestamp") from error
    return since.days * 86_400 + since.seconds, since.microseconds * _MICROSECOND


_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
