"""How far publishing is: figures, and the lines that were not published."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from immersiverse.auth.events.cli.output import progress_bar, warn, write_json
from immersiverse.auth.events.errors import PublishError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from immersiverse.auth.events.errors import AuthEventsError
    from immersiverse.auth.events.kafka.producer.delivery import Delivery

_SHOW_EVERY = 0.1  # seconds
_SILENCE = 10.0  # seconds without an acknowledgement after which somebody will want to know why


class PublishTally:
    """Counts lines by what became of them, and names those that were not published.

    Args:
        as_json: whether the figures are for a program: as JSON, and nothing moves on the screen meanwhile.

    Attributes:
        published: lines that a broker acknowledged.
        bad: lines that were not published, whatever the reason.
        waiting: lines whose fate is not known yet.
        outage: whether a delivery failed that may succeed later: what follows would fail alike.
    """

    def __init__(self, *, as_json: bool) -> None:
        self.published = 0
        self.bad = 0
        self.waiting = 0
        self.outage = False
        self._as_json = as_json
        self._lock = threading.Lock()  # deliveries may be told by the publisher's own thread
        self._topics: dict[str, int] = {}
        self._begun = time.monotonic()
        self._shown = 0.0
        self._heard = self._begun
        self._silence_told = False
        self._update: Any = None

    def sent(self, _number: int) -> None:
        """A line is on its way."""
        with self._lock:
            if not self.waiting:
                self._heard = time.monotonic()  # before it, there was nothing to hear of
            self.waiting += 1
        if time.monotonic() - self._shown > _SHOW_EVERY:
            self.show()

    def settle(self, number: int, delivery: Delivery) -> None:
        """The fate of a line is known."""
        with self._lock:
            self.waiting -= 1
            self._heard, self._silence_told = time.monotonic(), False
            if delivery.error is None:
                self.published += 1
                self._topics[delivery.topic] = self._topics.get(delivery.topic, 0) + 1
        if delivery.error is not None:
            self.refuse(number, delivery.error)

    def refuse(self, number: int, error: AuthEventsError) -> None:
        """A line is not published."""
        warn(f"line {number}: {error}")
        with self._lock:
            self.bad += 1
            self.outage = self.outage or (isinstance(error, PublishError) and error.retryable)

    def stopped_before(self, number: int) -> None:
        """Nothing from this line on is published."""
        warn(f"line {number} and all that follow are not published: Kafka does not take what came before")

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show on a terminal how far it is, as long as this lasts."""
        with progress_bar("published", silent=self._as_json) as self._update:
            yield

    def show(self) -> None:
        """Show how far it is now."""
        self._shown = time.monotonic()
        self._update(self.published)
        if self.waiting and not self._silence_told and self._shown - self._heard > _SILENCE:
            self._silence_told = True
            warn(
                f"Kafka has acknowledged nothing for {_SILENCE:.0f} s; {self.waiting} events wait for it, "
                "each for as long as delivery.timeout.ms says"
            )

    def interrupted(self) -> None:
        """Whoever interrupts is told what is still waited for."""
        if self.waiting:
            warn(f"interrupted: {self.waiting} events are on their way; Ctrl-C again gives them up")

    def document(self) -> dict[str, Any]:
        """The figures as JSON."""
        return {
            "published": self.published,
            "notPublished": self.bad,
            "topics": dict(sorted(self._topics.items())),
            "seconds": round(time.monotonic() - self._begun, 3),
        }

    def conclude(self) -> None:
        """Sum it up."""
        if self._as_json:
            write_json(self.document())
            return
        seconds = time.monotonic() - self._begun
        where = ", ".join(f"{topic} {count}" for topic, count in sorted(self._topics.items()))
        bad = f"; {self.bad} lines were not published" if self.bad else ""
        warn(f"published {self.published} events in {seconds:.1f} s{f': {where}' if where else ''}{bad}")
