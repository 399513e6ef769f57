"""When to try again: exponential backoff with jitter."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Retry:
    """How often and how soon a failed handler is tried again.

    Attributes:
        attempts: how often in all, the first included; after that the message is dead-lettered.
        first: the delay after the first failure, in seconds.
        factor: by what each further delay grows.
        longest: the greatest delay, in seconds.
        jitter: the share of a delay that chance may take off it, so that failures do not return in step.
    """

    attempts: int = 5
    first: float = 0.2
    factor: float = 3.0
    longest: float = 60.0
    jitter: float = 0.5

    def exhausted(self, failures: int) -> bool:
        """Whether this many failures are enough."""
        return failures >= self.attempts

    def delay(self, failures: int) -> float:
        """Seconds until the next attempt, after this many failures, from 1."""
        exponent = min(failures - 1, 64)  # beyond it every sane delay is at its longest
        full = min(self.first * self.factor**exponent, self.longest)
        return full * (1 - self.jitter * random.random())  # noqa: S311 - spreads load, keeps no secret
