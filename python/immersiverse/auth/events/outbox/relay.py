"""Sends the outbox's rows to Kafka, each user's in the order of their versions.

One thread, the caller's, reads and sends; the producer has threads of its own. The rows of one list are
acknowledged before the next list is sent, and positions move only then: what a relay that died had sent since
its last position is sent again by its successor, in the same order.
"""

from __future__ import annotations

import threading
import time
import uuid
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from immersiverse.auth.events.errors import OutboxUnavailable
from immersiverse.auth.events.kafka.config import Retry, require_kind
from immersiverse.auth.events.logs import get_logger
from immersiverse.auth.events.outbox.database import Row
from immersiverse.auth.events.outbox.databases import engine_of, open_outbox
from immersiverse.auth.events.outbox.housekeeping import Housekeeping
from immersiverse.auth.events.outbox.reporting import RelayReport
from immersiverse.auth.events.outbox.retention import KEEP
from immersiverse.auth.events.outbox.sending import RowSender
from immersiverse.auth.events.outbox.set_aside import SetAside
from immersiverse.auth.events.outbox.tables import OutboxTables, tables_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import timedelta

    import sqlalchemy as sa

    from immersiverse.auth.events.observability.hooks import Hook
    from immersiverse.auth.events.observability.tracing import OutboxTracer
    from immersiverse.auth.events.outbox.database import OutboxDatabase
    from immersiverse.auth.events.outbox.snapshots import Position

_log = get_logger(__name__)
_RETRY: Final = Retry(first=0.2, longest=5.0)
_LOOK_EVERY: Final = 1.0  # seconds, at the rows set aside
_LARGE: Final = 400_000  # bytes; topics take 1 MB by default
_ENDING: Final = 5.0  # seconds for acknowledgements when it shall stop
_WAITING: Final = "waits behind a refused event of the same user"


@dataclass(frozen=True, slots=True)
class RelayPolicy:
    """How a relay works.

    Attributes:
        page: how many rows are sent before their acknowledgement is awaited.
        shortest_pause: seconds between two looks at a busy outbox.
        longest_pause: seconds between two looks at an idle one.
        hold_user: whether a user's later events wait when one of them cannot be published and is set aside;
            else they pass it by.
        maintain: whether it creates and drops partitions, once an hour, if its role owns the tables.
        keep: for how long delivered rows are kept then.
    """

    page: int = 4_000
    shortest_pause: float = 0.002
    longest_pause: float = 0.05
    hold_user: bool = True
    maintain: bool = True
    keep: timedelta = KEEP


class OutboxRelay:
    """Sends the outbox's rows to Kafka until it is stopped. Run several: they share the work.

    Args:
        database: the outbox's database, as SQLAlchemy's engine or its URL, whatever driver that names.
        config: librdkafka's settings, at least ``bootstrap.servers``.
        tables: the outbox's tables, if they are not in the connection's default schema.
        policy: how it works.
        hooks: what is notified.
        tracer: what follows each event.

    Attributes:
        name: its name, which no other relay has.

    Raises:
        ConfigurationError: if the URL is none, or the database system is not supported.
        MissingExtra: if the database's driver is not installed.
    """

    def __init__(  # noqa: PLR0913 - keyword-only options
        self,
        database: sa.Engine | str,
        config: Mapping[str, Any],
        *,
        tables: OutboxTables | None = None,
        policy: RelayPolicy | None = None,
        hooks: Sequence[Hook] = (),
        tracer: OutboxTracer | None = None,
    ) -> None:
        self.name = str(uuid.uuid4())
        self._owns_engine = isinstance(database, str)
        self._engine = engine_of(database)
        self._tables = tables_of(tables)
        self._config = config
        self._policy = RelayPolicy() if policy is None else policy
        require_kind(RelayPolicy, policy=self._policy)
        self._hooks = hooks
        self._report = RelayReport(self.name, self._tables.name, hooks, tracer)
        self._stopping = threading.Event()
        self._set_aside = SetAside(self._engine, self._tables)

    def stop(self) -> None:
        """Make `run` return soon, from any thread or signal handler."""
        self._stopping.set()

    def run(self) -> None:
        """Relay until `stop`, through outages of the database and of Kafka.

        Raises:
            ConfigurationError: if a setting of Kafka's is wrong.
        """
        _log.info("relay %s: relaying from %s", self.name, self._tables.name)
        keep = self._policy.keep if self._policy.maintain else None
        with Housekeeping(self._engine, self._tables, keep, self._hooks):
            failures = 0
            while not self._stopping.is_set():
                failures = self._run_until_lost(failures)
        if self._owns_engine:
            self._engine.dispose()
        _log.info("relay %s: has ended", self.name)

    def _run_until_lost(self, failures: int) -> int:
        """Relay until it is stopped, or the database is lost, and wait then; the failures in a row."""
        try:
            with RowSender(self._config, self._hooks, self._report) as sender, self._opened() as outbox:
                failures = 0
                run = RelayRun(outbox, sender, self._set_aside, self._policy, self._stopping, self._report)
                run.run()
        except OutboxUnavailable as error:
            self._report.holds((), is_lost=True)
            failures += 1
            delay = _RETRY.delay(failures)
            _log.warning("%s; trying again in %.1f s", error, delay)
            self._stopping.wait(delay)
        else:
            self._report.holds(())
        return failures

    @contextmanager
    def _opened(self) -> Iterator[OutboxDatabase]:
        outbox = open_outbox(self._engine, self._tables, self.name)
        try:
            yield outbox
        finally:
            outbox.close()


class _Stopped(Exception):
    """The relay shall stop, and rows are not acknowledged: they are sent again by the next one."""


class RelayRun:
    """From one loss of the database to the next.

    Args:
        outbox: the database.
        sender: sends rows.
        set_aside: the rows set aside.
        policy: how the relay works.
        stopping: ends it.
        report: gets what happens.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - the parts of a relay
        self,
        outbox: OutboxDatabase,
        sender: RowSender,
        set_aside: SetAside,
        policy: RelayPolicy,
        stopping: threading.Event,
        report: RelayReport,
    ) -> None:
        self._outbox = outbox
        self._sender = sender
        self._set_aside = set_aside
        self._policy = policy
        self._stopping = stopping
        self._report = report
        self._held_keys: set[bytes] = set()
        self._look_at = 0.0  # when to look at the rows set aside
        self._ends_at = 0.0  # when to give up acknowledgements, once it shall stop

    def run(self) -> None:
        """Relay until it is stopped.

        Raises:
            OutboxUnavailable: if the database does not answer, or the lease is lost.
        """
        with suppress(_Stopped):
            self._run()

    def _run(self) -> None:
        pause = self._policy.shortest_pause
        while not self._stopping.is_set():
            if self._outbox.renew() or time.monotonic() >= self._look_at:
                self._report.holds(self._outbox.held)
                self._retry_set_aside()
            groups: dict[Position, list[int]] = {}
            for shard, position in self._outbox.held.items():
                groups.setdefault(position, []).append(shard)
            count = sum(self._advance(*group) for group in groups.items())
            pause = self._policy.shortest_pause if count else min(pause * 1.5, self._policy.longest_pause)
            self._stopping.wait(pause)

    def _tick(self) -> None:
        """What is done while acknowledgements are awaited."""
        if self._stopping.is_set():
            now = time.monotonic()
            self._ends_at = self._ends_at or now + _ENDING
            if now >= self._ends_at:
                raise _Stopped
        self._outbox.require_lease()

    def _advance(self, position: Position, shards: list[int]) -> int:
        """Send the next rows of shards that are equally far; how many."""
        if position.target:
            return self._send_stream(position, shards)
        found = self._outbox.poll(position, shards, self._policy.page)
        if found.more:
            return self._send_stream(found.after, shards)
        if found.rows:
            self._send(found.rows)
            self._finish()
            self._outbox.save(shards, found.after)
        else:  # nothing to record
            self._outbox.held.update(dict.fromkeys(shards, found.after))
        return len(found.rows)

    def _send_stream(self, position: Position, shards: list[int]) -> int:
        """Send the rows between a position and its target. A list is read while the last is acknowledged."""
        count, sent = 0, list[Row]()
        with closing(self._outbox.stream(position, shards, self._policy.page)) as lists:
            for rows in lists:
                if sent:
                    self._finish()
                    self._outbox.save(shards, position._replace(sequence=sent[-1].sequence))
                if self._stopping.is_set() or self._outbox.renew():
                    return count
                self._send(rows)
                sent, count = rows, count + len(rows)
        self._finish()
        self._outbox.save(shards, position.at_target())
        return count

    def _send(self, rows: list[Row]) -> None:
        """Queue rows, and set aside those that wait behind others of their user.

        A large row is finished at once: if Kafka refuses it, no later event of its user is on the way.
        """
        self._outbox.require_lease()
        for part in _parts(rows):
            if self._held_keys:
                part = self._without_held(part)  # noqa: PLW2901 - what is left of it
            self._sender.send(part)
            if len(part) == 1 and len(part[0].value) > _LARGE:
                self._finish()

    def _without_held(self, rows: list[Row]) -> list[Row]:
        waiting = [(row, _WAITING) for row in rows if row.key in self._held_keys]
        self._set_aside.add(waiting, is_waiting=True)
        return [row for row in rows if row.key not in self._held_keys]

    def _finish(self) -> None:
        """Wait until rows are acknowledged, and set aside those that are refused."""
        refused = self._sender.finish(self._tick)
        if refused:
            self._outbox.require_lease()
            self._set_aside.add(((row, str(error)) for row, error in refused), is_waiting=False)
            for row, error in refused:
                self._report.refused(row, error)
            if self._policy.hold_user:
                self._held_keys.update(row.key for row, _ in refused)

    def _retry_set_aside(self) -> None:
        """Send rows that were set aside and wait for nothing any more, and learn which keys are held."""
        self._look_at = time.monotonic() + _LOOK_EVERY
        shards = list(self._outbox.held)
        refused = False
        while not refused and (rows := self._set_aside.due(shards, self._policy.page)):
            self._outbox.require_lease()
            first = list({row.key: row for row in reversed(rows)}.values())  # of each user
            self._sender.send(first)
            again = self._sender.finish(self._tick)
            self._outbox.require_lease()
            self._set_aside.add(((row, str(error)) for row, error in again), is_waiting=False)
            kept = {row.sequence for row, _ in again}
            self._set_aside.sent([row.sequence for row in first if row.sequence not in kept])
            refused = bool(again)
        self._held_keys = self._set_aside.held_keys(shards) if self._policy.hold_user else set()


def _parts(rows: list[Row]) -> Iterator[list[Row]]:
    """Rows in lists, each large one in a list of its own."""
    begin = 0
    for place, row in enumerate(rows):
        if len(row.value) > _LARGE:
            yield rows[begin:place]
            yield [row]
            begin = place + 1
    yield rows[begin:]
