"""Prunes a guard's memory while a subscriber runs; if that blocks, in a thread of its own."""

from __future__ import annotations

import asyncio
import inspect
import logging
import random
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from immersiverse.auth.events.kafka.workers import Workers

if TYPE_CHECKING:
    from datetime import timedelta

_log = logging.getLogger(__name__)
_SPREAD = 0.1  # of the interval: members that start together do not prune together


@runtime_checkable
class Pruned(Protocol):
    """A guard whose memory must be pruned."""

    @property
    def prune_every(self) -> timedelta | None:
        """How often; None for never."""
        ...

    def prune(self) -> Any:
        """Forget what was handled long ago. It may block, or be async."""
        ...


async def prune_regularly(guard: object) -> None:
    """Prune a guard's memory on its schedule, if it has one. A failure is only logged."""
    if not isinstance(guard, Pruned) or guard.prune_every is None:
        return
    seconds, threads = guard.prune_every.total_seconds(), Workers(1)
    try:
        await asyncio.sleep(seconds * _SPREAD * _chance())
        while True:
            await _prune(guard, threads, seconds)
            await asyncio.sleep(seconds * (1 - _SPREAD * _chance()))
    finally:
        threads.close()


async def _prune(guard: Pruned, threads: Workers, seconds: float) -> None:
    try:
        if inspect.iscoroutinefunction(guard.prune):
            await guard.prune()
        else:
            await threads.run(guard.prune)
    except Exception as error:  # noqa: BLE001 - whatever it is, events go on
        _log.warning(
            "cannot prune the guard's memory: %s; it grows until the next try in %.0f s", error, seconds
        )


def _chance() -> float:
    return random.random()  # noqa: S311 - spreads load, keeps no secret
