"""The plan of a replay on a screen and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from immersiverse.auth.events.operations.replay import Move


def document(move: Move) -> dict[str, Any]:
    """What a replay does to one partition, as JSON."""
    where = {"topic": move.partition.topic, "partition": move.partition.number}
    return {**where, **{name: value for name, value in asdict(move).items() if name != "partition"}}


def table(moves: Sequence[Move]) -> Table:
    """What a replay does, a partition a row."""
    drawn = Table(box=SIMPLE_HEAD, show_footer=len(moves) > 1)
    drawn.add_column("Partition", "all", overflow="fold")
    for name, footer in (
        ("Now", ""),
        ("Then", ""),
        ("Again", f"{sum(move.again for move in moves):,}"),
        ("Skipped", f"{sum(move.skipped for move in moves):,}"),
    ):
        drawn.add_column(name, footer, justify="right", no_wrap=True)
    drawn.add_column("")
    for move in moves:
        now = "-" if move.current is None else f"{move.current:,}"
        again, skipped = (f"{n:,}" if n else "" for n in (move.again, move.skipped))
        drawn.add_row(str(move.partition), now, f"{move.target:,}", again, skipped, move.note)
    return drawn
