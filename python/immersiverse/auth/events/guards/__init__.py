"""What keeps a handler from acting twice on one event, or on one that a later event made stale.

Guards in databases are loaded on first use: each needs an extra of this package.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from immersiverse.auth.events.guards.guard import Admission as Admission
from immersiverse.auth.events.guards.guard import AsyncGuard as AsyncGuard
from immersiverse.auth.events.guards.guard import Forgotten as Forgotten
from immersiverse.auth.events.guards.guard import Guard as Guard
from immersiverse.auth.events.guards.guard import Verdict as Verdict
from immersiverse.auth.events.guards.memory import MemoryGuard as MemoryGuard

if TYPE_CHECKING:
    from immersiverse.auth.events.guards.async_redis import AsyncRedisGuard as AsyncRedisGuard
    from immersiverse.auth.events.guards.async_sql import AsyncSqlGuard as AsyncSqlGuard
    from immersiverse.auth.events.guards.redis import RedisGuard as RedisGuard
    from immersiverse.auth.events.guards.sql import SqlGuard as SqlGuard
    from immersiverse.auth.events.guards.sql_tables import guard_tables as guard_tables

_HOME = {
    "AsyncRedisGuard": "async_redis",
    "AsyncSqlGuard": "async_sql",
    "RedisGuard": "redis",
    "SqlGuard": "sql",
    "guard_tables": "sql",
}


def __getattr__(name: str) -> Any:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)
