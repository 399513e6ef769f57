"""auth-events schema register --dry-run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from immersiverse.auth.events.cli.output import VERDICT, console, write_json
from immersiverse.auth.events.printable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from immersiverse.auth.events.gate.rehearsal import Rehearsed
    from immersiverse.auth.events.registry import SchemaRegistry
    from immersiverse.auth.events.registry.contract import Form

_ACTIONS = {
    "nothing": "registered already",
    "create": "new subject",
    "add": "new version",
    "fail": "not possible",
}


def rehearse(
    registry: SchemaRegistry, topics: Sequence[str] | None, types: Sequence[Any], form: Form, *, as_json: bool
) -> None:
    """Say what registering would write, and whether the registry would take it.

    Raises:
        typer.Exit: with code 1 if it would refuse anything.
    """
    from immersiverse.auth.events.gate.rehearsal import rehearse as judged

    rows = judged(registry, topics, types, form)
    write_json([row.document() for row in rows]) if as_json else _show(rows)
    if not all(row.compatible for row in rows):
        raise typer.Exit(VERDICT)


def _show(rows: Sequence[Rehearsed]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.markup import escape
    from rich.table import Table

    from immersiverse.auth.events.cli.schema_diff_view import show_changes

    screen = console()
    table = Table(box=SIMPLE_HEAD)
    for name in ("Subject", "Type", "Would be", "Version", "Level", "Verdict"):
        table.add_column(name, justify="right" if name == "Version" else "left")
    for row in rows:
        verdict = "[green]ok[/]" if row.compatible else "[red]refused[/]"
        version = str(row.version or "")
        table.add_row(row.subject, row.type, _ACTIONS[row.action], version, row.level, verdict)
    screen.print(table)
    for row in rows:
        show_changes(screen, row.refused)
        if row.problem:
            screen.print(f"  [red]![/] {escape(printable(row.problem))}", soft_wrap=True)
