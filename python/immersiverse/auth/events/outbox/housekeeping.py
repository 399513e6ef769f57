"""A daemon thread beside a relay: it measures the backlog for hooks, and maintains the tables once an hour.

It uses the engine's connections, never the relay's: what takes long here delays no event.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final, Self

from immersiverse.auth.events.errors import AuthEventsError, OperationRefused
from immersiverse.auth.events.kafka.instrumentation import HookDispatcher
from immersiverse.auth.events.logs import get_logger
from immersiverse.auth.events.observability.hooks import OutboxBacklog
from immersiverse.auth.events.outbox.retention import maintain
from immersiverse.auth.events.outbox.status import backlog

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    import sqlalchemy as sa

    from immersiverse.auth.events.observability.hooks import Hook
    from immersiverse.auth.events.outbox.tables import OutboxTables

_log = get_logger(__name__)
_MEASURE_EVERY: Final = 5.0  # seconds
_SHARE: Final = 20  # a measurement is followed by a pause of so many times its duration
_MAINTAIN_EVERY: Final = 3600.0  # seconds
_ENDING: Final = 5.0  # seconds for the thread


class Housekeeping:
    """Works while it is entered.

    Args:
        engine: the database.
        tables: the outbox's tables.
        keep: for how long delivered rows are kept; None leaves maintenance to others.
        hooks: what is notified of the backlog.
    """

    def __init__(
        self, engine: sa.Engine, tables: OutboxTables, keep: timedelta | None, hooks: Sequence[Hook]
    ) -> None:
        self._engine = engine
        self._tables = tables
        self._keep = keep
        self._notify = HookDispatcher(hooks)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="auth-events-outbox", daemon=True)

    def __enter__(self) -> Self:
        if self._notify or self._keep is not None:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(_ENDING)

    def _run(self) -> None:
        maintain_at = pause = 0.0
        while not self._stopping.wait(pause):
            begun = time.monotonic()
            try:
                if self._keep is not None and begun >= maintain_at:
                    maintain_at = begun + _MAINTAIN_EVERY
                    self._maintain(self._keep)
                if self._notify:
                    self._measure()
            except AuthEventsError as error:
                maintain_at = min(maintain_at, begun + 60 * _MEASURE_EVERY)
                _log.debug("%s", error)  # the relay has said so, unless it is over already
            pause = max(_MEASURE_EVERY, _SHARE * (time.monotonic() - begun))

    def _measure(self) -> None:
        found = backlog(self._engine, self._tables)
        self._notify(OutboxBacklog(self._tables.name, found.rows, found.oldest_seconds, found.set_aside))

    def _maintain(self, keep: timedelta) -> None:
        try:
            done = maintain(self._engine, self._tables, keep=keep)
        except OperationRefused as error:
            self._keep = None
            _log.info("this relay does not maintain the tables: %s", error)
            return
        for partition in done.created:
            _log.info("created partition %s", partition)
        for partition in done.dropped:
            _log.info("dropped partition %s", partition)
        for reason in done.left:
            _log.info("left for the next maintenance: %s", reason)
