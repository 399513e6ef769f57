"""Counts what brokers answer a publisher, so that hooks hear of batches and not of every event."""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from typing import TYPE_CHECKING

from immersiverse.auth.events.observability.hooks import Durations, Published

if TYPE_CHECKING:
    from collections.abc import Callable

    from immersiverse.auth.events.kafka.delivery import Delivery
    from immersiverse.auth.events.observability.hooks import Detail

    Kind = tuple[str, str, str]

_EVERY = 0.1  # seconds


class Deliveries:
    """Counts by topic, type and outcome between two reports, for any number of threads.

    Args:
        tell: who hears of the sums.
    """

    def __init__(self, tell: Callable[[Detail], None]) -> None:
        self._tell = tell
        self._settled: deque[Delivery] = deque()
        self._taken: defaultdict[Kind, list[float]] = defaultdict(list)
        self._lock = threading.Lock()
        self._due = 0.0
        self.count = self._settled.append  # a delivery's fate is known; atomic, and all that a callback needs

    def report(self, *, more_to_come: bool) -> None:
        """Measure what was counted: the answers came just now. Tell of it now and then, and at the end.

        Args:
            more_to_come: whether deliveries are pending, so that telling can wait.
        """
        now = time.perf_counter()
        with self._lock:
            self._measure(now)
            if more_to_come and now < self._due:
                return
            taken, self._taken, self._due = self._taken, defaultdict(list), now + _EVERY
        for (topic, event_type, code), seconds in taken.items():
            durations = Durations()
            durations.extend(seconds)
            self._tell(Published(topic, event_type, code, durations))

    def _measure(self, now: float) -> None:
        settled, taken = self._settled, self._taken
        while settled:
            delivery = settled.popleft()
            error = delivery.error
            kind = delivery.topic, delivery.kind, error.code if error else ""
            taken[kind].append(now - delivery.begun)
