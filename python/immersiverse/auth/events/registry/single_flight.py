"""A cache that asks once: threads that want the same unknown value at the same time wait for one answer.

Each value is loaded in a daemon thread of its own, so that callers can stop waiting, and the process can
exit, while a response is outstanding. A lock guards what is under way; values are read without it.
"""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar

from immersiverse.auth.events.registry.limits import begin, result

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

K = TypeVar("K")
V = TypeVar("V")

_CAPACITY = 1024  # loads whose outcome may be remembered for a while; the oldest are dropped first


class SingleFlight(Generic[K, V]):
    """Remembers what `load` returned or raised.

    Args:
        load: gets the value of a key.
        patience: seconds to wait for it, with all its requests.
        lifetime: for how many seconds an outcome is remembered, a value or an error; by default a value for
            ever, and an error not at all.
    """

    def __init__(
        self,
        load: Callable[[K], V],
        *,
        patience: float = 30.0,
        lifetime: Callable[[V | BaseException], float] = lambda outcome: (
            0.0 if isinstance(outcome, BaseException) else math.inf
        ),
    ) -> None:
        self._load = load
        self._patience = patience
        self._lifetime = lifetime
        self._values: dict[K, V] = {}
        self._flights: OrderedDict[K, tuple[Future[V], float]] = OrderedDict()  # and when each began
        self._lock = threading.Lock()

    def get(self, key: K) -> V:
        """The value of a key.

        Raises:
            RegistryUnavailable: there is none within `patience` seconds since it was first asked for.
            Exception: what `load` raises.
        """
        if key in self._values:
            return self._values[key]
        flight, begun = self._flight(key)
        value = result(flight, begun + self._patience - time.monotonic(), self._patience)
        if self._lifetime(value) == math.inf:
            self._values[key] = value
        return value

    def _flight(self, key: K) -> tuple[Future[V], float]:
        """The load of a key, begun unless it is under way or its outcome is remembered."""
        now = time.monotonic()
        with self._lock:
            flight, begun = self._flights.get(key, (None, 0.0))
            if flight is None or (flight.done() and now >= begun + self._remembered(flight)):
                flight, begun = begin(self._patience, partial(self._load, key)), now
                self._flights[key] = flight, begun
                self._flights.move_to_end(key)
                if len(self._flights) > _CAPACITY:
                    self._flights.popitem(last=False)
            return flight, begun

    def _remembered(self, flight: Future[V]) -> float:
        error = flight.exception()
        return self._lifetime(flight.result() if error is None else error)
