"""Sums of what a subscriber handled, so that hooks are called once for many events.

Used in the event loop's thread only.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from immersiverse.auth.events import catalog
from immersiverse.auth.events.observability.hooks import Consumed, Durations
from immersiverse.auth.events.serialization.unknown import UnknownEvent

if TYPE_CHECKING:
    from collections.abc import Callable

    from immersiverse.auth.events.observability.hooks import Detail
    from immersiverse.auth.events.serialization.unknown import Decoded
    from immersiverse.auth.events.v1.events_pb2 import AuthEvent

_NAMES: Final = {event_type.payload_field: event_type.name for event_type in catalog.EVENT_TYPES.values()}
_MEASURED = 0.001  # seconds of handling from which an event's own time is reported
_NANOSECOND = 1e-9


@dataclass(slots=True)
class TopicStats:
    """What was handled of one topic since the last report.

    Attributes:
        quick: the kind of each event that took less than a millisecond: a list append is all that it costs.
        quick_seconds: how long those took together.
        slower: how long the others took, by kind.
        last: the last event.
    """

    quick: list[str] = field(default_factory=list)
    quick_seconds: float = 0.0
    slower: defaultdict[str, Durations] = field(default_factory=lambda: defaultdict(Durations))
    last: Decoded | None = None

    def add(self, kind: str, seconds: float) -> None:
        """Count one event.

        Args:
            kind: the envelope's payload field, or `type_name` for events without one.
            seconds: the time in its handler.
        """
        if seconds < _MEASURED:
            self.quick.append(kind)
            self.quick_seconds += seconds
        else:
            self.slower[kind].add(seconds)


class ConsumeMetrics:
    """Sums by topic and event type, with which hooks are notified at each report."""

    def __init__(self, notify: Callable[[Detail], None]) -> None:
        self._notify = notify
        self._topics: defaultdict[str, TopicStats] = defaultdict(TopicStats)

    def topic(self, name: str) -> TopicStats:
        """Where to count the events of a topic."""
        return self._topics[name]

    def report(self) -> None:
        """Call the hooks with what was handled since the last report."""
        for topic, stats in self._topics.items():
            durations = stats.slower
            mean = stats.quick_seconds / max(1, len(stats.quick))
            for kind, count in Counter(stats.quick).items():
                durations[kind].add(mean, count)
            for kind, taken in durations.items():
                self._notify(Consumed(topic, _NAMES.get(kind, kind), taken, _age(stats.last)))
            stats.quick.clear()
            stats.quick_seconds = 0.0
            stats.slower.clear()


def envelope_of(event: Decoded) -> AuthEvent:
    """The envelope, also of an event whose type the contract does not know."""
    return event.envelope if isinstance(event, UnknownEvent) else event


def _age(event: Decoded | None) -> float:
    """Seconds since an event happened."""
    if event is None:
        return 0.0
    happened = envelope_of(event).timestamp
    return max(0.0, time.time() - happened.seconds - happened.nanos * _NANOSECOND)
