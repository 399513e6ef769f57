"""Serves librdkafka's reports: by the threads that send and wait, or else by the producer's own.

One thread serves at a time, which holds ``_serving``, so that reports are taken in their order.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final, Protocol

from confluent_kafka import KafkaError, KafkaException

from immersiverse.auth.events.errors import PublisherUnusable
from immersiverse.auth.events.kafka.producer.delivery import waiting_refused
from immersiverse.auth.events.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from confluent_kafka import Message

    from immersiverse.auth.events.kafka.producer.reports import DeliveryReports

    Headers = list[tuple[str, str | bytes | None]]
    Report = Callable[[KafkaError | None, Message], None]

_log = get_logger(__name__)
_TICK: Final = 0.01  # seconds; how late a report may be served
_IDLE: Final = 1.0  # seconds; how late librdkafka's log lines and statistics may be served without messages
_POLL_EVERY: Final = 16  # messages; to poll after each would take longer than to queue it
_GIVE_UP: Final = 5.0  # seconds for librdkafka to report what was purged


class ProducerClient(Protocol):
    """What the core needs of librdkafka's producer; tests put another in its place."""

    def produce(  # noqa: PLR0913, D102 - as Confluent's producer has it, and means it
        self, topic: str, value: bytes | None = None, key: bytes | None = None, partition: int = -1, *,
        headers: Headers, on_delivery: Report, timestamp: int = 0,
    ) -> None: ...  # fmt: skip
    def poll(self, timeout: float = -1) -> int: ...  # noqa: D102
    def flush(self, timeout: float = -1) -> int: ...  # noqa: D102
    def purge(self) -> None: ...  # noqa: D102


class ReportServer:
    """Polls one producer, and has its reports taken.

    Attributes:
        sent: how many messages were queued.
        abandoned: set to end `serve_while_idle` without a lock, for the garbage collector.
    """

    def __init__(self, producer: ProducerClient, reports: DeliveryReports) -> None:
        self.abandoned = False
        self._producer = producer
        self._reports = reports
        self._serving = threading.Lock()
        self._served_by = 0  # the thread that holds it
        self._busy = threading.Event()
        self._stopped = False
        self.sent = 0
        self._waiting = 0  # threads that poll until nothing is pending

    def poll(self, seconds: float = _TICK) -> None:
        """Serve reports, waiting for the first this long; while another thread does, wait for that one.

        Raises:
            PublisherUnusable: if it is to wait within a callback of librdkafka's.
        """
        if self._served_by == threading.get_ident():
            if seconds > 0:
                raise PublisherUnusable("a callback of librdkafka's cannot wait for its producer")
        elif self._serving.acquire(blocking=False):
            self._serve(self._producer.poll, seconds)
        elif seconds > 0 and self._serving.acquire(timeout=seconds):
            self._serving.release()  # what this thread waits for may be known now

    def after_sending(self) -> bool:
        """Serve now and then. Whether `serve_while_idle` has to run from now on."""
        self.sent += 1
        if not self.sent % _POLL_EVERY:
            self.poll(0)
        if self._busy.is_set():
            return False
        self._busy.set()
        return True

    def wait(self, seconds: float | None) -> None:
        """Serve until there is nothing to learn any more and every callback has run, at most this long."""
        end = None if seconds is None else time.monotonic() + seconds
        self._waiting += 1
        try:
            self.poll(0)
            while self._reports.has_work and (end is None or time.monotonic() < end):
                self.poll()
        finally:
            self._waiting -= 1

    def give_up(self) -> None:
        """Complete everything now: what no broker has acknowledged fails."""
        self._producer.purge()
        if self._served_by != threading.get_ident() and self._serving.acquire(timeout=_GIVE_UP):
            self._serve(self._producer.flush, _GIVE_UP)
        self._reports.measure(more_to_come=False)

    def stop(self) -> None:
        """End `serve_while_idle`."""
        self._stopped = True
        self._busy.set()

    def serve_while_idle(self) -> None:
        """Serve reports while no other thread does, until it is stopped or abandoned.

        Threads that send many messages poll themselves: two that serve in turn mostly wait for each other.
        """
        last = 0
        while not self._stopped and not self.abandoned:
            sent = self.sent
            if not self._busy.wait(_IDLE):
                self.poll(0)
            elif self._waiting or sent - last >= _POLL_EVERY:
                time.sleep(_TICK)
            else:
                self.poll()
                self._rest()
            last = sent

    def _rest(self) -> None:
        """Wait for the next message if none is pending; in this order, so that none slips in unseen."""
        self._busy.clear()
        if self._reports.pending or self._stopped:
            self._busy.set()

    def _serve(self, serve: Callable[[float], int], seconds: float) -> None:
        """Let librdkafka report, in a thread that holds ``_serving``."""
        self._served_by = threading.get_ident()
        served = 0
        try:
            with waiting_refused("a callback of librdkafka's cannot wait for it"):
                served = serve(seconds)
        except Exception as error:  # noqa: BLE001 - anything that a user's callback for librdkafka raises
            self._on_client_error(error)
        finally:
            self._reports.hand_over()
            self._served_by = 0
            self._serving.release()
        if served:
            self._reports.measure(more_to_come=bool(self._reports.pending))

    def _on_client_error(self, error: Exception) -> None:
        """A client reports a fatal error by an exception, once."""
        reason = error.args[0] if isinstance(error, KafkaException) and error.args else None
        if isinstance(reason, KafkaError) and reason.fatal():
            self._reports.fail_fatally(reason)
        else:
            _log.error("a callback of the producer raised", exc_info=error)
