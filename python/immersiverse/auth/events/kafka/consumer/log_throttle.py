"""Keeps a warning that repeats from filling the log."""

from __future__ import annotations

import time
from typing import Final

REMIND_AFTER: Final = 60.0
"""Seconds until the same warning is logged again."""


class LogThrottle:
    """Lets each reason into the log once a minute."""

    def __init__(self) -> None:
        self._logged: dict[str, float] = {}

    def is_due(self, reason: str) -> bool:
        """Whether a warning with this reason should be logged now; then the next one is due in a minute."""
        now = time.monotonic()
        if now - self._logged.get(reason, -REMIND_AFTER) < REMIND_AFTER:
            return False
        self._logged[reason] = now
        return True
