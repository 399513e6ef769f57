"""librdkafka's statistics, for hooks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_INTERVAL: Final = "statistics.interval.ms"
_CALLBACK: Final = "stats_cb"
_EVERY: Final = 5_000  # milliseconds


def with_statistics(settings: Mapping[str, Any], heed: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Settings of a client that tells its statistics, every five seconds unless they say otherwise.

    Args:
        settings: librdkafka's; an interval of 0 means that there shall be none, and a callback of the user's
            goes on hearing them.
        heed: is called with each parsed document, in the thread that polls.
    """
    users: Callable[[str], object] | None = settings.get(_CALLBACK)

    def callback(text: str) -> None:
        heed(json.loads(text))
        if users is not None:
            users(text)

    return {_INTERVAL: _EVERY, **settings, _CALLBACK: callback}
