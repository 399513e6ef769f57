"""The plan of an offset reset on a terminal and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from immersiverse.auth.events.admin.offset_reset import OffsetChange


def document(change: OffsetChange) -> dict[str, Any]:
    """What happens to one partition, as JSON."""
    where = {"topic": change.partition.topic, "partition": change.partition.number}
    return {**where, **{name: value for name, value in asdict(change).items() if name != "partition"}}


def table(changes: Sequence[OffsetChange]) -> Table:
    """What happens to each partition, a row each."""
    drawn = Table(box=SIMPLE_HEAD, show_footer=len(changes) > 1)
    drawn.add_column("Partition", "all", overflow="fold")
    for name, footer in (
        ("Now", ""),
        ("Then", ""),
        ("Again", f"{sum(change.again for change in changes):,}"),
        ("Skipped", f"{sum(change.skipped for change in changes):,}"),
    ):
        drawn.add_column(name, footer, justify="right", no_wrap=True)
    drawn.add_column("")
    for change in changes:
        now = "-" if change.current is None else f"{change.current:,}"
        again, skipped = (f"{n:,}" if n else "" for n in (change.again, change.skipped))
        drawn.add_row(str(change.partition), now, f"{change.target:,}", again, skipped, change.note)
    return drawn
