"""How far groups are behind, on a screen and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from immersiverse.auth.events.operations.lag import total
from immersiverse.auth.events.printable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from immersiverse.auth.events.operations.lag import Lag

NOTHING: Final = "no group reads these topics, or these credentials may see none"

_FRAME = 6  # lines of a table that are no rows, and the one below it


def document(row: Lag) -> dict[str, Any]:
    """How far a group is behind in one partition, as JSON."""
    return {
        "group": row.group,
        "state": row.state,
        "topic": row.partition.topic,
        "partition": row.partition.number,
        "committed": row.committed,
        "end": row.end,
        "lag": row.behind,
    }


def drawn(rows: Sequence[Lag], height: int | None = None) -> Table | Text:
    """The table, or why there is none; see `table`."""
    return table(rows, height) if rows else Text(NOTHING)


def table(rows: Sequence[Lag], height: int | None = None) -> Table:
    """How far groups are behind, a partition a row, and the sum.

    Args:
        rows: the partitions.
        height: how many lines there are room for; what is furthest behind is shown then.
    """
    shown = rows if height is None else _furthest_behind(rows, max(1, height - _FRAME))
    lines = Table(box=SIMPLE_HEAD, show_footer=len(rows) > 1)
    lines.add_column("Group", "all", overflow="fold")
    lines.add_column("State", no_wrap=True)
    lines.add_column("Partition", _left_out(len(rows) - len(shown)), overflow="fold")
    for name in ("Committed", "End"):
        lines.add_column(name, justify="right", no_wrap=True)
    lines.add_column("Lag", f"{total(rows):,}", justify="right", no_wrap=True)
    for row in shown:
        committed = "-" if row.committed is None else f"{row.committed:,}"
        group = Text(printable(row.group))  # any client may choose one
        lines.add_row(group, row.state, str(row.partition), committed, f"{row.end:,}", f"{row.behind:,}")
    return lines


def _furthest_behind(rows: Sequence[Lag], room: int) -> Sequence[Lag]:
    """As many as there is room for, in their order."""
    chosen = sorted(range(len(rows)), key=lambda number: -rows[number].behind)[:room]
    return [rows[number] for number in sorted(chosen)]


def _left_out(partitions: int) -> str:
    return f"and {partitions} more" if partitions else ""
