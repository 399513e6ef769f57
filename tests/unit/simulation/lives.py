"""What a simulated stream tells of each user, and of each kind of event."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from google.protobuf.message import Message

from immersiverse.auth.events.events import payload_of
from immersiverse.auth.events.v1.events_pb2 import AuthEvent

Payload = TypeVar("Payload", bound=Message)


def by_user(events: Iterable[AuthEvent]) -> dict[str, list[AuthEvent]]:
    """The events of each user, in their order."""
    lives: dict[str, list[AuthEvent]] = {}
    for event in events:
        if user_id := getattr(payload_of(event), "user_id", ""):
            lives.setdefault(user_id, []).append(event)
    return lives


def told_of(events: Iterable[AuthEvent], kind: type[Payload]) -> list[Payload]:
    """The payloads of one kind."""
    return [payload for payload in map(payload_of, events) if isinstance(payload, kind)]
