"""Counts what a subscriber handles, so that hooks hear of batches and not of every event."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from immersiverse.auth.events.observability.durations import Durations
from immersiverse.auth.events.observability.hooks import Consumed
from immersiverse.auth.events.serialization.unknown import UnknownEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from immersiverse.auth.events.kafka.job import Reading
    from immersiverse.auth.events.observability.hooks import Detail
    from immersiverse.auth.events.serialization.codec import Decoded

_NANOSECOND = 1e-9


@dataclass(slots=True)
class _Sum:
    """What was handled of one kind: how many at once, and how long each took that was measured."""

    topic: str = ""
    at_once: int = 0
    durations: Durations = field(default_factory=Durations)
    latest: Decoded | None = None


class Tally:
    """Counts by topic and type between two reports.

    Args:
        tell: who hears of the sums.
        names: short names of event types by the envelope's arm.
    """

    def __init__(self, tell: Callable[[Detail], None], names: Mapping[str, str]) -> None:
        self._tell = tell
        self._names = names
        self._sums: dict[tuple[str, str], _Sum] = {}
        self._by_arm: dict[str, _Sum] = {}  # of several topics the latest: found without a new key
        self._last = _Sum()
        self._measured = 0.0

    def count(self, topic: str, arm: str, event: Decoded | None) -> None:
        """One event was handled at once; how long all of those took is told to `report`."""
        found = self._by_arm.get(arm)
        if found is None or found.topic != topic:
            found = self._by_arm[arm] = self._sum(topic, arm)
        self._last = found
        found.at_once += 1
        found.latest = event

    def measure(self, seconds: float) -> None:
        """The event that was counted last took so long that it deserves a measure of its own."""
        if self._last.at_once:
            self._last.at_once -= 1
            self._last.durations.add(seconds)
            self._measured += seconds

    def add(self, topic: str, reading: Reading, seconds: float) -> None:
        """One event was handled aside, which took this long."""
        found = self._sum(topic, reading.arm)
        found.durations.add(seconds)
        found.latest = reading.event

    def report(self, seconds: float = 0.0) -> None:
        """Tell what was handled since the last report.

        Args:
            seconds: the time that went into events handled at once, which share it but for those measured.
        """
        if not self._sums:
            return
        at_once = sum(found.at_once for found in self._sums.values())
        each = max(0.0, seconds - self._measured) / max(1, at_once)
        for (topic, arm), found in self._sums.items():
            if found.at_once:
                found.durations.add(each, found.at_once)
            name = self._names.get(arm, "unknown" if found.latest else "tombstone")
            self._tell(Consumed(topic, name, found.durations, _age(found.latest)))
        self._sums.clear()
        self._by_arm.clear()
        self._last, self._measured = _Sum(), 0.0

    def _sum(self, topic: str, arm: str) -> _Sum:
        kind = (topic, arm)
        found = self._sums.get(kind)
        if found is None:
            found = self._sums[kind] = _Sum(topic)
        return found


def _age(event: Decoded | None) -> float:
    """Seconds since an event happened."""
    if event is None:
        return 0.0
    happened = (event.envelope if isinstance(event, UnknownEvent) else event).timestamp
    return max(0.0, time.time() - happened.seconds - happened.nanos * _NANOSECOND)
