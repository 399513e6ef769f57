"""Serves a producer, and calls back whoever asked what became of an event."""

from __future__ import annotations

import logging
import threading
from collections import deque
from typing import TYPE_CHECKING

from confluent_kafka import KafkaError, KafkaException

from immersiverse.auth.events.errors import PublisherUnusable

if TYPE_CHECKING:
    from collections.abc import Callable

    from confluent_kafka import Producer

    from immersiverse.auth.events.kafka.delivery import Delivery

_log = logging.getLogger(__name__)


class Polling:
    """Polls a producer from any number of threads, and makes its users' callbacks after that.

    Not within librdkafka's own: there a client that is polled again, as publishing and waiting do, ends the
    process with a failed assertion.

    Args:
        producer: what is polled.

    Attributes:
        settled: takes a delivery that is settled and has callbacks; also from within librdkafka's own.
        fatal: why the producer is of no use any more; None as long as it is.
    """

    def __init__(self, producer: Producer) -> None:
        self._producer = producer
        self._due: deque[Delivery] = deque()
        self._inside: set[int] = set()  # threads in librdkafka's callbacks
        self._serving = threading.Lock()  # one thread at a time, so that reports are settled in their order
        self._calling: set[int] = set()  # threads in users' callbacks
        self.settled = self._due.append
        self.fatal: KafkaError | None = None

    @property
    def callbacks_are_due(self) -> bool:
        """Whether this thread has callbacks to make when it polls."""
        return bool(self._due) and threading.get_ident() not in self._calling

    def poll(self, seconds: float) -> int:
        """Serve the producer, waiting for something to do this long. How much there was.

        While another thread does, it waits for that one instead.

        Raises:
            PublisherUnusable: if it is to wait within a callback of librdkafka's.
        """
        served = 0
        if not self._is_inside(waits=seconds > 0):
            if self._serving.acquire(blocking=False):
                served = self._serve(lambda: self._producer.poll(seconds))
            elif seconds > 0 and self._serving.acquire(timeout=seconds):
                self._serving.release()  # what this thread waits for may be settled now
        self._call_back()
        return served

    def flush(self, seconds: float) -> None:
        """Serve the producer until nothing is under way, at most this long."""
        if not self._is_inside(waits=False) and self._serving.acquire(timeout=seconds):
            self._serve(lambda: self._producer.flush(seconds))
        self._call_back()

    def _is_inside(self, *, waits: bool) -> bool:
        inside = threading.get_ident() in self._inside
        if inside and waits:
            raise PublisherUnusable("a callback of librdkafka's cannot wait for the publisher")
        return inside

    def _serve(self, serve: Callable[[], int]) -> int:
        """Let librdkafka make its callbacks, in a thread that has the turn."""
        thread = threading.get_ident()
        self._inside.add(thread)
        try:
            return serve()
        except Exception as error:  # noqa: BLE001 - whatever a callback raises that its user gave librdkafka
            self._heed(error)
        finally:
            self._inside.discard(thread)
            self._serving.release()
        return 0

    def _heed(self, error: Exception) -> None:
        """A client says by an exception, once, that it is done for; deliveries say so, too."""
        reason = error.args[0] if isinstance(error, KafkaException) and error.args else None
        if isinstance(reason, KafkaError) and reason.fatal():
            self.fatal = reason
            _log.critical("the producer is of no use any more: %s", reason.str())
        else:
            _log.error("a callback of the producer raised", exc_info=error)

    def _call_back(self) -> None:
        """Make the callbacks that are due, but within none: what it publishes may be answered on the spot."""
        thread = threading.get_ident()
        if not self._due or thread in self._calling or thread in self._inside:
            return
        self._calling.add(thread)
        try:
            for _ in range(len(self._due)):
                self._due.popleft().call_back()
        except IndexError:  # another thread makes the rest
            pass
        finally:
            self._calling.discard(thread)
