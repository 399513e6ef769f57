"""The simulation's clock, its processes, and the events that they emit."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp

from immersiverse.auth.events import catalog
from immersiverse.auth.events.v1.events_pb2 import Actor, AuthEvent

if TYPE_CHECKING:
    from datetime import datetime

    from google.protobuf.message import Message

    from immersiverse.auth.events.simulation.people import User

Process = Iterator[float]
"""Something that goes on in the simulation. It yields how many seconds it waits before its next step."""

_SECOND = 1_000_000  # the clock counts microseconds, the precision of the contract


class Attack(NamedTuple):
    """The attack that caused an event.

    Attributes:
        number: tells the attacks of a stream apart, from 1.
        kind: ``brute-force``, ``distributed-brute-force``, ``credential-stuffing`` or ``account-takeover``.
    """

    number: int
    kind: str


class SimulatedEvent(NamedTuple):
    """An event, and the attack that it is part of or answers; None for what honest users do."""

    event: AuthEvent
    attack: Attack | None


class World:
    """A discrete-event simulation: processes wait, act and emit events. The seed decides all that happens.

    Attributes:
        random: the only source of chance.
        users: everyone who ever signed up.
    """

    def __init__(self, seed: int, start: datetime) -> None:
        self.random = Random(seed)  # noqa: S311 - repeatable, not a secret
        self.users: list[User] = []
        self._now = int(start.timestamp()) * _SECOND
        self._waiting: list[tuple[int, int, Process, Attack | None]] = []
        self._started = 0
        self._attack: Attack | None = None
        self._emitted: deque[SimulatedEvent] = deque()

    @property
    def seconds(self) -> float:
        """The time, in seconds since 1970."""
        return self._now / _SECOND

    def time_in(self, seconds: int) -> Timestamp:
        """The time that many seconds from now."""
        now, microseconds = divmod(self._now, _SECOND)
        return Timestamp(seconds=now + seconds, nanos=microseconds * 1_000)

    def chance(self, probability: float) -> bool:
        """Whether something happens that has this probability."""
        return self.random.random() < probability

    def start(self, process: Process, attack: Attack | None = None) -> None:
        """Start a process now, as part of an attack: this one, or that of the process that starts it."""
        self._started += 1
        heapq.heappush(self._waiting, (self._now, self._started, process, attack or self._attack))

    def run(self) -> Iterator[SimulatedEvent]:
        """Everything that is emitted, in order, without end."""
        while self._waiting:
            due, number, process, self._attack = heapq.heappop(self._waiting)
            self._now = max(self._now, due)
            wait = next(process, None)
            if wait is not None:
                due = self._now + int(wait * _SECOND)
                heapq.heappush(self._waiting, (due, number, process, self._attack))
            while self._emitted:
                yield self._emitted.popleft()

    def emit(
        self, kind: type[Message], user: User | None = None, actor: Actor | None = None, /, **fields: Any
    ) -> AuthEvent:
        """Emit an event some milliseconds after the one before.

        Args:
            kind: the class of its payload.
            user: whom it is about; the event is unversioned without one.
            actor: who caused it, if not the user.
            fields: of the payload, without the user's id and the payload's own time.
        """
        self._now += 1_000 + int(self.random.random() * 4_000)
        at = self.time_in(0)
        if time_field := _TIME_FIELDS[kind]:
            fields[time_field] = at
        if user is not None:
            user.version += 1
            fields["user_id"] = user.user_id
        event = AuthEvent(
            event_id=self._event_id(),
            timestamp=at,
            source=catalog.DEFAULT_SOURCE,
            version=user.version if user else 0,
            actor=actor,
            **{catalog.BY_MESSAGE[kind].payload_field: kind(**fields)},  # type: ignore[arg-type]  # the field of `kind`
        )
        self._emitted.append(SimulatedEvent(event, self._attack))
        return event

    def _event_id(self) -> str:
        """A UUIDv7 with the microseconds in its ``rand_a`` (RFC 9562 section 6.2, method 3)."""
        milliseconds, microseconds = divmod(self._now, 1_000)
        fraction = (microseconds << 12) // 1_000
        number = milliseconds << 80 | 7 << 76 | fraction << 64 | 2 << 62 | self.random.getrandbits(62)
        return str(UUID(int=number))


def _time_field(event_type: catalog.EventType) -> str:
    """The payload's own time: its first required timestamp; empty if it has none."""
    times = (f for f in event_type.fields if f.descriptor.message_type is Timestamp.DESCRIPTOR)
    return next((field.name for field in times if field.rules.required), "")


_TIME_FIELDS = {event_type.message: _time_field(event_type) for event_type in catalog.EVENT_TYPES.values()}
