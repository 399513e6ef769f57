"""An outbox's status, what maintenance did, and rows that are set aside, on a terminal and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table
from rich.text import Text

from immersiverse.auth.events.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from rich.console import RenderableType

    from immersiverse.auth.events.outbox.partitions import Partition
    from immersiverse.auth.events.outbox.retention import Maintained
    from immersiverse.auth.events.outbox.set_aside import SetAsideRow
    from immersiverse.auth.events.outbox.status import OpenTransaction, OutboxStatus, ShardStatus

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_UNITS = ("B", "kB", "MB", "GB", "TB")


class Measured(NamedTuple):
    """A status, and rates since the one before.

    Attributes:
        status: the status.
        added: events added a second.
        relayed: events relayed a second.
    """

    status: OutboxStatus
    added: float
    relayed: float


def document(measured: Measured) -> dict[str, Any]:
    """A status as JSON."""
    status = measured.status
    return {
        "measuredAt": status.measured_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "backlog": status.backlog.rows,
        "oldestSeconds": round(status.backlog.oldest_seconds, 3),
        "setAside": status.backlog.set_aside,
        "waiting": status.backlog.waiting,
        "addedPerSecond": round(measured.added, 1),
        "relayedPerSecond": round(measured.relayed, 1),
        "shards": [_shard_document(shard) for shard in status.shards],
        "openTransactions": [asdict(each) for each in status.open_transactions],
        "partitions": [
            {"table": each.table, "rows": each.rows, "bytes": each.bytes} for each in status.partitions
        ],
        "findings": status.findings,
    }


def drawn(measured: Measured, height: int | None = None) -> RenderableType:
    """A status for people. Partitions are left out on a screen, where there is no room for them."""
    status, backlog = measured.status, measured.status.backlog
    parts: list[RenderableType] = [
        Text(
            f"{backlog.rows:,} events wait, the oldest for {_duration(backlog.oldest_seconds)}; "
            f"{backlog.set_aside:,} are set aside, of which {backlog.waiting:,} only wait\n"
            f"a second: {measured.added:,.0f} added, {measured.relayed:,.0f} relayed"
        ),
        _shard_table(status.shards),
    ]
    if status.open_transactions:
        parts.append(_transaction_table(status.open_transactions))
    if status.partitions and height is None:
        parts.append(_partition_table(status.partitions))
    parts += [Text(f"! {printable(finding)}") for finding in status.findings]
    return Group(*parts)


def maintenance_document(done: Maintained) -> dict[str, Any]:
    """What maintenance did, as JSON."""
    return asdict(done)


def maintenance_lines(done: Maintained) -> Iterator[str]:
    """What maintenance did, a line each."""
    yield from (f"created {table}" for table in done.created)
    yield from (f"dropped {table}" for table in done.dropped)
    if done.deleted:
        yield f"deleted {done.deleted:,} rows"
    yield from (f"left {reason}" for reason in done.left)
    if not (done.created or done.dropped or done.deleted or done.left):
        yield "nothing was to be done"


def row_document(row: SetAsideRow) -> dict[str, Any]:
    """A row that is set aside, as JSON."""
    return {
        "row": row.sequence,
        "eventId": row.event_id,
        "eventType": row.event_type,
        "topic": row.topic,
        "key": row.key,
        "bytes": row.bytes,
        "setAsideAt": _time(row.set_aside_at),
        "reason": row.reason,
        "waiting": row.is_waiting,
        "retry": row.retry,
    }


def row_table(rows: Sequence[SetAsideRow]) -> Table:
    """Rows that are set aside, and why."""
    table = Table(box=SIMPLE_HEAD)
    for name in ("Row", "Bytes"):
        table.add_column(name, justify="right", no_wrap=True)
    for name in ("Event", "Key", "Topic", "Since", "Reason"):
        table.add_column(name, overflow="fold")
    for row in rows:
        reason = "will be retried" if row.retry else row.reason
        texts = (row.event_type.rpartition(".")[2], row.key, row.topic, _time(row.set_aside_at), reason)
        table.add_row(str(row.sequence), f"{row.bytes:,}", *(Text(printable(text)) for text in texts))
    return table


def _shard_document(shard: ShardStatus) -> dict[str, Any]:
    state = shard.state
    return {
        "shard": state.shard,
        "relay": state.holder,
        "isAlive": state.is_alive,
        "heldSeconds": state.held_seconds,
        "backlog": shard.rows,
        "oldestSeconds": round(shard.oldest_seconds, 3),
    }


def _shard_table(shards: Sequence[ShardStatus]) -> Table:
    table = Table(box=SIMPLE_HEAD)
    table.add_column("Shard", justify="right")
    table.add_column("Relay", overflow="fold")
    for name in ("Held for", "Events", "Oldest"):
        table.add_column(name, justify="right", no_wrap=True)
    for shard in shards:
        state = shard.state
        holder = state.holder or "none"
        held = _duration(state.held_seconds) if state.is_alive and state.held_seconds else ""
        name = holder if state.is_alive or state.holder is None else f"{holder} (silent)"
        oldest = _duration(shard.oldest_seconds) if shard.rows else ""
        table.add_row(str(state.shard), Text(printable(name)), held, f"{shard.rows:,}", oldest)
    return table


def _transaction_table(opened: Sequence[OpenTransaction]) -> Table:
    table = Table("Open transaction", "State", box=SIMPLE_HEAD)
    for name in ("Process", "Open for"):
        table.add_column(name, justify="right", no_wrap=True)
    for each in opened:
        age = "?" if each.seconds is None else _duration(each.seconds)
        table.add_row(Text(printable(each.application)), each.state, str(each.pid or ""), age)
    return table


def _partition_table(partitions: Sequence[Partition]) -> Table:
    table = Table("Partition", box=SIMPLE_HEAD)
    for name in ("Rows, about", "Size"):
        table.add_column(name, justify="right", no_wrap=True)
    for each in partitions:
        table.add_row(each.table, f"{each.rows:,}" if each.rows >= 0 else "?", _size(each.bytes))
    return table


def _duration(seconds: float) -> str:
    if seconds < _MINUTE:
        return f"{seconds:.1f} s"
    if seconds < _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    return f"{seconds / _HOUR:.1f} h" if seconds < _DAY else f"{seconds / _DAY:.1f} days"


def _size(size: float) -> str:
    for unit in _UNITS[:-1]:
        if size < 1_000:  # noqa: PLR2004 - of the next unit
            return f"{size:.0f} {unit}"
        size /= 1_000
    return f"{size:,.0f} {_UNITS[-1]}"


def _time(time: datetime | str) -> str:
    return time if isinstance(time, str) else time.isoformat(timespec="seconds")
