"""Valid events with realistic values, derived from the contract's rules: a new event type needs no line here.

The same seed gives the same values; what one seed gives belongs to one user, whatever the event's type.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any, Final, TypeVar

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from immersiverse.auth.events import catalog
from immersiverse.auth.events.events import new_event
from immersiverse.auth.events.suggestions import closest_name
from immersiverse.auth.events.v1 import options_pb2
from immersiverse.auth.events.v1.events_pb2 import BLACKLIST_SUBJECT_KIND_IP_ADDRESS
from immersiverse.auth.events.validation import validate

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.protobuf.descriptor import Descriptor

    from immersiverse.auth.events.v1.events_pb2 import Actor, AuthEvent

P = TypeVar("P", bound=Message)

_BEGIN: Final = datetime(2025, 6, 2, 7, tzinfo=UTC)
_HOUR: Final = 3_600
_BEFORE: Final = ("began_at",)
_AFTER: Final = ("expires_at", "until")
_DEFAULT_MAXIMUM: Final = 20
_PEOPLE: Final = ("alice", "ben", "chiara", "dae", "elif", "farid", "grace", "haruto", "ines", "jonas")
_BROWSERS: Final = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:139.0) Gecko/20100101 Firefox/139.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/137.0.0.0 Safari/537.36",
    "ImmersiVerse/3.2 (Quest 3)",
)


def sample(payload: type[P], /, *, seed: int = 0, **fields: Any) -> P:
    """A valid payload with every field set.

    Args:
        payload: one of the contract's payload classes, such as ``UserCreated``.
        seed: which user, and which values; the same seed gives the same payload.
        fields: what the fields are to be; None leaves a field out.

    Raises:
        TypeError: if it has no such field, or the field cannot hold the value.
        InvalidEvent: if a field breaks the contract.
    """
    if payload not in catalog.BY_MESSAGE:
        raise TypeError(f"{payload!r} is not a payload of the contract, such as UserCreated")
    descriptor: Any = payload.DESCRIPTOR
    _refuse_unknown(descriptor, fields)
    made = payload(**_values(descriptor, seed, fields))
    validate(made)
    return made


def sample_event(  # noqa: PLR0913 - what every event has, by keyword
    payload: type[Message],
    /,
    *,
    seed: int = 0,
    source: str = catalog.DEFAULT_SOURCE,
    version: int = 0,
    timestamp: datetime | None = None,
    actor: Actor | None = None,
    event_id: str | None = None,
    **fields: Any,
) -> AuthEvent:
    """A valid event: `sample` in its envelope, whose id and time also come from the seed.

    Args:
        payload: one of the contract's payload classes.
        seed: as for `sample`.
        source: see ``new_event``, as for the next ones.
        version: 0 for none, so that an inbox takes no sample for stale.
        timestamp: unless given, the time of the payload.
        actor: see ``new_event``.
        event_id: unless given, made of type and seed.
        fields: what the payload's fields are to be.

    Raises:
        TypeError: as `sample` does.
        InvalidEvent: as `sample` does.
    """
    timestamp = timestamp or _time(seed)
    return new_event(
        sample(payload, seed=seed, **fields),
        source=source,
        version=version,
        timestamp=timestamp,
        actor=actor,
        event_id=event_id or _event_id(payload.DESCRIPTOR.name, seed, timestamp),
    )


def samples(count: int, /, *payloads: type[Message], seed: int = 0) -> list[AuthEvent]:
    """Sample events of these types in turn, each of another user; of every type unless given.

    Args:
        count: how many.
        payloads: payload classes.
        seed: of the first; each further one has the next.
    """
    types = payloads or tuple(catalog.BY_MESSAGE)
    return [sample_event(types[place % len(types)], seed=seed + place) for place in range(count)]


def _refuse_unknown(descriptor: Descriptor, fields: dict[str, Any]) -> None:
    for name in fields:
        if name not in descriptor.fields_by_name:
            closest = closest_name(name, descriptor.fields_by_name)
            meant = f": did you mean {closest}?" if closest else ""
            raise TypeError(f"{descriptor.name} has no field {name}{meant}")


def _values(descriptor: Descriptor, seed: int, given: dict[str, Any]) -> dict[str, Any]:
    """A value for each field; a mask names the optional fields that are set."""
    values, masks = {}, []
    for field in descriptor.fields:
        if field.name in given:
            values[field.name] = given[field.name]
        elif _is(field, "FieldMask"):
            masks.append(field.name)
        else:
            values[field.name] = _value(field, seed)
    for mask in masks:
        optional = (f.name for f in descriptor.fields if not catalog.rules_of(f).required)
        values[mask] = {"paths": [name for name in optional if values[name] is not None]}
    return values


def _value(field: FieldDescriptor, seed: int) -> Any:
    random = Random(f"{seed} {field.name}")  # noqa: S311 - of samples
    one = _one_value(field, seed, random)
    return [one] if field.is_repeated else one


def _one_value(field: FieldDescriptor, seed: int, random: Random) -> Any:
    rules = catalog.rules_of(field)
    if field.enum_type:
        return _KINDS.get(field.name) or random.choice(
            [value.number for value in field.enum_type.values if value.number]
        )
    if field.message_type:
        return _message(field, seed, random)
    if field.type == FieldDescriptor.TYPE_STRING:
        return _text(field, seed, random, rules)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return random.randbytes(min(rules.max_length or 16, 16))
    return field.type == FieldDescriptor.TYPE_BOOL or _number(field, random, rules)


def _number(field: FieldDescriptor, random: Random, rules: options_pb2.FieldRules) -> float:
    """A number above 0, if the rules have one: 0 would be absent."""
    low = rules.minimum if rules.HasField("minimum") else 1
    high = rules.maximum if rules.HasField("maximum") else max(low, _DEFAULT_MAXIMUM)
    if field.type in (FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_FLOAT):
        return round(random.uniform(low, high), 2) or high
    return random.randint(int(max(low, 1)) if high >= 1 else int(low), int(high))


def _message(field: FieldDescriptor, seed: int, random: Random) -> Any:
    if _is(field, "Timestamp"):
        hours = field.name.endswith(_AFTER) - field.name.endswith(_BEFORE)
        return _time(seed) + timedelta(hours=hours)
    if _is(field, "Duration"):
        return timedelta(seconds=random.randint(1, 60) * 10)
    nested: Any = field.message_type
    return GetMessageClass(nested)(**_values(nested, seed, {}))


def _text(field: FieldDescriptor, seed: int, random: Random, rules: options_pb2.FieldRules) -> str:
    make = _BY_NAME.get(field.name) or _BY_FORMAT.get(rules.format) or _words_of(field)
    return make(random, seed)[: rules.max_length or None]


def _words_of(field: FieldDescriptor) -> Callable[[Random, int], str]:
    return lambda random, _: f"{field.name.replace('_', '-')}-{random.randrange(10**6)}"


def _is(field: FieldDescriptor, name: str) -> bool:
    return field.message_type is not None and field.message_type.full_name == f"google.protobuf.{name}"


def _time(seed: int) -> datetime:
    """The events of a seed happen at one time, within a year."""
    seconds = Random(f"{seed} time").randrange(365 * 24 * _HOUR)  # noqa: S311 - of samples
    return _BEGIN + timedelta(seconds=seconds)


def _event_id(name: str, seed: int, time: datetime) -> str:
    """A UUIDv7 of a time (RFC 9562 section 5.7), its random bits from the seed."""
    bits = Random(f"{seed} {name} event_id").getrandbits(74)  # noqa: S311 - of samples
    milliseconds = int(time.timestamp() * 1_000)
    number = milliseconds << 80 | 7 << 76 | (bits >> 62) << 64 | 2 << 62 | bits & (1 << 62) - 1
    return str(uuid.UUID(int=number))


def _uuid(random: Random, _: int) -> str:
    return str(uuid.UUID(int=random.getrandbits(128), version=4))


def _username(_: Random, seed: int) -> str:
    random = Random(f"{seed} person")  # noqa: S311 - of samples
    return f"{random.choice(_PEOPLE)}{random.randrange(1_000)}"


def _email(random: Random, seed: int) -> str:
    return f"{_username(random, seed)}@example.com"


def _address(random: Random, _: int) -> str:
    return f"203.0.113.{random.randrange(1, 255)}"  # for documentation (RFC 5737)


def _hash(random: Random, _: int) -> str:
    return random.randbytes(32).hex()


def _one_of(*texts: str) -> Callable[[Random, int], str]:
    return lambda random, _: random.choice(texts)


_BY_NAME: Final[dict[str, Callable[[Random, int], str]]] = {
    "user_id": _uuid,
    "username": _username,
    "session_id": _uuid,
    "session_ids": _uuid,
    "login_event_id": _uuid,
    "credential_id": _uuid,
    "user_agent": _one_of(*_BROWSERS),
    "locale": _one_of("de-DE", "en-US", "fr-FR", "ja-JP", "ko-KR"),
    "country_code": _one_of("DE", "FR", "JP", "KR", "US"),
    "platform": _one_of("steam", "discord", "playstation"),
    "purpose": _one_of("analytics", "marketing", "personalization"),
    "scopes": _one_of("identify", "friends"),
    "text_version": _one_of("2025-01", "2025-05"),
    "subject": _address,
}
"""By field name, where a name says more than a format."""

_KINDS: Final = {"subject_kind": BLACKLIST_SUBJECT_KIND_IP_ADDRESS}
"""Of enums, by field name, where another field says the same."""

_BY_FORMAT: Final[dict[int, Callable[[Random, int], str]]] = {
    options_pb2.FORMAT_UUID: _uuid,
    options_pb2.FORMAT_IP_ADDRESS: _address,
    options_pb2.FORMAT_EMAIL: _email,
    options_pb2.FORMAT_URI_REFERENCE: _one_of("/services/auth"),
    options_pb2.FORMAT_NAME: _one_of("alpha", "beta", "gamma"),
    options_pb2.FORMAT_HEX: _hash,
}
