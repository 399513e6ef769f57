"""A cache that asks once: threads that want the same unknown value at the same time wait for one answer.

Each value is loaded in a daemon thread of its own, so that callers can stop waiting, and the process can
exit, while a response is outstanding. A lock guards errors and loads; values are read without it.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from concurrent.futures import Future
from typing import TYPE_CHECKING, Generic, TypeVar

from immersiverse.auth.events.registry.limits import timed_out

if TYPE_CHECKING:
    from collections.abc import Callable

K = TypeVar("K")
V = TypeVar("V")


class SingleFlight(Generic[K, V]):
    """Remembers what `load` returned forever, and that it raised one of `remembered_errors` for a while.

    Args:
        load: gets the value of a key.
        patience: seconds to wait for it.
        remembered_errors: errors that the next attempt would raise again; others are never remembered.
        seconds: how long such an error is raised without another attempt.
        capacity: how many errors are kept; the oldest are dropped first.
    """

    def __init__(
        self,
        load: Callable[[K], V],
        *,
        patience: float = 30.0,
        remembered_errors: tuple[type[Exception], ...] = (),
        seconds: float = 30.0,
        capacity: int = 1024,
    ) -> None:
        self._load = load
        self._patience = patience
        self._remembered_errors = remembered_errors
        self._seconds = seconds
        self._capacity = capacity
        self._values: dict[K, V] = {}
        self._errors: OrderedDict[K, tuple[float, BaseException]] = OrderedDict()
        self._flights: dict[K, tuple[Future[V], float]] = {}
        self._lock = threading.Lock()

    def get(self, key: K) -> V:
        """The value of a key.

        Raises:
            RegistryUnavailable: there is none within `patience` seconds since it was first asked for.
            Exception: what `load` raises.
        """
        if key in self._values:
            return self._values[key]
        flight, until = self._flight(key)
        try:
            return flight.result(max(until - time.monotonic(), 0))
        except TimeoutError:
            if flight.done():
                return flight.result()  # it came now, or `load` raised a TimeoutError of its own
            raise timed_out(self._patience) from None

    def _flight(self, key: K) -> tuple[Future[V], float]:
        """The load of a key, begun unless it is under way, and until when to wait for it."""
        flight: Future[V] = Future()
        with self._lock:
            if key in self._values:  # loaded since `get` looked
                flight.set_result(self._values[key])
                return flight, 0.0
            known = self._errors.get(key)
            if known and time.monotonic() - known[0] < self._seconds:
                raise known[1]
            if key not in self._flights:
                threading.Thread(
                    target=self._fly, args=(key, flight), name="auth-events-registry", daemon=True
                ).start()
                self._flights[key] = flight, time.monotonic() + self._patience
            return self._flights[key]

    def _fly(self, key: K, flight: Future[V]) -> None:
        try:
            value = self._load(key)
        except BaseException as error:  # noqa: BLE001 - it is raised in all threads that wait
            with self._lock:
                self._flights.pop(key)
                self._remember(key, error)
            flight.set_exception(error)
        else:
            with self._lock:
                self._flights.pop(key)
                self._values[key] = value
            flight.set_result(value)

    def _remember(self, key: K, error: BaseException) -> None:
        if not isinstance(error, self._remembered_errors):
            return
        self._errors[key] = (time.monotonic(), error)
        self._errors.move_to_end(key)
        if len(self._errors) > self._capacity:
            self._errors.popitem(last=False)
