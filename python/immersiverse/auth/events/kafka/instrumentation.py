"""Calls hooks, and sums up what a producer reports so that hooks are called once for many events.

Nothing here owns a thread. `PublishMetrics` is fed by any number of threads; its lock covers the sums.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from typing import TYPE_CHECKING

from immersiverse.auth.events.logs import get_logger
from immersiverse.auth.events.observability.hooks import Durations, Published

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from immersiverse.auth.events.observability.hooks import Detail, Hook

    Outcome = tuple[str, str, str]

_log = get_logger(__name__)
_REPORT_EVERY = 0.1  # seconds


class HookDispatcher:
    """A hook that calls every hook. One that raises is logged the first time, and called again.

    Args:
        hooks: what is called; without any the dispatcher is false, and no detail need be made.
    """

    def __init__(self, hooks: Sequence[Hook]) -> None:
        self._hooks = tuple(hooks)
        self._raised: set[int] = set()

    def __bool__(self) -> bool:
        return bool(self._hooks)

    def joined_by(self, hook: Hook) -> HookDispatcher:
        """A dispatcher that calls one more hook, last."""
        return HookDispatcher((*self._hooks, hook))

    def __call__(self, detail: Detail) -> None:
        """Call every hook with a detail."""
        for place, hook in enumerate(self._hooks):
            try:
                hook(detail)
            except Exception:  # noqa: BLE001 - a hook only watches: what it raises must stop nothing
                if place not in self._raised:
                    self._raised.add(place)
                    _log.exception("hook raised; it is still called, further errors are not logged: %r", hook)


class PublishMetrics:
    """Sums by topic, event type and outcome, with which hooks are notified now and then."""

    def __init__(self, notify: Callable[[Detail], None]) -> None:
        self._notify = notify
        self._done: deque[tuple[Outcome, float]] = deque()
        self._taken: defaultdict[Outcome, list[float]] = defaultdict(list)
        self._lock = threading.Lock()
        self._due = 0.0

    def count(self, topic: str, event_type: str, error: str, begun: float) -> None:
        """A message was answered for; its duration ends with the next report, which follows at once.

        Args:
            topic: where it went.
            event_type: its short name.
            error: librdkafka's name of the reason if it failed; empty if not.
            begun: when it was sent, on `time.perf_counter`.
        """
        self._done.append(((topic, event_type, error), begun))

    def report(self, *, more_to_come: bool) -> None:
        """Measure what was counted since the last call; notify now and then, and at the end.

        Args:
            more_to_come: whether deliveries are pending, so that notifying can wait.
        """
        now = time.perf_counter()
        with self._lock:
            self._measure(now)
            if more_to_come and now < self._due:
                return
            taken, self._taken, self._due = self._taken, defaultdict(list), now + _REPORT_EVERY
        for (topic, event_type, code), seconds in taken.items():
            durations = Durations()
            durations.extend(seconds)
            self._notify(Published(topic, event_type, code, durations))

    def _measure(self, now: float) -> None:
        while self._done:
            outcome, begun = self._done.popleft()
            self._taken[outcome].append(now - begun)
