"""When a SQL guard's tables are pruned, and of what."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy.pool import SingletonThreadPool, StaticPool

from immersiverse.auth.events.errors import ConfigurationError
from immersiverse.auth.events.guards.guard import Forgotten

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Engine

REMEMBER: Final = timedelta(days=8)
PRUNE_EVERY: Final = timedelta(hours=1)


class Pruning:
    """How long a guard remembers, and how often it forgets what is older.

    Args:
        engine: the guard's database.
        remember: how long.
        every: how often; None for never.

    Attributes:
        remember: how long.
        every: how often a subscriber does it; None for never, and for a database that lives in one
            connection, where it would happen within a handler's transaction.

    Raises:
        ConfigurationError: if a time is not positive.
    """

    def __init__(self, engine: Engine, remember: timedelta, every: timedelta | None) -> None:
        for name, value in (("remember", remember), ("prune_every", every)):
            if value is not None and value <= timedelta(0):
                raise ConfigurationError(name, "must be more than no time")
        self.remember = remember
        self.every = None if isinstance(engine.pool, StaticPool | SingletonThreadPool) else every


def in_all(parts: Iterable[Forgotten]) -> Forgotten:
    """The sum."""
    parts = tuple(parts)
    return Forgotten(sum(part.ids for part in parts), sum(part.versions for part in parts))
