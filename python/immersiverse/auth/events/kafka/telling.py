"""Tells hooks what happens, and keeps their failures from the work."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from immersiverse.auth.events.observability.hooks import Detail, Hook

_log = logging.getLogger(__name__)


class Telling:
    """Calls every hook with every detail. A hook that raises is logged the first time, and called again.

    Args:
        hooks: what is told; without any it is false, and nobody need make a detail.
    """

    def __init__(self, hooks: Sequence[Hook]) -> None:
        self._hooks = tuple(hooks)
        self._raised: set[int] = set()

    def __bool__(self) -> bool:
        return bool(self._hooks)

    def __call__(self, detail: Detail) -> None:
        """Tell every hook."""
        for place, hook in enumerate(self._hooks):
            try:
                hook(detail)
            except Exception:  # noqa: BLE001 - a hook only watches: what it raises must stop nothing
                if place not in self._raised:
                    self._raised.add(place)
                    _log.exception("a hook raised; it will be called on, and not be logged again: %r", hook)
