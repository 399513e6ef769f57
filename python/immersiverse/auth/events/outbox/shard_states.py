"""What relays have saved about their shards, and which rows are undelivered by that.

Only the difference by index is read: rows that were delivered cost nothing, however many there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from immersiverse.auth.events.outbox.database import LEASE
from immersiverse.auth.events.outbox.snapshots import Position, Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    import sqlalchemy as sa

    from immersiverse.auth.events.outbox.tables import OutboxTables

EPOCH: Final = (
    "(SELECT (pg_control_system()).system_identifier || ':' "
    "|| substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))"
)
"""SQL of the time line that PostgreSQL's transaction ids belong to: another after a restore or failover."""
RESTORED: Final = "10 minutes"
"""Rows of so long before the last saved position are sent again after a restore or failover."""
_DAY: Final = 86_400  # seconds


@dataclass(frozen=True, slots=True)
class ShardState:
    """What is saved of one shard.

    Attributes:
        shard: its number.
        position: how far it is relayed.
        is_current: whether the position is of this time line of the database.
        saved_at: when it was saved; None if it never was.
        holder: the relay that holds it; None if none does.
        is_alive: whether that relay has given a sign of life within its lease.
        held_seconds: for how long it holds it.
    """

    shard: int
    position: Position
    is_current: bool
    saved_at: datetime | str | None
    holder: str | None
    is_alive: bool
    held_seconds: float | None


def shard_states(connection: sa.Connection, tables: OutboxTables) -> list[ShardState]:
    """All shards, by number."""
    if connection.dialect.name == "postgresql":
        is_current = f"s.epoch IN ('', {EPOCH})"
        is_alive = f"r.seen_at > clock_timestamp() - interval '{LEASE} seconds'"
        held = "extract(epoch FROM clock_timestamp() - s.held_since)::float8"
        holder = "s.holder"
    else:  # where one relay holds all shards: the one that is alive
        is_current, held = "1", "NULL"
        is_alive = f"r.seen_at > julianday('now') - {LEASE / _DAY}"
        holder = f"(SELECT relay FROM {tables.relays})"
    rows = connection.exec_driver_sql(
        f"SELECT s.shard, s.snapshot, s.target, s.sequence, s.restored, {is_current}, s.saved_at, {holder}, "
        f"coalesce({is_alive}, FALSE), {held} "
        f"FROM {tables.shards} s LEFT JOIN {tables.relays} r ON r.relay = {holder} ORDER BY s.shard"
    )
    return [
        ShardState(shard, Position(*position), bool(current), saved, name, bool(alive), age)
        for shard, *position, current, saved, name, alive, age in rows
    ]


def prefer_index(connection: sa.Connection) -> None:
    """For this transaction: statistics of the newest rows are late, and compiling a query takes 100 ms."""
    connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
    connection.exec_driver_sql("SET LOCAL jit = off")


def undelivered(dialect: str, source: str, states: Sequence[ShardState], columns: str) -> str:
    """A query for columns of the rows that are not delivered, by the saved positions.

    Args:
        dialect: ``postgresql`` or ``sqlite``.
        source: the outbox's table, or a partition of it.
        states: all shards.
        columns: what to select.
    """
    condition = _condition if dialect == "postgresql" else _condition_of_sequence
    groups: dict[str, list[int]] = {}
    for state in states:
        groups.setdefault(condition(state), []).append(state.shard)
    # Not one condition with OR: each part uses the index on its own.
    return " UNION ALL ".join(
        f"SELECT {columns} FROM {source} WHERE shard IN ({_numbers(shards)}) AND {where}"
        for where, shards in groups.items()
    )


def _condition(state: ShardState) -> str:
    snapshot, target, sequence, restored = state.position
    if not state.is_current:
        return f"created_at >= timestamptz '{state.saved_at}' - interval '{RESTORED}'"
    seen = Snapshot.parse(snapshot)
    unseen = f"transaction_id >= {seen.xmax}"
    if seen.running:
        unseen = f"({unseen} OR transaction_id IN ({_numbers(seen.running)}))"
    if not target:
        return f"{unseen} AND sequence > {restored}"
    until = Snapshot.parse(target)
    reached = f"transaction_id < {until.xmax}"
    if until.running:
        reached += f" AND transaction_id NOT IN ({_numbers(until.running)})"
    return f"{unseen} AND NOT (sequence <= {sequence} AND (sequence <= {restored} OR {reached}))"


def _condition_of_sequence(state: ShardState) -> str:
    return f"sequence > {state.position.sequence}"


def _numbers(values: Iterable[int]) -> str:
    return ", ".join(map(str, values))
