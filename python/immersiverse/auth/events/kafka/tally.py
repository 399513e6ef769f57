"""Counts what a subscriber handles, so that hooks hear of batches and not of every event."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from immersiverse.auth.events.observability.hooks import Consumed
from immersiverse.auth.events.serialization.unknown import UnknownEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from immersiverse.auth.events.observability.hooks import Detail
    from immersiverse.auth.events.serialization.codec import Decoded

_NANOSECOND = 1e-9


class Tally:
    """Counts by topic and type between two reports.

    Args:
        tell: who hears of the sums.
        names: short names of event types by the envelope's arm.
    """

    def __init__(self, tell: Callable[[Detail], None], names: Mapping[str, str]) -> None:
        self._tell = tell
        self._names = names
        self._counts: dict[tuple[str, str], int] = {}
        self._latest: dict[tuple[str, str], Decoded | None] = {}
        self._begun = time.perf_counter()

    def count(self, topic: str, arm: str, event: Decoded | None) -> None:
        """One event was handled."""
        kind = (topic, arm)
        self._counts[kind] = self._counts.get(kind, 0) + 1
        self._latest[kind] = event

    def report(self) -> None:
        """Tell what was handled since the last report, and share out the time by the number of events."""
        now = time.perf_counter()
        total = sum(self._counts.values())
        for kind, count in self._counts.items():
            topic, arm = kind
            share = (now - self._begun) * count / total
            age = _age(self._latest[kind])
            self._tell(Consumed(topic, self._names.get(arm, "unknown"), count, share, age))
        self._counts.clear()
        self._latest.clear()
        self._begun = now


def _age(event: Decoded | None) -> float:
    """Seconds since an event happened."""
    if event is None:
        return 0.0
    happened = (event.envelope if isinstance(event, UnknownEvent) else event).timestamp
    return max(0.0, time.time() - happened.seconds - happened.nanos * _NANOSECOND)
