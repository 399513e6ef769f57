"""Counts what brokers answer a publisher, so that hooks hear of batches and not of every event."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from immersiverse.auth.events import catalog
from immersiverse.auth.events.observability.durations import Durations
from immersiverse.auth.events.observability.hooks import Published
from immersiverse.auth.events.v1.events_pb2 import AuthEvent

if TYPE_CHECKING:
    from collections.abc import Callable

    from immersiverse.auth.events.kafka.delivery import Delivery
    from immersiverse.auth.events.observability.hooks import Detail

    Kind = tuple[str, str | None, str]

# Found on the class in half the time that an event takes, which tries its fields first.
_which = AuthEvent.WhichOneof


class Deliveries:
    """Counts by topic, type and outcome between two reports, for any number of threads.

    Args:
        tell: who hears of the sums.
    """

    def __init__(self, tell: Callable[[Detail], None]) -> None:
        self._tell = tell
        self._durations: dict[Kind, Durations] = {}
        self._lock = threading.Lock()

    def count(self, delivery: Delivery) -> None:
        """One delivery's fate is known."""
        error = delivery.error
        kind = (delivery.topic, _which(delivery.event, "payload"), error.code if error else "")
        seconds = time.perf_counter() - delivery.begun
        with self._lock:
            durations = self._durations.get(kind)
            if durations is None:
                durations = self._durations[kind] = Durations()
            durations.add(seconds)

    def report(self) -> None:
        """Tell what was counted since the last report."""
        if not self._durations:
            return
        with self._lock:
            counted, self._durations = self._durations, {}
        for (topic, arm, error), durations in counted.items():
            self._tell(Published(topic, catalog.BY_ARM[arm or ""].name, error, durations))
