"""Keeps the outbox small: partitions a day in PostgreSQL, created ahead and dropped when they are delivered.

Every step is a transaction of its own that gives up when it does not get its locks at once, so that no writer
waits behind it; what was not done is done by the next run. Dropping costs the same whatever a partition
holds, and leaves nothing for vacuum.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from immersiverse.auth.events.errors import ConfigurationError, OperationRefused
from immersiverse.auth.events.outbox.partitions import Partition, attach, name_of, partitions
from immersiverse.auth.events.outbox.shard_states import prefer_index, shard_states, undelivered
from immersiverse.auth.events.outbox.tables import MAINTENANCE_LOCK, OutboxTables, database_errors

if TYPE_CHECKING:
    from collections.abc import Callable

DAYS_AHEAD: Final = 7
"""Days for which there are partitions."""
KEEP: Final = timedelta(days=3)
"""For how long delivered rows are kept."""
_LOCK_TIMEOUT: Final = "100ms"  # for so long a writer may wait behind a step that waits
_TRIES: Final = 5
_PAUSE: Final = 0.3  # seconds between two tries
_LOCK_NOT_AVAILABLE: Final = "55P03"


@dataclass(slots=True)
class Maintained:
    """What maintenance did.

    Attributes:
        created: partitions that were created.
        dropped: partitions that were dropped, with all their rows.
        deleted: whether the rows of the DEFAULT partition were removed; in SQLite, how many rows were.
        left: what was left for the next run, and why; one sentence each.
    """

    created: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    deleted: int = 0
    left: list[str] = field(default_factory=list)


def maintain(
    engine: sa.Engine, tables: OutboxTables, *, keep: timedelta = KEEP, days_ahead: int = DAYS_AHEAD
) -> Maintained:
    """Create the partitions of the next days, and drop what is delivered and old.

    Args:
        engine: the database, with the rights of the tables' owner.
        tables: the outbox's tables.
        keep: for how long delivered rows are kept.
        days_ahead: for how many days after today there shall be partitions.

    Raises:
        ConfigurationError: if `keep` or `days_ahead` is negative.
        OperationRefused: if the role does not own the tables.
        OutboxUnavailable: if the database does not answer or refuses.
    """
    if keep < timedelta(0) or days_ahead < 0:
        raise ConfigurationError("outbox", "days to keep and days ahead cannot be negative")
    done = Maintained()
    with database_errors("cannot maintain the outbox"):
        if engine.dialect.name == "postgresql":
            _PartitionKeeper(engine, tables, done).run(keep, days_ahead)
        else:
            done.deleted = _delete_delivered(engine, tables, keep)
    return done


def _delete_delivered(engine: sa.Engine, tables: OutboxTables, keep: timedelta) -> int:
    """In SQLite: one range of old rows; there the order of rows is the order of delivery."""
    delete = sa.text(
        f"DELETE FROM {tables.outbox} WHERE sequence <= (SELECT min(sequence) FROM {tables.shards}) "
        "AND created_at < datetime('now', :ago)"
    )
    with engine.begin() as connection:
        return connection.execute(delete, {"ago": f"-{keep.total_seconds()} seconds"}).rowcount


class _PartitionKeeper:
    """Does the steps of one maintenance, and notes what each did."""

    def __init__(self, engine: sa.Engine, tables: OutboxTables, done: Maintained) -> None:
        self._engine = engine
        self._tables = tables
        self._done = done

    def run(self, keep: timedelta, days_ahead: int) -> None:
        with self._engine.begin() as connection:
            owner = self._require_owner(connection)
            found = partitions(connection, self._tables)
            today: datetime = connection.exec_driver_sql(
                "SELECT date_trunc('day', now() AT TIME ZONE 'UTC')"
            ).scalar_one()
        today = today.replace(tzinfo=UTC)
        for number in range(days_ahead + 1):
            day = today + timedelta(days=number)
            if not any(each.covers(day) for each in found):
                self._step(owner, partial(self._create, day), f"{day:%Y-%m-%d}")
        for old in found:
            if old.is_detached or (old.until is not None and old.until <= today - keep):
                self._drop(owner, old)
        default = next((each for each in found if each.is_default), None)
        if default is not None:
            self._step(owner, partial(self._empty, default.table, today - keep), default.table)

    def _require_owner(self, connection: sa.Connection) -> str:
        """The role that owns the outbox; it shall own the partitions, too."""
        owner, may = connection.execute(
            sa.text(
                "SELECT quote_ident(pg_get_userbyid(relowner)), pg_has_role(relowner, 'MEMBER') "
                "FROM pg_class WHERE oid = CAST(:outbox AS regclass)"
            ),
            {"outbox": self._tables.outbox},
        ).one()
        if not may:
            reason = f"maintenance needs the role {owner}, which owns {self._tables.outbox}"
            raise OperationRefused("INSUFFICIENT_PRIVILEGE", reason)
        return str(owner)

    def _step(self, owner: str, act: Callable[[sa.Connection], None], what: str) -> bool:
        """Do a step in a transaction, several times if it does not get its locks; whether it was done."""
        for attempt in range(_TRIES):
            if attempt:
                time.sleep(_PAUSE)
            try:
                with self._engine.begin() as connection:
                    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'")
                    connection.exec_driver_sql(f"SET LOCAL ROLE {owner}")
                    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MAINTENANCE_LOCK})")
                    act(connection)
            except sa.exc.OperationalError as error:
                if getattr(error.orig, "sqlstate", "") != _LOCK_NOT_AVAILABLE:
                    raise
            else:
                return True
        self._done.left.append(f"{what}: open transactions hold locks on it")
        return False

    def _create(self, day: datetime, connection: sa.Connection) -> None:
        if any(each.covers(day) for each in partitions(connection, self._tables)):
            return  # by another maintenance meanwhile
        name = name_of(self._tables, day)
        if attach(connection, self._tables, day):
            self._done.created.append(name)
        else:
            self._done.left.append(f"{day:%Y-%m-%d}: the DEFAULT partition has rows of this day")

    def _drop(self, owner: str, old: Partition) -> None:
        if not old.is_detached:
            left = len(self._done.left)
            is_done = self._step(owner, partial(self._detach, old.table), old.table)
            if not is_done or len(self._done.left) > left:
                return
        # Apart, since writers wait for a DETACH until it is committed, and removing files takes time.
        if self._step(owner, partial(_drop_detached, old.table), old.table):
            self._done.dropped.append(old.table)

    def _detach(self, table: str, connection: sa.Connection) -> None:
        if self._has_undelivered(connection, table):
            self._done.left.append(f"{table}: has undelivered rows")
            return
        # The outbox before its partition, as writers and relays lock them.
        connection.exec_driver_sql(f"LOCK TABLE ONLY {self._tables.outbox} IN ACCESS EXCLUSIVE MODE")
        connection.exec_driver_sql(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        if self._has_undelivered(connection, table):  # committed since
            self._done.left.append(f"{table}: has undelivered rows")
            return
        connection.exec_driver_sql(f"ALTER TABLE {self._tables.outbox} DETACH PARTITION {table}")

    def _empty(self, table: str, before: datetime, connection: sa.Connection) -> None:
        """Remove the rows of the DEFAULT partition, if all of them are old and delivered."""
        if not _has(connection, f"SELECT 1 FROM {table}"):
            return
        recent = f"SELECT 1 FROM {table} WHERE created_at >= timestamptz '{before.isoformat()}'"
        if _has(connection, recent) or self._has_undelivered(connection, table):
            self._done.left.append(f"{table}: has rows that are recent or undelivered")
            return
        connection.exec_driver_sql(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        if not _has(connection, recent) and not self._has_undelivered(connection, table):
            connection.exec_driver_sql(f"TRUNCATE {table}")
            self._done.dropped.append(f"{table} (its rows)")

    def _has_undelivered(self, connection: sa.Connection, table: str) -> bool:
        prefer_index(connection)
        states = shard_states(connection, self._tables)
        # A position of another time line says nothing about rows: keep all until a relay has sent them again.
        if not all(state.is_current for state in states):
            return True
        return _has(connection, undelivered("postgresql", table, states, "1"))


def _drop_detached(table: str, connection: sa.Connection) -> None:
    connection.exec_driver_sql(f"DROP TABLE IF EXISTS {table}")


def _has(connection: sa.Connection, query: str) -> bool:
    return bool(connection.exec_driver_sql(f"SELECT EXISTS ({query})").scalar_one())
