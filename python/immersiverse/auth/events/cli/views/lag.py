"""Consumer lag on a terminal and as JSON."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import orjson
from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from immersiverse.auth.events.cli.output import write_line
from immersiverse.auth.events.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rich.console import Console

    from immersiverse.auth.events.admin.lag import PartitionLag

NOTHING: Final = "no consumer group reads these topics, or these credentials may not see one"

_FRAME = 6  # lines of the table besides its rows, and the line below it


def document(row: PartitionLag) -> dict[str, Any]:
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


def write(rows: Sequence[PartitionLag]) -> None:
    """Write a line of JSON."""
    write_line(orjson.dumps([document(row) for row in rows]))


@contextmanager
def live(screen: Console) -> Iterator[Callable[[Sequence[PartitionLag], str], None]]:
    """A table that is redrawn in place, with a line below it; yields what redraws it."""
    with Live(console=screen, auto_refresh=False) as display:
        yield lambda rows, below: display.update(Group(drawn(rows, screen.height), Text(below)), refresh=True)


def drawn(rows: Sequence[PartitionLag], height: int | None = None) -> Table | Text:
    """The table, or why there is none; see `table`."""
    return table(rows, height) if rows else Text(NOTHING)


def table(rows: Sequence[PartitionLag], height: int | None = None) -> Table:
    """The lag of each partition, and the sum.

    Args:
        rows: the partitions.
        height: lines of the screen; if it is too low, the partitions with the largest lag are shown.
    """
    shown = rows if height is None else _largest(rows, max(1, height - _FRAME))
    lines = Table(box=SIMPLE_HEAD, show_footer=len(rows) > 1)
    lines.add_column("Group", "all", overflow="fold")
    lines.add_column("State", no_wrap=True)
    lines.add_column("Partition", _left_out(len(rows) - len(shown)), overflow="fold")
    for name in ("Committed", "End"):
        lines.add_column(name, justify="right", no_wrap=True)
    lines.add_column("Lag", f"{sum(row.behind for row in rows):,}", justify="right", no_wrap=True)
    for row in shown:
        committed = "-" if row.committed is None else f"{row.committed:,}"
        group = Text(printable(row.group))  # clients choose it freely
        lines.add_row(group, row.state, str(row.partition), committed, f"{row.end:,}", f"{row.behind:,}")
    return lines


def _largest(rows: Sequence[PartitionLag], room: int) -> Sequence[PartitionLag]:
    """The rows with the largest lag, in their order."""
    chosen = sorted(range(len(rows)), key=lambda number: -rows[number].behind)[:room]
    return [rows[number] for number in sorted(chosen)]


def _left_out(partitions: int) -> str:
    return f"and {partitions} more" if partitions else ""
