"""How far the demonstration is, in figures."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from immersiverse.auth.events.simulation import OrderWatch, Tally
from immersiverse.auth.events.v1.events_pb2 import AuthEvent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from immersiverse.auth.events.serialization.codec import Decoded


@dataclass(slots=True)
class Progress:
    """What has arrived so far.

    Attributes:
        wanted: how many events are to arrive.
        tally: what they say.
        order: whether each user's came in order.
        bytes: how many bytes of values were published.
        seconds: from the first event that arrived to the last, as they came in.
    """

    wanted: int
    tally: Tally = field(default_factory=Tally)
    order: OrderWatch = field(default_factory=OrderWatch)
    bytes: int = 0
    seconds: float = 0.0
    _began: float = field(default_factory=time.perf_counter)

    def take(self, events: Iterable[Decoded], published_bytes: int) -> None:
        """Count a batch that arrived."""
        for event in events:
            if isinstance(event, AuthEvent):
                self.tally.count(event)
                self.order.see(event)
        self.bytes = published_bytes
        self.seconds = time.perf_counter() - self._began

    def restart_clock(self) -> None:
        """Measure from now: what came before was preparation."""
        self._began = time.perf_counter()

    @property
    def arrived(self) -> int:
        """How many events have arrived."""
        return self.tally.total

    @property
    def per_second(self) -> float:
        """Events that arrived a second."""
        return self.arrived / self.seconds if self.seconds else 0.0


def summary(progress: Progress) -> dict[str, Any]:
    """The figures as JSON."""
    tally = progress.tally
    return {
        "events": progress.arrived,
        "seconds": round(progress.seconds, 3),
        "eventsPerSecond": round(progress.per_second),
        "bytesPerEvent": round(progress.bytes / progress.arrived, 1) if progress.arrived else 0,
        "simulatedDays": round(tally.days, 2),
        "users": progress.order.users,
        "outOfOrder": progress.order.late,
        "loginSuccessRate": round(tally.success_rate, 4),
        "newUsers": tally.by_type["UserCreated"],
        "failuresByReason": dict(tally.failures.most_common()),
        "byType": dict(tally.by_type.most_common()),
    }
