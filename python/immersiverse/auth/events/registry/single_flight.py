"""A cache that asks once: threads that want the same unknown value at the same time wait for one answer."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

K = TypeVar("K")
V = TypeVar("V")


class SingleFlight(Generic[K, V]):
    """Remembers what `load` returned, for ever; and for a while that it raised one of `remembered_errors`.

    Args:
        load: gets the value of a key.
        remembered_errors: errors that asking again would repeat; others are never remembered.
        seconds: how long such an error is repeated without asking.
        capacity: how many errors are kept; the oldest go first.
    """

    def __init__(
        self,
        load: Callable[[K], V],
        *,
        remembered_errors: tuple[type[Exception], ...] = (),
        seconds: float = 30.0,
        capacity: int = 1024,
    ) -> None:
        self._load = load
        self._remembered_errors = remembered_errors
        self._seconds = seconds
        self._capacity = capacity
        self._values: dict[K, V] = {}
        self._errors: OrderedDict[K, tuple[float, Exception]] = OrderedDict()
        self._flights: dict[K, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, key: K) -> V:
        """The value of a key. Raises what `load` raises."""
        try:
            return self._values[key]
        except KeyError:
            pass
        with self._lock:
            flight = self._flights.setdefault(key, threading.Lock())
        try:
            with flight:
                return self._values[key] if key in self._values else self._ask(key)
        finally:
            with self._lock:
                self._flights.pop(key, None)

    def _ask(self, key: K) -> V:
        known = self._errors.get(key)
        if known and time.monotonic() - known[0] < self._seconds:
            raise known[1]
        try:
            value = self._values[key] = self._load(key)
        except self._remembered_errors as error:
            self._remember(key, error)
            raise
        return value

    def _remember(self, key: K, error: Exception) -> None:
        with self._lock:
            self._errors[key] = (time.monotonic(), error)
            self._errors.move_to_end(key)
            if len(self._errors) > self._capacity:
                self._errors.popitem(last=False)
