"""Consumer lag, and the plan of an offset reset, on a terminal and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from immersiverse.auth.events.printable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from immersiverse.auth.events.admin.lag import PartitionLag
    from immersiverse.auth.events.admin.offset_reset import OffsetChange

NO_GROUP: Final = "no consumer group reads these topics, or these credentials may not see one"

_FRAME = 6  # lines of the table besides its rows, and the line below it


def lag_document(row: PartitionLag) -> dict[str, Any]:
    """The lag in one partition, as JSON."""
    return {
        "group": row.group,
        "state": row.state,
        "topic": row.partition.topic,
        "partition": row.partition.number,
        "committed": row.committed,
        "end": row.end,
        "lag": row.behind,
    }


def lag_drawn(rows: Sequence[PartitionLag], height: int | None = None) -> Table | Text:
    """The table, or why there is none; see `lag_table`."""
    return lag_table(rows, height) if rows else Text(NO_GROUP)


def lag_table(rows: Sequence[PartitionLag], height: int | None = None) -> Table:
    """The lag of each partition, and the sum; on a low screen only the partitions with the largest lag."""
    shown = rows if height is None else _largest(rows, max(1, height - _FRAME))
    left_out = len(rows) - len(shown)
    table = Table(box=SIMPLE_HEAD, show_footer=len(rows) > 1)
    table.add_column("Group", "all", overflow="fold")
    table.add_column("State", no_wrap=True)
    table.add_column("Partition", f"and {left_out} more" if left_out else "", overflow="fold")
    _add_numbers(table, {"Committed": "", "End": "", "Lag": f"{sum(row.behind for row in rows):,}"})
    for row in shown:
        group = Text(printable(row.group))  # clients choose it freely
        numbers = (_number(row.committed), _number(row.end), _number(row.behind))
        table.add_row(group, row.state, str(row.partition), *numbers)
    return table


def reset_document(change: OffsetChange) -> dict[str, Any]:
    """What happens to one partition, as JSON."""
    where = {"topic": change.partition.topic, "partition": change.partition.number}
    return {**where, **{name: value for name, value in asdict(change).items() if name != "partition"}}


def reset_table(changes: Sequence[OffsetChange]) -> Table:
    """What happens to each partition, a row each."""
    again, skipped = sum(change.again for change in changes), sum(change.skipped for change in changes)
    table = Table(box=SIMPLE_HEAD, show_footer=len(changes) > 1)
    table.add_column("Partition", "all", overflow="fold")
    _add_numbers(table, {"Now": "", "Then": "", "Again": f"{again:,}", "Skipped": f"{skipped:,}"})
    table.add_column("")
    for change in changes:
        counts = (f"{n:,}" if n else "" for n in (change.again, change.skipped))
        offsets = (_number(change.current), _number(change.target))
        table.add_row(str(change.partition), *offsets, *counts, change.note)
    return table


def _add_numbers(table: Table, footers: dict[str, str]) -> None:
    """Add columns of numbers, which are never cut."""
    for name, footer in footers.items():
        table.add_column(name, footer, justify="right", no_wrap=True)


def _number(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


def _largest(rows: Sequence[PartitionLag], room: int) -> Sequence[PartitionLag]:
    """The rows with the largest lag, in their order."""
    chosen = sorted(range(len(rows)), key=lambda number: -rows[number].behind)[:room]
    return [rows[number] for number in sorted(chosen)]
