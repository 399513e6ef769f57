"""Counts what a subscriber handles, so that hooks hear of batches and not of every event."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from immersiverse.auth.events.events import type_name
from immersiverse.auth.events.observability.hooks import Consumed, Durations
from immersiverse.auth.events.serialization.unknown import UnknownEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from immersiverse.auth.events.kafka.job import Reading
    from immersiverse.auth.events.observability.hooks import Detail
    from immersiverse.auth.events.serialization.unknown import Decoded

_MEASURED = 0.001  # seconds of handling one event from which its own time is told
_NANOSECOND = 1e-9


@dataclass(slots=True)
class Notes:
    """What was handled of one topic since the last report.

    Attributes:
        kinds: the payload field of each event that was handled at once, or a word for those that have none.
        latest: the last of all.
        measured: how long others took, by kind.
        spent: seconds that went into those of them that were handled at once.
    """

    kinds: list[str] = field(default_factory=list)
    latest: Decoded | None = None
    measured: defaultdict[str, Durations] = field(default_factory=lambda: defaultdict(Durations))
    spent: float = 0.0

    def add(self, kind: str, event: Decoded | None, seconds: float) -> None:
        """An event was handled at once, which took this long."""
        self.latest = event
        if seconds < _MEASURED:
            self.kinds.append(kind)
        else:
            self.measured[kind].add(seconds)
            self.spent += seconds


class Tally:
    """Counts by topic and type between two reports.

    Args:
        tell: who hears of the sums.
        names: short names of event types by the envelope's payload field.
    """

    def __init__(self, tell: Callable[[Detail], None], names: Mapping[str, str]) -> None:
        self._tell = tell
        self._names = names
        self._notes: defaultdict[str, Notes] = defaultdict(Notes)

    def notes(self, topic: str) -> Notes:
        """Where each event of a topic is noted that was handled at once: for speed, by whoever handled it."""
        return self._notes[topic]

    def add(self, topic: str, reading: Reading, seconds: float) -> None:
        """One event was handled aside, which took this long."""
        notes = self._notes[topic]
        notes.measured[reading.payload_field or type_name(reading.event)].add(seconds)
        notes.latest = reading.event

    def report(self, seconds: float = 0.0) -> None:
        """Tell what was handled since the last report.

        Args:
            seconds: the time that went into events handled at once, which share it but for those measured.
        """
        at_once = sum(len(notes.kinds) for notes in self._notes.values())
        spent = sum(notes.spent for notes in self._notes.values())
        each = max(0.0, seconds - spent) / max(1, at_once)
        for topic, notes in self._notes.items():
            for kind, count in Counter(notes.kinds).items():
                notes.measured[kind].add(each, count)
            for kind, durations in notes.measured.items():
                self._tell(Consumed(topic, self._names.get(kind, kind), durations, _age(notes.latest)))
            notes.kinds.clear()
            notes.measured.clear()
            notes.spent = 0.0


def _age(event: Decoded | None) -> float:
    """Seconds since an event happened."""
    if event is None:
        return 0.0
    happened = (event.envelope if isinstance(event, UnknownEvent) else event).timestamp
    return max(0.0, time.time() - happened.seconds - happened.nanos * _NANOSECOND)
