"""Prunes the inbox while a subscriber runs; one that blocks, in a thread of its own."""

from __future__ import annotations

import asyncio
import inspect
import random
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from immersiverse.auth.events.kafka.workers import Workers
from immersiverse.auth.events.logs import get_logger

if TYPE_CHECKING:
    from datetime import timedelta

_log = get_logger(__name__)
_SPREAD = 0.1  # of the interval: members that start together do not prune together


@runtime_checkable
class Pruned(Protocol):
    """An inbox that must be pruned."""

    @property
    def prune_every(self) -> timedelta | None:
        """How often; None for never."""
        ...

    def prune(self) -> Any:
        """Delete old records. It may block, or be async."""
        ...


async def prune_regularly(inbox: object) -> None:
    """Prune an inbox every ``prune_every``, if it has that. A failure is only logged."""
    if not isinstance(inbox, Pruned) or inbox.prune_every is None:
        return
    seconds, threads = inbox.prune_every.total_seconds(), Workers(1)
    try:
        await asyncio.sleep(seconds * _SPREAD * _chance())
        while True:
            await _prune(inbox, threads, seconds)
            await asyncio.sleep(seconds * (1 - _SPREAD * _chance()))
    finally:
        threads.close()


async def _prune(inbox: Pruned, threads: Workers, seconds: float) -> None:
    try:
        if inspect.iscoroutinefunction(inbox.prune):
            await inbox.prune()
        else:
            await threads.run(inbox.prune)
    except Exception as error:  # noqa: BLE001 - whatever it is, events go on
        _log.warning("cannot prune the inbox: %s; its tables grow, next attempt in %.0f s", error, seconds)


def _chance() -> float:
    return random.random()  # noqa: S311 - spreads load, keeps no secret
