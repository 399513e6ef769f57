"""The clock of a simulated world, who lives in it, and what it tells."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING, Any

from google.protobuf.timestamp_pb2 import Timestamp

from immersiverse.auth.events import catalog
from immersiverse.auth.events.v1.events_pb2 import Actor, AuthEvent

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from immersiverse.auth.events.simulation.people import User

Process = Iterator[float]
"""Something that goes on in the world. It yields how many seconds it waits before it goes on."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = 1_000_000  # in microseconds, the precision of the contract


class World:
    """A discrete-event simulation: processes that wait, act and tell events.

    Args:
        seed: decides everything.
        start: when it begins, an aware datetime.

    Attributes:
        random: the only source of chance.
        users: everyone who ever signed up.
    """

    def __init__(self, seed: int, start: datetime) -> None:
        self.random = Random(seed)  # noqa: S311 - repeatable, and nobody's secret
        self.users: list[User] = []
        self._now = int((start - _EPOCH).total_seconds()) * _SECOND
        self._waiting: list[tuple[int, int, Process]] = []
        self._begun = 0
        self._told: deque[AuthEvent] = deque()

    @property
    def seconds(self) -> float:
        """The time, in seconds since 1970."""
        return self._now / _SECOND

    def begin(self, process: Process) -> None:
        """Let something go on from now."""
        self._begun += 1
        heapq.heappush(self._waiting, (self._now, self._begun, process))

    def moment(self) -> Timestamp:
        """The time of the next event: a few milliseconds after whatever was told before."""
        self._now += 1_000 + int(self.random.random() * 4_000)
        seconds, microseconds = divmod(self._now, _SECOND)
        return Timestamp(seconds=seconds, nanos=microseconds * 1_000)

    def tell(
        self, at: Timestamp, payload: Message, user: User | None = None, actor: Actor | None = None
    ) -> AuthEvent:
        """Tell an event that happens now.

        Args:
            at: this moment.
            payload: what happens.
            user: whom it is about; the event is unversioned without one.
            actor: who does it, if not the user.
        """
        content: dict[str, Any] = {catalog.BY_MESSAGE[type(payload)].arm: payload}
        event = AuthEvent(
            event_id=self._event_id(),
            timestamp=at,
            source=catalog.DEFAULT_SOURCE,
            version=user.next_version() if user else 0,
            actor=actor,
            **content,
        )
        self._told.append(event)
        return event

    def run(self) -> Iterator[AuthEvent]:
        """Everything that is told, for ever, or until nothing goes on any more."""
        while self._waiting:
            due, number, process = heapq.heappop(self._waiting)
            self._now = max(self._now, due)
            wait = next(process, None)
            if wait is not None:
                heapq.heappush(self._waiting, (self._now + int(wait * _SECOND), number, process))
            while self._told:
                yield self._told.popleft()

    def chance(self, probability: float) -> bool:
        """Whether something happens that has this probability."""
        return self.random.random() < probability

    def token(self) -> str:
        """A random identifier in the form of a UUIDv4 (RFC 9562)."""
        return _uuid(self.random.getrandbits(128) & ~(0xF << 76) & ~(3 << 62) | 4 << 76 | 2 << 62)

    def _event_id(self) -> str:
        """A UUIDv7 with the microseconds in its ``rand_a`` (RFC 9562 section 6.2, method 3)."""
        milliseconds, microseconds = divmod(self._now, 1_000)
        fraction = (microseconds << 12) // 1_000
        return _uuid(milliseconds << 80 | 7 << 76 | fraction << 64 | 2 << 62 | self.random.getrandbits(62))


def _uuid(number: int) -> str:
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
