"""When people do things: by the hour of the day where they live."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

_DAY = 86_400
_HOUR = 3_600

# How busy each hour of a local day is, from midnight: quiet nights, long evenings. The mean is 1.
_BUSY = (
    *(0.4, 0.2, 0.1, 0.1, 0.1, 0.2, 0.4, 0.8),
    *(1.0, 1.0, 0.9, 1.0, 1.4, 1.2, 1.0, 1.0),
    *(1.1, 1.4, 1.7, 2.0, 2.2, 2.1, 1.7, 1.0),
)
_PEAK = max(_BUSY)


def until_next(random: Random, now: float, per_day: float, utc_offset: int) -> float:
    """Seconds until somebody does again what they do so often.

    An inhomogeneous Poisson process by thinning: tries at the rate of the busiest hour, each accepted with
    the share of that rate that its own hour has.

    Args:
        random: the source of chance.
        now: seconds since 1970.
        per_day: how often on average.
        utc_offset: hours that their clock is ahead of UTC.
    """
    fastest = per_day * _PEAK / _DAY
    wait = 0.0
    while True:
        wait += random.expovariate(fastest)
        hour = int((now + wait) / _HOUR + utc_offset) % 24
        if random.random() * _PEAK < _BUSY[hour]:
            return wait
